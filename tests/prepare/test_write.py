"""Tables as text."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError
from unrolled.prepare.table import Table
from unrolled.prepare.write import to_csv, to_json_lines, writer_of


def table(**columns: Any) -> Table:
    return Table(columns, "predictions")


def test_numbers_names_and_times() -> None:
    found = table(
        id=np.array(["a,b", 'say "x"', None], dtype=object),
        time=np.array(["2024-01-31", "2024-01-31T12:30:00.5", "NaT"], dtype="datetime64[ns]"),
        step=np.array([1.0, 2.0, 3.0]),
        y=np.array([1.5, np.nan, -0.1]),
    )
    assert list(csv.reader(io.StringIO(to_csv(found)))) == [
        ["id", "time", "step", "y"],
        ["a,b", "2024-01-31T00:00:00", "1", "1.5"],
        ['say "x"', "2024-01-31T12:30:00.5", "2", ""],
        ["", "", "3", "-0.1"],
    ]
    assert [json.loads(line) for line in to_json_lines(found).splitlines()] == [
        {"id": "a,b", "time": "2024-01-31T00:00:00", "step": 1, "y": 1.5},
        {"id": 'say "x"', "time": "2024-01-31T12:30:00.5", "step": 2, "y": None},
        {"id": None, "time": None, "step": 3, "y": -0.1},
    ]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_single_precision_comes_back(values: list[float]) -> None:
    found = table(y=np.array(values))
    read = [float(line) for line in to_csv(found).splitlines()[1:]]
    assert np.array_equal(np.asarray(read, np.float32), np.asarray(values, np.float32))
    assert [json.loads(line)["y"] for line in to_json_lines(found).splitlines()] == read


def test_no_rows_are_a_header_alone() -> None:
    empty = table(id=np.array([], dtype=object), y=np.array([]))
    assert (to_csv(empty), to_json_lines(empty)) == ("id,y\n", "")


def test_the_suffix_says_how_a_file_is_written() -> None:
    assert writer_of("p.csv") is to_csv and writer_of(Path("P.JSONL")) is to_json_lines
    for name in ("p.xlsx", "p", "p.csv.gz"):
        with pytest.raises(ConfigError, match=r"use \.csv or \.jsonl|Use \.csv or \.jsonl"):
            writer_of(name)
