"""A user's own torch module in the place of a net from a spec.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs.
"""

from __future__ import annotations

import inspect
import math
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import NetFacts, Note
from unrolled.program.plan import Plan
from unrolled.program.shapes import Inputs, Outputs


class CustomNet(nn.Module):
    """Wraps a module so that it is called, and answers, like any net.

    Its ``forward`` takes ``x`` ``(B, T, D)`` and, by name, those of ``lengths``, ``static`` and ``known`` that the
    data has; it returns ``(B, ...)`` with as many numbers a sample as ``outputs`` asks for.

    Raises:
        ConfigError: the module does not take an input that the data has.
    """

    def __init__(self, module: nn.Module, inputs: Inputs, outputs: Outputs) -> None:
        super().__init__()
        self.module, self.inputs, self.outputs = module, inputs, outputs
        self.path = f"{type(module).__module__}:{type(module).__qualname__}"
        parameters = inspect.signature(module.forward).parameters.values()
        anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        names = {parameter.name for parameter in parameters}
        self._takes = {name for name in ("lengths", "static", "known") if anything or name in names}
        given = {
            "static": inputs.static_numbers or inputs.static_categories,
            "known": inputs.known_numbers or inputs.known_categories,
        }
        for name, present in given.items():
            if present and name not in self._takes:
                raise self._refused(name)

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        static: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor:
        """Run the module; the result has the shape ``(B, steps, targets, values)``.

        Raises:
            ConfigError: it returns something else, or sequences differ in length and it does not take ``lengths``.
        """
        given = {"lengths": lengths, "static": static, "known": known}
        if lengths is not None and "lengths" not in self._takes:
            raise self._refused("lengths")
        y = self.module(x, **{name: value for name, value in given.items() if name in self._takes})
        out = self.outputs
        if not isinstance(y, Tensor):
            raise ConfigError(
                f"forward returns {type(y).__name__}, it must return one tensor",
                where=self.path,
                mend="return the prediction alone",
            )
        steps = x.shape[1] if out.every else out.steps
        wanted = (steps, out.targets, out.values)
        if y.shape[0] != x.shape[0] or y.numel() != x.shape[0] * math.prod(wanted):
            raise ConfigError(
                f"forward returns the shape {tuple(y.shape)} for a batch of {x.shape[0]}",
                where=self.path,
                mend=f"return (B, {steps}, {out.targets}, {out.values}), or (B, {math.prod(wanted)})",
            )
        return y.reshape(-1, *wanted)

    def plan(self) -> Plan | None:
        """None: a user's own code is not lowered to a plan."""
        return None

    def summary(self) -> NetFacts:
        """The module's parts with their parameters; output shapes are not known."""
        parts = list(self.module.named_children()) or [(type(self.module).__name__, self.module)]
        state = self.state_dict().values()
        return NetFacts(
            spec=self.path,
            layers=tuple((name, "", sum(p.numel() for p in part.parameters())) for name, part in parts),
            parameters=sum(p.numel() for p in self.parameters()),
            bytes=sum(tensor.numel() * tensor.element_size() for tensor in state),
        )

    def streamable(self) -> tuple[Note, ...]:
        """Nothing is known of the module's inside."""
        note = Note(
            code="custom_net",
            en=f"{self.path} is your own module; whether it can run step by step is not known",
            zh=f"{self.path} 是您自己的模块，无法判断它能否逐步运行",
        )
        return (note,)

    def _refused(self, name: str) -> ConfigError:
        return ConfigError(
            f"its forward does not take {name!r}, which this data has",
            where=self.path,
            mend=f"add the argument: def forward(self, x, {name}=None)",
        )


def load_custom(path: str, inputs: Inputs, outputs: Outputs) -> CustomNet:
    """Import a user's module from ``"package.module:Class"`` (or the name of an instance) and wrap it.

    A class is called with those of ``inputs``, ``outputs``, ``input_size`` (columns of x) and ``output_size``
    (numbers a sample) that its constructor names. Never call this with a path that comes out of a bundle.

    Raises:
        ConfigError: there is nothing of that name, it is no torch module, or its constructor asks for more.
    """
    where = f"net {path!r}"
    home, _, name = path.partition(":")
    try:
        found: Any = import_module(home)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"it cannot be imported ({error})", where=where, mend="give it as package.module:Class"
        ) from error
    if isinstance(found, type) and issubclass(found, nn.Module):
        found = _made(found, inputs, outputs, where)
    if not isinstance(found, nn.Module):
        raise ConfigError("it is not a torch module", where=where, mend="name a subclass of torch.nn.Module")
    return CustomNet(found, inputs, outputs)


def _made(kind: type[nn.Module], inputs: Inputs, outputs: Outputs, where: str) -> nn.Module:
    """An instance, its constructor given what it names."""
    offered = {
        "inputs": inputs,
        "outputs": outputs,
        "input_size": inputs.numbers + len(inputs.categories),
        "output_size": outputs.size,
    }
    parameters = inspect.signature(kind).parameters.values()
    unmet = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name not in offered
    ]
    if unmet:
        raise ConfigError(
            f"its constructor asks for {unmet[0]!r}, which is not known here",
            where=where,
            mend=f"give it a default; known are {', '.join(offered)}",
        )
    return kind(**{p.name: offered[p.name] for p in parameters if p.name in offered})
