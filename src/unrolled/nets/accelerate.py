"""Puts this package's recurrent layers in the place of torch's, inside any torch model."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import jit, nn
from torch.nn.utils.parametrize import is_parametrized

from unrolled.core.errors import ConfigError
from unrolled.nets.drop_in import GRU, LSTM, RNN

_OURS: dict[type[nn.Module], type[LSTM | GRU | RNN]] = {nn.LSTM: LSTM, nn.GRU: GRU, nn.RNN: RNN}
_OPTIONS = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
_TORCHS_OWN = ("num_layers", "_flat_weights", "_flat_weights_names", "_flat_weight_refs", "_all_weights")
_RECURRENT = re.compile(r"(LSTM|GRU|RNN)(Cell)?$")
_CONTAINERS = "torch.nn.modules.container"


@dataclass(frozen=True)
class Finding:
    """One recurrent module of a model: its place, what it is, and why it was left (empty when it was replaced)."""

    place: str
    module: str
    reason: str = ""


@dataclass(frozen=True)
class Acceleration:
    """What :func:`accelerate` did; ``print`` it."""

    swapped: tuple[Finding, ...]
    left: tuple[Finding, ...]

    def __str__(self) -> str:
        if not self.swapped and not self.left:
            return "no recurrent layer found"
        lines = [f"replaced {len(self.swapped)} of {len(self.swapped) + len(self.left)} recurrent modules"]
        lines += [f"  {found.place}: {found.module}" for found in self.swapped]
        lines += [f"  {found.place}: {found.module} left as it is: {found.reason}" for found in self.left]
        return "\n".join(lines)


def accelerate(model: nn.Module, *, quiet: bool = False) -> Acceleration:
    """Turn every ``nn.LSTM``, ``nn.GRU`` and ``nn.RNN`` of a model into ours, in place, and print what was done.

    Each module stays the same object with the same parameters, hooks, device, dtype and mode, so optimisers,
    ``state_dict`` keys and references to it hold; outputs and gradients stay within ``unrolled.core.tolerances``
    (dropout between layers draws other masks). A loop of your own over ``nn.LSTMCell`` cannot be replaced; the
    report names its line.

    Args:
        model: any torch model, before ``torch.compile``; it may itself be a recurrent layer.
        quiet: print nothing.

    Raises:
        ConfigError: it is no torch module.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.GRU(8, 16))
        >>> accelerate(model)
        replaced 1 of 1 recurrent modules
          1: GRU(8, 16)
    """
    if not isinstance(model, nn.Module):
        raise ConfigError(f"needs a torch module, got {type(model).__name__}", where="accelerate")
    swapped, left = [], []
    for place, module in list(model.named_modules()):
        if not _RECURRENT.search(_name(module)):
            continue
        finding = Finding(place or "the model itself", _described(module))
        if type(module) in _OURS:
            _adopt(module)
            swapped.append(finding)
        elif reason := _refusal(model, place, module):
            left.append(Finding(finding.place, finding.module, reason))
    report = Acceleration(tuple(swapped), tuple(left))
    if not quiet:
        print(report)
    return report


def _adopt(module: nn.Module) -> None:
    """Change the class of torch's module to ours, and give it the attributes that ours has."""
    options = {name: getattr(module, name) for name in _OPTIONS}
    options |= {name: getattr(module, name) for name in _extra(module)}
    if options["num_layers"] == 1:
        options["dropout"] = 0.0  # has no effect there, and ours would warn of it again
    kind = _OURS[type(module)]
    model = kind(**options, device="meta")
    for name in _TORCHS_OWN:
        vars(module).pop(name, None)
    module.__class__ = kind
    vars(module).update({name: value for name, value in vars(model).items() if name not in vars(nn.Module())})


def _extra(module: nn.Module) -> tuple[str, ...]:
    """Options that only some of torch's layers have."""
    return {nn.LSTM: ("proj_size",), nn.RNN: ("nonlinearity",)}.get(type(module), ())


def _refusal(model: nn.Module, place: str, module: nn.Module) -> str | None:
    """Why a module that looks recurrent is left; None when there is nothing to say of it."""
    kind = type(module)
    if isinstance(module, nn.RNNCellBase):
        return f"one step a call costs the same with ours; {_loop(model, place)}"
    if isinstance(module, jit.ScriptModule):
        return "TorchScript is compiled already; accelerate the model before torch.jit.script"
    if is_parametrized(module) and kind.__mro__[1] in _OURS:
        return "a parametrization computes its weights; accelerate the model first, then register it"
    if isinstance(module, nn.RNNBase):
        return f"{kind.__module__}.{kind.__qualname__} is a subclass of torch's, with code of its own"
    if kind.__module__.startswith(("torch.ao.", "torch.nn.quantized", "torch.nn.intrinsic")):
        return "it is quantised, and its weights are not plain numbers"
    return None


def _loop(model: nn.Module, place: str) -> str:
    """Where the loop over a cell is, as far as its owner's source shows."""
    mend = "written as the layer of the same name, all steps run at once"
    owner, attribute = _owner(model, place)
    if owner is None:
        return mend
    for number, line in _source(type(owner)):
        if re.search(rf"\b\w+\.{attribute}\b(?!\s*(:[^=]*)?=[^=])", line):
            return f"the loop over it is at {inspect.getsourcefile(type(owner))}:{number}; {mend}"
    return f"the loop over it is in {type(owner).__qualname__}; {mend}"


def _owner(model: nn.Module, place: str) -> tuple[nn.Module | None, str]:
    """The module, no mere container, that holds this one, and the name it has there."""
    path = place.split(".") if place else []
    while path:
        *path, attribute = path
        owner = model.get_submodule(".".join(path))
        if type(owner).__module__ != _CONTAINERS:
            return owner, attribute
    return None, ""


def _source(kind: type) -> Iterator[tuple[int, str]]:
    """Lines of a class with their numbers; none where the source is not at hand."""
    try:
        lines, first = inspect.getsourcelines(kind)
    except (OSError, TypeError):
        return
    yield from enumerate(lines, first)


def _name(module: nn.Module) -> str:
    """The name of its class, through TorchScript and parametrizations."""
    if isinstance(module, jit.ScriptModule):
        return str(module.original_name)
    return next((kind.__name__ for kind in type(module).__mro__ if _RECURRENT.search(kind.__name__)), "")


def _described(module: nn.Module) -> str:
    return f"{_name(module)}({module.extra_repr()})"
