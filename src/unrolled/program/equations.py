"""What a cell is to those who run it, and the names under which cells are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest


class Equations(Protocol):
    """A cell as its readers see it; ``unrolled.cells.Cell`` documents each part."""

    def __hash__(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> tuple[str, ...]: ...
    @property
    def gates(self) -> tuple[str, ...]: ...
    @property
    def vectors(self) -> tuple[str, ...]: ...
    @property
    def matrices(self) -> tuple[str, ...]: ...
    @property
    def recurrent(self) -> tuple[str, ...] | None: ...
    @property
    def noise(self) -> tuple[str, ...]: ...
    @property
    def held(self) -> tuple[str, ...]: ...
    @property
    def heads(self) -> int: ...
    @property
    def forget(self) -> str | None: ...
    @property
    def step(self) -> Callable[..., tuple[Any, ...]]: ...
    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]: ...
    def state_sizes(self, hidden_size: int) -> tuple[int, ...]: ...
    def rates(self) -> dict[str, float]: ...
    def starts(self, hidden_size: int, uniform: Callable[..., Any]) -> dict[str, Any]: ...


def parameters(cell: Equations, input_size: int, hidden_size: int, *, bias: bool) -> dict[str, tuple[int, ...]]:
    """``cell.shapes``, held against what the cell declares.

    Raises:
        ConfigError: a vector or a matrix has no shape.
    """
    shapes = cell.shapes(input_size, hidden_size, bias=bias)
    for name in (*cell.vectors, *(f"weight_{matrix}" for matrix in cell.matrices)):
        if name not in shapes:
            mend = f"return super().shapes(...) | {{{name!r}: (...)}}"
            raise ConfigError(f"its shapes() gives none for {name!r}", where=f"cell {cell.name!r}", mend=mend)
    return shapes


CELLS: dict[str, Callable[..., Equations]] = {}
"""Filled by ``unrolled.cells.register``: plans and specs find cells here by name."""


def cell(name: str, **options: Any) -> Equations:
    """The cell of that name, made with its options (``cell("lstm_projected", projection=32)``).

    Raises:
        ConfigError: no cell has this name, or it does not take these options.
    """
    if name not in CELLS:
        raise ConfigError("there is no such cell", where=f"cell {name!r}", mend=nearest(name, CELLS))
    try:
        return CELLS[name](**options)
    except TypeError as error:
        raise ConfigError(f"its options are wrong ({error})", where=f"cell {name!r}") from error


def cells() -> tuple[str, ...]:
    """Names of all cells, sorted."""
    return tuple(sorted(CELLS))
