"""Two files of different rates as one table: beside each row of the first what the second last said.

Letters: N rows of the first, M rows of the second.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.labels import factorize
from unrolled.prepare.table import Array, Table
from unrolled.prepare.wording import say


def put_beside(first: Table, second: Table, on: str | None = None) -> Table:
    """The first table with the columns of the second that it does not have itself.

    A row gets what stands in the latest row of the second at its time or before, never after it; nothing (a missing
    value) where there is none yet. Columns that both have, other than the time, name series: only rows of the same
    series meet.

    Args:
        first: one row a step.
        second: likewise, at any rate of its own.
        on: the column of times in both; None takes the one column of time stamps that both have.

    Raises:
        ConfigError: both have no such column, or ``on`` is not there.
        DataError: the times are of different kinds, one is missing, or the second adds nothing.
    """
    for table in (first, second):
        if table.starts is not None:
            raise DataError("only files with a row a step can stand beside each other", where=table.source)
    shared = [name for name in first.columns if name in second.columns]
    time = _time(first, second, shared, on)
    added = [name for name in second.columns if name not in first.columns]
    if not added:
        raise DataError(f"it has no column that {first.source} lacks", where=second.source)
    series = _series(first, second, [name for name in shared if name != time])
    at = _latest(first.columns[time], second.columns[time], *series)
    columns = {name: _picked(second.columns[name], at) for name in added}
    note = say("put_beside", columns=added, source=second.source, time=time, unseen=int((at < 0).sum()))
    return replace(first, columns={**first.columns, **columns}, block=None, notes=(*first.notes, *second.notes, note))


def _time(first: Table, second: Table, shared: list[str], on: str | None) -> str:
    if on is not None and on not in shared:
        lacking = first if on not in first.columns else second
        raise ConfigError(f"{lacking.source} has no column {on!r}", where="option on", mend="name a column of both")
    stamps = [name for name in shared if first.columns[name].dtype.kind == "M"]
    if on is None and len(stamps) != 1:
        found = f"{len(stamps)} columns of time stamps" if stamps else "no column of time stamps"
        raise ConfigError(
            f"{first.source} and {second.source} have {found} in common", where="option beside", mend="name it with on"
        )
    name = on or stamps[0]
    kinds = [table.columns[name].dtype.kind for table in (first, second)]
    if kinds[0] != kinds[1] or kinds[0] not in "Mf":
        raise DataError(
            "the times of the two files are not of one kind",
            where=f"{first.source} and {second.source}, column {name!r}",
            mend="write both as time stamps, or both as numbers",
        )
    for table in (first, second):
        unknown = np.isnat(table.columns[name]) if kinds[0] == "M" else np.isnan(table.columns[name])
        if unknown.any():
            raise DataError("the time is missing", where=table.place(int(unknown.argmax()), name), mend="fill it in")
    return name


def _series(first: Table, second: Table, names: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """``(N,)`` and ``(M,)`` numbers of the series that rows belong to."""
    code = np.zeros(first.rows + second.rows, dtype=np.int64)
    for name in names:
        both = [np.asarray(table.columns[name], dtype=object) for table in (first, second)]
        own, values = factorize(np.concatenate(both))
        code = np.unique(code * (len(values) + 1) + own + 1, return_inverse=True)[1].astype(np.int64)
    return code[: first.rows], code[first.rows :]


def _latest(
    time: Array, other: Array, series: npt.NDArray[np.int64], others: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """``(N,)`` row of the second that counts for each row of the first, -1 where there is none."""
    found = np.full(len(time), -1, dtype=np.int64)
    for one in np.unique(series):
        rows, there = np.flatnonzero(series == one), np.flatnonzero(others == one)
        order = there[np.argsort(other[there], kind="stable")]
        place = np.searchsorted(other[order], time[rows], side="right") - 1
        found[rows[place >= 0]] = order[place[place >= 0]]
    return found


def _picked(column: Array, at: npt.NDArray[np.int64]) -> Array:
    """``(N,)`` with missing values where ``at`` is -1."""
    missing: object = {"M": np.datetime64("NaT"), "f": np.nan}.get(column.dtype.kind)
    found = np.full(len(at), missing, dtype=column.dtype)
    found[at >= 0] = column[at[at >= 0]]
    return found
