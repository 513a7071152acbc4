"""Which rows belong to which sequence, in time order.

Letters: N rows, S sequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.labels import runs
from unrolled.prepare.pages import pieces
from unrolled.prepare.regularity import steps_between
from unrolled.prepare.stamps import Time, TimeUnit, read_time
from unrolled.prepare.table import Table
from unrolled.prepare.wording import say

_Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Order:
    """The arrangement of a table's rows.

    Attributes:
        rows: ``(N,)`` row of the table at each place, or None where the table already stands in order.
        starts: ``(S + 1,)`` first place of each sequence, and N.
        ids: names of the sequences.
        time: ``(N,)`` time in that order, or None.
        notes: what was done.
    """

    rows: _Rows | None
    starts: _Rows
    ids: tuple[str, ...]
    time: Time | None
    notes: tuple[Note, ...] = ()

    def take(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A column of the table, in this order."""
        return column if self.rows is None else column[self.rows]

    def row(self, place: int) -> int:
        """The table's row at a place."""
        return place if self.rows is None else int(self.rows[place])


def arrange(
    table: Table, *, time: str | None, unit: TimeUnit | None, group: str | None, repeats: bool = False
) -> Order:
    """Gather the rows of each sequence and put them in time order.

    Args:
        table: the file.
        time, unit: the time column and how it is written.
        group: the column that names the series; one that the table lacks makes it one series.
        repeats: several rows of a series may have the same time stamp (they will be resampled).

    Raises:
        DataError: a name or a time stamp is missing or unreadable, or two rows of a series have the same time.
    """
    starts, rows, ids = _sequences(table, group)
    stamps = None if time is None or unit is None else _stamps(table, time, unit)
    notes = [] if rows is None else [say("gathered_groups")]
    if stamps is not None:
        arranged = stamps if rows is None else stamps[rows]
        order, note = _time_order(table, arranged, starts)
        if order is not None:
            rows = order if rows is None else rows[order]
        notes += [note] if note is not None else []
        stamps = stamps if rows is None else stamps[rows]
    result = Order(rows, starts, ids, stamps, tuple(notes))
    if time is not None and stamps is not None and not repeats:
        _refuse_repeats(table, result, time, stamps)
    return result


def _sequences(table: Table, group: str | None) -> tuple[_Rows, _Rows | None, tuple[str, ...]]:
    """``(S + 1,)`` first place of each sequence, the rows that stand there (None: as they are), and their names."""
    if table.starts is not None:
        count = len(table.starts) - 1
        return table.starts.astype(np.int64), None, table.case_ids or tuple(str(case) for case in range(1, count + 1))
    if group is None or group not in table.columns:
        return np.array([0, table.rows], dtype=np.int64), None, ("series",)
    heads, codes, names = runs(table.columns[group])
    if (codes < 0).any():
        row = int(heads[np.argmax(codes < 0)])
        raise DataError(
            "the name of the series is missing",
            where=table.place(row, group),
            mend="fill it in, or remove the row",
        )
    lengths = np.diff(heads, append=table.rows)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes, weights=lengths))]).astype(np.int64)
    if (np.diff(codes) >= 0).all():
        return starts, None, tuple(names)
    _refuse_sorting(table)
    return starts, np.argsort(np.repeat(codes, lengths), kind="stable"), tuple(names)


def _refuse_sorting(table: Table) -> None:
    if table.block is not None:
        raise DataError(
            "the rows are not in order, and the file is too large to be sorted in memory",
            where=table.source,
            mend="sort it by series and time first",
        )


def _stamps(table: Table, time: str, unit: TimeUnit) -> Time:
    column = table.columns[time]
    stamps = read_time(column, unit)
    if stamps is None:
        raise DataError(
            "this is not a column of time stamps",
            where=f"{table.source}, column {time!r}",
            mend="write time stamps as 2024-01-31 or 2024-01-31 18:00:00, or name another column with --time",
        )
    missing = [begin + np.flatnonzero(~np.isfinite(piece)) for begin, piece in pieces(stamps)]
    rows = np.concatenate(missing) if missing else np.zeros(0, dtype=np.int64)
    if len(rows):
        raise DataError(
            f"{len(rows)} time stamps are missing or unreadable, the first here",
            where=table.place(int(rows[0]), time),
            mend="fill them in, remove these rows, or leave the column out with --ignore",
        )
    return stamps


def _time_order(table: Table, time: Time, starts: _Rows) -> tuple[_Rows | None, Note | None]:
    """The places in time order, or None where they are already."""
    rising = falling = True
    for piece in steps_between(time, starts):
        rising = rising and bool((piece >= 0).all())
        falling = falling and bool((piece <= 0).all())
        if not (rising or falling):
            break
    if rising:
        return None, None
    _refuse_sorting(table)
    if falling:
        # Sequence s, rows a to b - 1, backwards: a + b - 1 - place.
        turn = np.repeat(starts[:-1] + starts[1:] - 1, np.diff(starts))
        return turn - np.arange(len(time)), say("newest_first")
    member = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return np.lexsort((time, member)), say("sorted_rows")


def _refuse_repeats(table: Table, order: Order, time: str, stamps: Time) -> None:
    """Two rows of one sequence with the same time."""
    if all(bool((piece != 0).all()) for piece in steps_between(stamps, order.starts)):
        return
    same = np.flatnonzero(stamps[1:] == stamps[:-1]) + 1
    same = same[~np.isin(same, order.starts)]
    first = int(same[0])
    rows = sorted(table.first_row + order.row(place) for place in (first - 1, first))
    sequence = int(np.searchsorted(order.starts, first, side="right")) - 1
    series = "" if len(order.ids) == 1 else f" of series {order.ids[sequence]!r}"
    more = f" (and {len(same) - 1} more such pairs)" if len(same) > 1 else ""
    stamp = str(stamps[first]).removesuffix(".000000000")
    raise DataError(
        f"rows {rows[0]} and {rows[1]}{series} have the same time {stamp}{more}",
        where=f"{table.source}, column {time!r}",
        mend="remove the repeated rows; or, where the file holds several series, name the column that tells them "
        "apart with --group; or merge them with --resample mean",
    )


def varies(column: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> bool:
    """Whether an ordered column changes inside a sequence (missing equals missing)."""
    changed = np.asarray(column[1:] != column[:-1])
    if column.dtype != object:
        changed &= ~((column[1:] != column[1:]) & (column[:-1] != column[:-1]))
    inner = starts[(starts > 0) & (starts < len(column))]
    changed[inner - 1] = False
    return bool(changed.any())
