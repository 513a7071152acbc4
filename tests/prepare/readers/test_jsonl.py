"""JSON lines read as a table of the same cells would be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.prepare.read import read
from unrolled.prepare.table import Table

if TYPE_CHECKING:
    from tests.prepare.readers.conftest import Check


def table(folder: Path, text: str) -> Table:
    path = folder / "data.jsonl"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_keys_are_columns(tmp_path: Path, check_reader: Check) -> None:
    text = (
        '{"time": "2024-01-01T00:00:00Z", "value": 1.5, "on": true, "name": "泵"}\n\n'
        '{"time": "2024-01-01T01:00:00Z", "value": null, "on": false}\n'
        '{"time": "2024-01-01T02:00:00Z", "value": NaN, "on": true, "late": 7}\n'
    )
    found = check_reader(lambda: table(tmp_path, text))
    assert found.columns["time"].dtype == "datetime64[ns]"
    np.testing.assert_array_equal(found.columns["value"], [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(found.columns["late"], [np.nan, np.nan, 7])
    np.testing.assert_array_equal(found.columns["on"], [1, 0, 1])
    assert found.columns["name"].tolist() == ["泵", None, None]
    assert [note.code for note in found.notes] == ["encoding", "time_zone", "true_false"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": \n', "row 2: this line is not JSON"),
        ("[1, 2]\n", "row 1: this line is not a JSON object"),
        ('{"a": 1}\n{"a": [1, 2]}\n', "row 2: the value of 'a' is a list or an object"),
        ("[" * 100_000 + "\n", "not JSON"),
        ('{"a": 1}\n{"a": 2}\n{"a": "x"}\n', "row 3, column 'a': 'x' is not a number"),
        ("\n\n", "no rows"),
        ("", "no rows"),
        ("{}\n{}\n", "no rows"),
    ],
)
def test_errors_name_the_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(tmp_path, text)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.floats() | st.none(), min_size=1), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_written_rows_come_back(tmp_path: Path, rows: list[dict[str, float | None]]) -> None:
    found = table(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    assert found.rows == len(rows)
    for name, column in found.columns.items():
        expected = np.array([row.get(name) for row in rows], dtype=np.float64)
        np.testing.assert_array_equal(column, expected)
