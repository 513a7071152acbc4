"""The recurrent layer: any cell, stacked, in one or both directions.

Letters: B batch, T time, D input, H hidden, L layers, K directions.
"""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop

from unrolled import engine
from unrolled.cells import Initial, cell
from unrolled.core.errors import ConfigError
from unrolled.engine import Backend, State
from unrolled.nets import orthogonal as rotation
from unrolled.nets.array import array_of
from unrolled.nets.initial import draw
from unrolled.program.equations import Equations
from unrolled.runtime.chain import Chain, Layer


class Factory(TypedDict, total=False):
    """Where parameters are made, as in torch."""

    device: torch.device | str | None
    dtype: torch.dtype | None


class Recurrent(nn.Module):
    """A stack of recurrent layers.

    Parameters are named as in torch: ``weight_ih_l0``, ``weight_hh_l0_reverse``, ...

    Args:
        cell: a name (``unrolled.cells.cells()``) or a cell.
        input_size: D.
        hidden_size: H.
        layers: L.
        bidirectional: a second set of weights reads each sequence from its end; outputs are joined.
        dropout: share of values zeroed between layers while training.
        bias: whether gates have biases.
        initial: how parameters start.
        orthogonal: the recurrent product of every gate stays a rotation. What is learned is then ``skew_hh_l0``, ...;
            ``weight_hh_l0``, ... are buffers that hold the rotations whenever ``state_dict`` is taken.
        factory: ``device`` and ``dtype`` of the parameters.

    Raises:
        ConfigError: no such cell, an impossible size, dropout without a second layer, or a cell that cannot be
            orthogonal.

    Example:
        >>> y, state = Recurrent("gru", 8, 32, layers=2)(torch.zeros(4, 10, 8))
        >>> y.shape, state[0].shape
        (torch.Size([4, 10, 32]), torch.Size([2, 4, 32]))
    """

    backend: str | Backend | None = None
    """Set it to insist on one backend; by default the fastest that can serve runs."""

    def __init__(
        self,
        cell: str | Equations,
        input_size: int,
        hidden_size: int,
        layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        initial: Initial | None = None,
        orthogonal: bool = False,
        **factory: Unpack[Factory],
    ) -> None:
        super().__init__()
        self.cell = _cell(cell)
        self.input_size, self.hidden_size, self.layers = input_size, hidden_size, layers
        self.bidirectional, self.dropout, self.bias = bidirectional, dropout, bias
        self.initial, self.orthogonal = initial or Initial(), orthogonal
        self._check()
        self._names: list[dict[str, str]] = []
        for suffix in self._suffixes():
            size = input_size if suffix.startswith("_l0") else self.output_size
            shapes = self.cell.shapes(size, hidden_size, bias=bias)
            self._names.append({role: role + suffix for role in shapes})
            for role, shape in shapes.items():
                if orthogonal and role == "weight_hh":
                    self.register_buffer(role + suffix, torch.empty(shape, **factory))
                    role, shape = "skew_hh", rotation.free(shape)
                self.register_parameter(role + suffix, nn.Parameter(torch.empty(shape, **factory)))
        if orthogonal:
            self.register_state_dict_pre_hook(_keep_rotations)  # type: ignore[no-untyped-call]
        self.reset_parameters()

    @property
    def directions(self) -> int:
        """K."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Width of y."""
        return self.directions * self.cell.state_sizes(self.hidden_size)[0]

    @property
    def causal(self) -> bool:
        """Whether an output depends on no later input, so that the layer can stream."""
        return not self.bidirectional

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for weights in self.stored():
            draw(self.cell, weights, self.initial)
        for name, parameter in self.named_parameters():
            if name.startswith("skew_hh"):
                rotation.draw_angles(parameter, self.hidden_size // self.cell.heads)

    def stored(self) -> list[dict[str, Tensor]]:
        """What ``state_dict`` holds of each layer and direction, by the names that ``cell.shapes`` lists."""
        return [{role: self._stored(name) for role, name in names.items()} for names in self._names]

    def weights(self) -> list[dict[str, Tensor]]:
        """Weights of each layer and direction, by the names that ``cell.shapes`` lists, with their gradient."""
        stored = self.stored()
        if not self.orthogonal:
            return stored
        return [self._rotated(weights, names) for weights, names in zip(stored, self._names, strict=True)]

    def forward(self, x: Tensor, hx: State | None = None, *, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Run over whole sequences; while training, a cell with noise gets new masks from torch's generator.

        Args:
            x: ``(B, T, D)``.
            hx: initial state, one ``(L*K, B, H)`` for each part, zeros when absent.
            lengths: ``(B,)`` true lengths; beyond them y is zero and the state stands still.

        Returns:
            y ``(B, T, K*H)`` and the final state, one ``(L*K, B, H)`` for each part.

        Raises:
            ConfigError: a shape, dtype or length does not fit.
            BackendError: the backend asked for cannot serve.
        """
        initial = self._split(hx)
        finals: list[State] = []
        weights = self.weights()
        for layer in range(self.layers):
            if layer and self.dropout:
                x = drop(x, self.dropout, self.training)
            outputs = []
            for direction in range(self.directions):
                noise = engine.draw_noise(self.cell, x, self.hidden_size) if self.training else None
                y, state = engine.run(
                    self.cell,
                    x,
                    weights[len(finals)],
                    initial[len(finals)],
                    lengths=lengths,
                    reverse=direction == 1,
                    noise=noise,
                    backend=self.backend,
                )
                outputs.append(y)
                finals.append(state)
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2)
        if len(finals) == 1:
            return x, tuple(part.unsqueeze(0) for part in finals[0])
        return x, tuple(torch.stack(parts) for parts in zip(*finals, strict=True))

    def step(self, x_t: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """One time step: ``x_t (B, D)`` and the state so far to ``y_t (B, H)`` and the new state.

        Raises:
            ConfigError: the layer is bidirectional and so must see the end first.
        """
        if not self.causal:
            raise self._needs_the_end()
        if x_t.dim() != 2:
            raise ConfigError(f"x_t must be (B, D), it is {tuple(x_t.shape)}", where=str(self))
        y, state = Recurrent.forward(self, x_t[:, None], state)
        return y[:, 0], state

    def stream(self, batch: int = 1, *, lazy: bool = False) -> Chain:
        """An object that runs step by step or in chunks, with a copy of the weights as they are now and its own state.

        Args:
            batch: independent streams in one object.
            lazy: multiply only with what has changed since the step before; see ``runtime.chain.Chain``.

        Raises:
            ConfigError: the layer is bidirectional and so must see the end first.
        """
        if not self.causal:
            raise self._needs_the_end()
        weights = [{role: array_of(weight) for role, weight in w.items()} for w in self.weights()]
        return Chain([Layer(self.cell, each) for each in weights], batch, lazy=lazy)

    def extra_repr(self) -> str:
        """What stands in the brackets when the layer is printed."""
        options = [f"{self.cell.name}, {self.input_size}, {self.hidden_size}"]
        defaults = {"layers": 1, "bidirectional": False, "dropout": 0.0, "bias": True}
        options += [f"{name}={getattr(self, name)}" for name in defaults if getattr(self, name) != defaults[name]]
        return ", ".join(options)

    def _stored(self, name: str) -> Tensor:
        """Without torch's search for attributes, which takes longer than all else of a short call."""
        known = self._parameters.get(name)
        found: Tensor = getattr(self, name) if known is None else known
        return found

    def _rotated(self, weights: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
        name = names["weight_hh"]
        skew, shape = self.get_parameter(name.replace("weight", "skew", 1)), self.get_buffer(name).shape
        return {**weights, "weight_hh": rotation.rotations(skew, shape)}

    def _needs_the_end(self) -> ConfigError:
        return ConfigError(
            "it reads sequences from both ends, so it cannot run step by step",
            where=str(self),
            mend="use bidirectional=False for streaming",
        )

    def _suffixes(self) -> list[str]:
        ends = ("", "_reverse")[: self.directions]
        return [f"_l{layer}{end}" for layer in range(self.layers) for end in ends]

    def _split(self, hx: State | None) -> list[State | None]:
        """The initial state of each layer and direction."""
        count = self.layers * self.directions
        if hx is None:
            return [None] * count
        parts = len(self.cell.state)
        fits = isinstance(hx, tuple) and len(hx) == parts
        if not fits or any(not isinstance(part, Tensor) or part.shape[:1] != (count,) for part in hx):
            raise ConfigError(
                f"the state must be a tuple of {parts} ({', '.join(self.cell.state)}), each ({count}, B, H)",
                where=str(self),
            )
        return list(zip(*hx, strict=True))

    def _check(self) -> None:
        for name in ("input_size", "hidden_size", "layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"must be at least 1, it is {getattr(self, name)}", where=name)
        if not 0 <= self.dropout <= 1:
            raise ConfigError(f"must lie within 0 .. 1, it is {self.dropout}", where="dropout")
        if self.dropout and self.layers == 1:
            raise ConfigError(
                "acts between recurrent layers, and there is only one", where="dropout", mend="use more layers, or 0"
            )
        if self.orthogonal:
            self._check_orthogonal()

    def _check_orthogonal(self) -> None:
        shape = self.cell.shapes(1, self.hidden_size).get("weight_hh")
        if shape is None or shape[-1] != self.hidden_size // self.cell.heads:
            raise ConfigError(
                f"{self.cell.name} has no square recurrent product", where="orthogonal", mend="use a cell such as rnn"
            )
        if self.initial.recurrent != "orthogonal":
            raise ConfigError(
                "the recurrent weights start as rotations, they cannot start otherwise",
                where="initial.recurrent",
                mend="leave it out, or do without orthogonal",
            )


@torch.no_grad()
def _keep_rotations(layer: nn.Module, *_: Any) -> None:
    """Before a ``state_dict``: the buffers hold what the numbers that are learned stand for."""
    assert isinstance(layer, Recurrent)
    for kept, weights in zip(layer.stored(), layer.weights(), strict=True):
        kept["weight_hh"].copy_(weights["weight_hh"])


def _cell(chosen: str | Equations) -> Equations:
    return cell(chosen) if isinstance(chosen, str) else chosen
