"""``LSTM``, ``GRU``, ``RNN`` and their cells with the manners of ``torch.nn``, plus ``lengths=``.

Arguments, defaults, state, shapes, packed sequences, ``state_dict`` keys and initial values are torch's.

Letters: B batch, T time, D input, H hidden, L layers, K directions.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled import cells, engine
from unrolled.cells import TORCH
from unrolled.core.errors import ConfigError
from unrolled.engine import State
from unrolled.nets.initial import draw
from unrolled.nets.recurrent import Factory, Recurrent
from unrolled.program.equations import Equations

Nonlinearity = Literal["tanh", "relu"]
Device = torch.device | str | None


class _Options(TypedDict):
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool


class _DropIn(Recurrent):
    """What the three layers share; ``sizes`` is (D, H, L)."""

    def __init__(self, cell: Equations, sizes: tuple[int, int, int], options: _Options, factory: Factory) -> None:
        dropout = options["dropout"]
        if dropout and sizes[2] == 1:
            warnings.warn("dropout acts between layers, and there is only one", stacklevel=3)
            dropout = 0.0
        super().__init__(
            cell,
            *sizes,
            bidirectional=options["bidirectional"],
            dropout=dropout,
            bias=options["bias"],
            initial=TORCH,
            **factory,
        )
        self.batch_first = options["batch_first"]

    @property
    def num_layers(self) -> int:
        """L, by torch's name."""
        return self.layers

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """Parameters of each layer and direction."""
        return [list(weights.values()) for weights in self.weights()]

    def flatten_parameters(self) -> None:
        """Nothing to do here; existing code calls it."""

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Any, Any]:
        """Run over whole sequences, as in torch.

        Args:
            input: ``(T, B, D)``, or ``(B, T, D)`` with ``batch_first``, or ``(T, D)``, or packed.
            hx: initial state ``(L*K, B, H)`` (without B for one sequence), a pair ``(h, c)`` for the LSTM.
            lengths: ``(B,)`` true lengths of padded sequences, in place of packing.

        Returns:
            Outputs ``K*H`` wide in the form of the input, and the final state in the form of ``hx``.

        Raises:
            ConfigError: a shape, dtype or length does not fit.
        """
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise ConfigError("a packed sequence has its own lengths", where="lengths", mend="leave them out")
            x, true = pad_packed_sequence(input, batch_first=True)
            y, state = super().forward(x, _tuple(hx), lengths=true)
            return _packed_like(input, y, true), _untuple(state)
        if not isinstance(input, Tensor):
            raise ConfigError(f"input must be a tensor, it is a {type(input).__name__}", where=str(self))
        if input.dim() not in (2, 3):
            raise ConfigError(f"input must have 2 or 3 dimensions, it has {input.dim()}", where=str(self))
        known = None if lengths is None else torch.as_tensor(lengths)
        if input.dim() == 2:
            y, state = super().forward(input[None], _batch_of_one(_tuple(hx)), lengths=known)
            return y[0], _untuple(tuple(part[:, 0] for part in state))
        x = input if self.batch_first else input.transpose(0, 1)
        y, state = super().forward(x, _tuple(hx), lengths=known)
        return y if self.batch_first else y.transpose(0, 1), _untuple(state)


class LSTM(_DropIn):
    """``torch.nn.LSTM``, plus ``lengths=``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if not 0 <= proj_size < hidden_size:
            raise ConfigError(f"must lie within 0 .. {hidden_size - 1}, it is {proj_size}", where="proj_size")
        super().__init__(
            cells.LSTMProjected(proj_size) if proj_size else cells.LSTM(),
            (input_size, hidden_size, num_layers),
            {"bias": bias, "batch_first": batch_first, "dropout": dropout, "bidirectional": bidirectional},
            {"device": device, "dtype": dtype},
        )
        self.proj_size = proj_size


class GRU(_DropIn):
    """``torch.nn.GRU``, plus ``lengths=``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            cells.GRU(),
            (input_size, hidden_size, num_layers),
            {"bias": bias, "batch_first": batch_first, "dropout": dropout, "bidirectional": bidirectional},
            {"device": device, "dtype": dtype},
        )


class RNN(_DropIn):
    """``torch.nn.RNN``, plus ``lengths=``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Nonlinearity = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            _elman(nonlinearity),
            (input_size, hidden_size, num_layers),
            {"bias": bias, "batch_first": batch_first, "dropout": dropout, "bidirectional": bidirectional},
            {"device": device, "dtype": dtype},
        )
        self.nonlinearity = nonlinearity


class _CellDropIn(nn.Module):
    """What the three cells share: one step a call."""

    def __init__(self, cell: Equations, input_size: int, hidden_size: int, bias: bool, factory: Factory) -> None:
        super().__init__()
        self.cell = cell
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        for name in ("input_size", "hidden_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"must be at least 1, it is {getattr(self, name)}", where=name)
        for role, shape in cell.shapes(input_size, hidden_size, bias=bias).items():
            self.register_parameter(role, nn.Parameter(torch.empty(shape, **factory)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        draw(self.cell, dict(self.named_parameters()), TORCH)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """``(B, D)`` and a state ``(B, H)``, or both without B, to the new state; a pair ``(h, c)`` for the LSTM.

        Raises:
            ConfigError: a shape or dtype does not fit.
        """
        if not isinstance(input, Tensor):
            raise ConfigError(f"input must be a tensor, it is a {type(input).__name__}", where=str(self))
        if input.dim() not in (1, 2):
            raise ConfigError(f"input must have 1 or 2 dimensions, it has {input.dim()}", where=str(self))
        weights = {role: getattr(self, role) for role in self._parameters}
        if input.dim() == 2:
            return _untuple(engine.run(self.cell, input[:, None], weights, _tuple(hx))[1])
        state = engine.run(self.cell, input[None, None], weights, _batch_of_one(_tuple(hx), 0))[1]
        return _untuple(tuple(part[0] for part in state))

    def extra_repr(self) -> str:
        """What stands in the brackets when the cell is printed."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class LSTMCell(_CellDropIn):
    """``torch.nn.LSTMCell``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(cells.LSTM(), input_size, hidden_size, bias, {"device": device, "dtype": dtype})


class GRUCell(_CellDropIn):
    """``torch.nn.GRUCell``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(cells.GRU(), input_size, hidden_size, bias, {"device": device, "dtype": dtype})


class RNNCell(_CellDropIn):
    """``torch.nn.RNNCell``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Nonlinearity = "tanh",
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(_elman(nonlinearity), input_size, hidden_size, bias, {"device": device, "dtype": dtype})
        self.nonlinearity = nonlinearity


def _elman(nonlinearity: Nonlinearity) -> Equations:
    if nonlinearity not in ("tanh", "relu"):
        raise ConfigError(f"must be 'tanh' or 'relu', it is {nonlinearity!r}", where="nonlinearity")
    return cells.RNN() if nonlinearity == "tanh" else cells.RNNRelu()


def _tuple(hx: Any) -> State | None:
    """torch's state as ours, a tuple even of one part."""
    return None if hx is None else (hx,) if isinstance(hx, Tensor) else tuple(hx)


def _untuple(state: State) -> Any:
    """Our state as torch's, a tensor where there is one part."""
    return state if len(state) > 1 else state[0]


def _batch_of_one(state: State | None, axis: int = 1) -> State | None:
    return None if state is None else tuple(part.unsqueeze(axis) for part in state)


def _packed_like(packed: PackedSequence, y: Tensor, lengths: Tensor) -> PackedSequence:
    """``y (B, T, H)`` in the caller's order, packed in the order of ``packed``."""
    order = packed.sorted_indices
    if order is not None:
        y, lengths = y.index_select(0, order), lengths.index_select(0, order.to(lengths.device))
    data = pack_padded_sequence(y, lengths, batch_first=True).data
    return packed._replace(data=data)
