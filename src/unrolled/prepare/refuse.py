"""Values that no series may hold, each refused with its place in the file.

Letters: N rows, C columns, S sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.missing import observed_end
from unrolled.prepare.order import Order, varies
from unrolled.prepare.pages import pieces
from unrolled.prepare.series import Column
from unrolled.prepare.table import Table

_LARGEST = float(np.finfo(np.float32).max)


def refuse_infinite(table: Table, name: str, cells: npt.NDArray[Any], first: int = 0) -> None:
    """Infinite numbers, and those that single precision cannot hold; ``first`` is the table's row at index 0."""
    wrong = np.abs(cells) > _LARGEST
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    raise DataError(
        f"the value is {'infinite' if np.isinf(cells[row]) else 'too large'} ({float(cells[row]):g})",
        where=table.place(first + row, name) if name in table.columns else f"{table.source}, column {name!r}",
        mend="correct it, or leave the cell empty: it then counts as missing",
    )


def refuse_change(table: Table, name: str, cells: npt.NDArray[Any], order: Order) -> None:
    """A column with one value a sequence that has two; ``cells`` are in the given order."""
    if not varies(cells, order.starts):
        return
    member = np.repeat(np.arange(len(order.ids)), np.diff(order.starts))
    place = int(np.flatnonzero((cells[1:] != cells[:-1]) & (member[1:] == member[:-1]))[0]) + 1
    raise DataError(
        f"the value changes inside series {order.ids[int(member[place])]!r}, where one is needed for all of it",
        where=table.place(order.row(place), name),
        mend="use the column as a feature (--features), not as a static one",
    )


def refuse_holes(
    table: Table,
    columns: Sequence[Column],
    values: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    *,
    forecast: bool,
    places: npt.NDArray[Any] | Order,
) -> None:
    """Inputs without a value, under the policy "error".

    The rows ahead of the last observed target are the future of a forecast: only known covariates must be there.

    Args:
        table: the file, for messages.
        columns: of ``values`` ``(N, C)``.
        values: the buffer.
        starts: ``(S + 1,)``.
        forecast: the targets are inputs too.
        places: how to name a row: the order of the table, or the time stamps of resampled rows.
    """
    wanted = [at for at, c in enumerate(columns) if c.role in (("feature", "target") if forecast else ("feature",))]
    known = [at for at, c in enumerate(columns) if c.role == "known"]
    targets = [at for at, c in enumerate(columns) if c.role == "target"]
    end = observed_end(values, starts, targets) if forecast else starts[1:]
    for begin, chunk in pieces(values):
        holes = np.isnan(chunk)
        rows = np.arange(begin, begin + len(chunk))
        holes[rows >= end[np.searchsorted(starts, rows, side="right") - 1]] &= np.isin(range(len(columns)), known)
        holes[:, [at for at in range(len(columns)) if at not in (*wanted, *known)]] = False
        if holes.any():
            row, at = (int(found) for found in np.argwhere(holes)[0])
            name = columns[at].name
            if isinstance(places, Order):
                where = table.place(places.row(begin + row), name)
            else:
                where = f"{table.source}, column {name!r} at {places[begin + row]}"
            raise DataError(
                "a value is missing",
                where=where,
                mend="fill it in, or train with --missing mask, fill_forward or interpolate",
            )
