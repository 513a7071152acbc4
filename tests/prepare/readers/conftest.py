"""The contract of every reader, asked of each result that a test reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from unrolled.prepare.table import Table

Check = Callable[[Callable[[], Table]], Table]


@pytest.fixture(scope="session")
def check_reader() -> Check:
    """Read twice; the results are alike and well-formed."""

    def check(read: Callable[[], Table]) -> Table:
        table, again = read(), read()
        _well_formed(table)
        assert table.columns.keys() == again.columns.keys()
        for name, column in [*table.columns.items(), *table.case_columns.items()]:
            other = again.columns[name] if name in again.columns else again.case_columns[name]
            np.testing.assert_array_equal(column, other)
        assert (table.notes, table.hints, table.source) == (again.notes, again.hints, again.source)
        assert table.options == again.options
        return table

    return check


def _well_formed(table: Table) -> None:
    assert table.columns and table.source and table.rows > 0
    assert not table.columns.keys() & table.case_columns.keys()
    for column in table.columns.values():
        assert column.shape == (table.rows,)
        _typed(table, column)
    if table.starts is None:
        assert table.case_ids is None and not table.case_columns
    else:
        assert table.starts.dtype == np.int64 and table.starts[0] == 0 and table.starts[-1] == table.rows
        assert all(start < stop for start, stop in pairwise(table.starts))
        count = len(table.starts) - 1
        assert table.case_ids is not None and len(set(table.case_ids)) == count
        for column in table.case_columns.values():
            assert column.shape == (count,)
            _typed(table, column)
    hints = table.hints
    named = {*hints.target, *hints.static, *hints.known, *hints.category, *hints.ignore, hints.time, hints.group}
    assert named - {None} <= table.columns.keys() | table.case_columns.keys()
    for note in table.notes:
        assert re.fullmatch("[a-z_]+", note.code)
        assert "{" not in note.en + note.zh and re.search("[\u4e00-\u9fff]", note.zh)


def _typed(table: Table, column: np.typing.NDArray[np.generic]) -> None:
    if column.dtype == object:
        assert all(cell is None or type(cell) is str for cell in column)
    elif column.dtype == np.float32:
        assert table.block is not None and np.shares_memory(column, table.block)
    else:
        assert column.dtype in (np.dtype(np.float64), np.dtype("datetime64[ns]"))
