"""The door by which a cell becomes known to net specs and plans."""

from __future__ import annotations

from typing import TypeVar

from unrolled.cells.cell import Cell
from unrolled.core.errors import ConfigError
from unrolled.program.equations import CELLS

_CellType = TypeVar("_CellType", bound=type[Cell])


def register(cell_type: _CellType) -> _CellType:
    """Make a cell known by its ``name``; usable as a decorator.

    A user's cell may be registered again (a notebook runs its definition twice); the name of one of ours is taken.

    Raises:
        ConfigError: it is no cell, or the name belongs to a cell of this package.
    """
    if not (isinstance(cell_type, type) and issubclass(cell_type, Cell)):
        raise ConfigError(f"{cell_type!r} is no subclass of unrolled.cells.Cell", where="register")
    known = CELLS.get(cell_type.name)
    if known is not None and known is not cell_type and known.__module__.startswith("unrolled.cells."):
        raise ConfigError(
            "this name belongs to a cell of unrolled",
            where=f"cell {cell_type.name!r}",
            mend="give your cell another name",
        )
    CELLS[cell_type.name] = cell_type
    return cell_type
