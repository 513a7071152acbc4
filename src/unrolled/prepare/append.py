"""A later file of the same series put behind an earlier one, as in the M4 files.

Letters: S sequences, N and M rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.labels import recoding
from unrolled.prepare.series import Column, Series
from unrolled.prepare.wording import listed


def append(earlier: Series, later: Series) -> tuple[Series, list[tuple[int, int, int]]]:
    """Join two series built with one schema, sequence by sequence.

    Returns:
        the sequences of ``earlier``, each followed by its rows of ``later``; and where those rows now stand:
        ``(sequence, first row, end row)``.

    Raises:
        DataError: a sequence is unknown to ``earlier``, does not begin after its end, or has other columns.
    """
    if [column.name for column in earlier.columns] != [column.name for column in later.columns]:
        raise DataError("the columns differ from those of the earlier file", where=later.source)
    place = {name: s for s, name in enumerate(earlier.ids)}
    unknown = [name for name in later.ids if name not in place]
    if unknown:
        raise DataError(
            f"the series {listed(unknown)} are not in {earlier.source}",
            where=later.source,
            mend="give a file that continues the same series",
        )
    owner = np.array([place[name] for name in later.ids], dtype=np.int64)
    added = np.zeros(len(earlier.ids), dtype=np.int64)
    added[owner] = later.lengths
    starts = np.concatenate([[0], np.cumsum(earlier.lengths + added)]).astype(np.int64)
    old = _rows(starts[:-1], earlier.lengths)
    new = _rows(starts[owner] + earlier.lengths[owner], later.lengths)
    columns = tuple(_joined(a, b) for a, b in zip(earlier.columns, later.columns, strict=True))
    values = np.empty((len(old) + len(new), earlier.values.shape[1]), dtype=np.float32)
    values[old], values[new] = earlier.values, _recoded(later, columns)
    joined = replace(
        earlier,
        values=values,
        starts=starts,
        columns=columns,
        time=_time(earlier, later, owner, old, new),
        source=f"{earlier.source} and {later.source}",
        notes=tuple(dict.fromkeys((*earlier.notes, *later.notes))),
    )
    ends = starts[owner + 1]
    spans = zip(owner, ends - later.lengths, ends, strict=True)
    return joined, [(int(s), int(a), int(b)) for s, a, b in spans if b > a]


def _rows(first: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``first[i], first[i] + 1, ...``, ``lengths[i]`` of them, one after another."""
    heads = np.cumsum(lengths) - lengths
    return np.repeat(first - heads, lengths) + np.arange(int(lengths.sum()))


def _joined(earlier: Column, later: Column) -> Column:
    fresh = tuple(label for label in later.categories if label not in earlier.categories)
    return earlier.model_copy(update={"categories": (*earlier.categories, *fresh)})


def _recoded(later: Series, columns: tuple[Column, ...]) -> npt.NDArray[np.float32]:
    values = np.array(later.values, dtype=np.float32)
    row_columns = (column for column in columns if column.level == "row")
    for at, (column, own) in enumerate(zip(row_columns, later.row_columns, strict=True)):
        if own.kind == "category":
            known = ~np.isnan(values[:, at])
            values[known, at] = recoding(own.categories, column.categories)[values[known, at].astype(np.int64)]
    return values


def _time(
    earlier: Series,
    later: Series,
    owner: npt.NDArray[np.int64],
    old: npt.NDArray[np.int64],
    new: npt.NDArray[np.int64],
) -> npt.NDArray[np.datetime64] | npt.NDArray[np.float64] | None:
    if earlier.time is None or later.time is None:
        return None
    both = (earlier.lengths[owner] > 0) & (later.lengths > 0)
    last: npt.NDArray[Any] = earlier.time[earlier.starts[1:][owner[both]] - 1]
    first: npt.NDArray[Any] = later.time[later.starts[:-1][both]]
    overlaps = first <= last
    if overlaps.any():
        name = later.ids[int(np.flatnonzero(both)[np.argmax(overlaps)])]
        raise DataError(f"series {name!r} does not begin after the end of {earlier.source}", where=later.source)
    time: npt.NDArray[Any] = np.empty(len(old) + len(new), dtype=earlier.time.dtype)
    time[old], time[new] = earlier.time, later.time
    return time
