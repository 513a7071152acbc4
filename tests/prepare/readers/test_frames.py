"""Parquet, polars and pandas: types are kept, text follows the rules of cells, large files go to a memory map."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.core.errors import DataError, UnrolledError
from unrolled.prepare.read import read
from unrolled.prepare.readers import block
from unrolled.prepare.table import Table

if TYPE_CHECKING:
    from tests.prepare.readers.conftest import Check

NS = "datetime64[ns]"


@pytest.fixture
def mixed() -> pl.DataFrame:
    start = dt.datetime(2024, 1, 1)
    return pl.DataFrame(
        {
            "time": [start + dt.timedelta(hours=hour) for hour in range(5)],
            "zoned": pl.Series([start] * 5).dt.replace_time_zone("Asia/Shanghai"),
            "date": [start.date()] * 4 + [None],
            "small": pl.Series([1, 2, None, 4, 5], dtype=pl.Int8),
            "single": pl.Series([1.5, None, float("nan"), float("inf"), 2], dtype=pl.Float32),
            "money": [Decimal("1.25")] * 5,
            "on": [True, False, None, True, True],
            "since": [dt.timedelta(seconds=90)] * 5,
            "clock": [dt.time(1, 1)] * 5,
            "kind": pl.Series(["a", "b", None, "a", "b"], dtype=pl.Categorical),
            "text": ["x", "", "NA", " y ", "x"],
            "digits": ["1", "2.5", "-", "1e3", "4"],
            "when": ["2024-01-01", "2024-01-02", None, "2024-01-03", "2024-01-03"],
            "none": pl.Series([None] * 5),
            "list": [[1, 2]] * 5,
            "struct": [{"a": 1}] * 5,
        }
    )


def _as_expected(found: Table) -> None:
    assert found.columns["time"].dtype == NS and str(found.columns["time"][1])[:13] == "2024-01-01T01"
    assert str(found.columns["zoned"][0])[:13] == "2023-12-31T16"
    assert np.isnat(found.columns["date"]).tolist() == [False] * 4 + [True]
    np.testing.assert_array_equal(found.columns["small"], [1, 2, np.nan, 4, 5])
    np.testing.assert_array_equal(found.columns["single"], [1.5, np.nan, np.nan, np.inf, 2])
    np.testing.assert_array_equal(found.columns["money"], [1.25] * 5)
    np.testing.assert_array_equal(found.columns["on"], [1, 0, np.nan, 1, 1])
    np.testing.assert_array_equal(found.columns["since"], [90] * 5)
    np.testing.assert_array_equal(found.columns["clock"], [3660] * 5)
    assert found.columns["kind"].tolist() == ["a", "b", None, "a", "b"]
    assert found.columns["text"].tolist() == ["x", None, None, "y", "x"]
    np.testing.assert_array_equal(found.columns["digits"], [1, 2.5, np.nan, 1000, 4])
    assert found.columns["when"].dtype == NS and np.isnat(found.columns["when"][2])
    assert np.isnan(found.columns["none"]).all()
    assert "list" not in found.columns and "struct" not in found.columns
    assert {"nested_columns", "time_zone"} <= {note.code for note in found.notes}


def test_polars_frames(mixed: pl.DataFrame, check_reader: Check) -> None:
    _as_expected(check_reader(lambda: read(mixed)))
    _as_expected(check_reader(lambda: read(mixed.lazy())))
    assert read(pl.Series("x", [1, 2])).columns["x"].tolist() == [1, 2]
    assert read(pl.Series([1, 2])).columns["value"].tolist() == [1, 2]


def test_parquet(tmp_path: Path, mixed: pl.DataFrame, check_reader: Check) -> None:
    path = tmp_path / "data.parquet"
    mixed.write_parquet(path)
    found = check_reader(lambda: read(path))
    _as_expected(found)
    assert found.source == "data.parquet" and found.block is None
    assert read(path, columns=("small", "time")).columns.keys() == {"time", "small"}


def test_parquet_larger_than_memory(tmp_path: Path, mixed: pl.DataFrame, check_reader: Check) -> None:
    path = tmp_path / "data.parquet"
    mixed.write_parquet(path)
    found = check_reader(lambda: read(path, memory=0, cache=tmp_path))
    _as_expected(found)
    assert found.block is not None and found.block.shape == (5, 4) and isinstance(found.block, np.memmap)
    assert found.columns["small"].dtype == np.float32 and found.columns["time"].dtype == NS
    assert list(tmp_path.iterdir()) == [path], "the temporary files have no name"


def test_the_memory_map_holds_every_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "_BATCH", 1)  # 1024 rows
    rows, random = 5000, np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "timestamp": np.arange(rows) * 1000 + 1_700_000_000_000,
            "x": random.standard_normal(rows),
            "engine": np.arange(rows) // 100,
            "name": [f"unit {row // 700}" for row in range(rows)],
        }
    )
    path = tmp_path / "data.parquet"
    frame.write_parquet(path, row_group_size=777)
    small, large = read(path), read(path, memory=0)
    assert large.columns["timestamp"].dtype == np.float64, "single precision would blur time stamps"
    np.testing.assert_array_equal(large.columns["timestamp"], small.columns["timestamp"])
    np.testing.assert_array_equal(large.columns["x"], small.columns["x"].astype(np.float32))
    np.testing.assert_array_equal(large.columns["engine"], small.columns["engine"])
    np.testing.assert_array_equal(large.columns["name"], small.columns["name"])
    assert [note.code for note in large.notes] == ["memory_map"]


def test_rounded_numbers_are_told(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2**24 + 1], "even": [2, 2**24 + 2], "far": [1.0, 1e300], "x": [0.1, 0.2]})
    notes = read(frame, memory=0).notes
    assert [(note.code, note.level) for note in notes[1:]] == [("precision", "warning")] * 2
    assert "'id'" in notes[1].en and "16777217.0" in notes[1].en and "'far'" in notes[2].en


def test_texts_beyond_memory_and_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": range(100), "name": [str(row) + "a" for row in range(100)]})
    monkeypatch.setattr(block, "_DISTINCT", 50)
    with pytest.raises(DataError, match="'name' has more than 50 different texts"):
        read(frame, memory=0)
    with pytest.raises(UnrolledError, match=r"nowhere: cannot be written \(No such file or directory\)"):
        read(frame, memory=0, cache=tmp_path / "nowhere")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(DataError, match="GiB are needed for temporary files"):
        read(frame, memory=0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_while_writing_the_memory_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir, buffering: open("/dev/full", "r+b", buffering=0))
    with pytest.raises(UnrolledError, match="the disk is full"):
        read(pl.DataFrame({"x": [1.0, 2.0]}), memory=0)


def test_bad_cells_in_typed_files(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": ["1", "2", "three", "4"]})
    with pytest.raises(DataError, match=r"the frame, row 2, column 'x': 'three' is not a number"):
        read(frame)
    assert read(frame, categorical=("x",)).columns["x"].tolist() == ["1", "2", "three", "4"]
    with pytest.raises(DataError, match="no row"):
        read(frame.clear())
    with pytest.raises(DataError, match="no row"):
        read(pl.DataFrame({"a": [[1]]}))
    with pytest.raises(DataError, match="the year 3000"):
        read(pl.DataFrame({"d": [dt.date(3000, 1, 1)]}))


def test_damaged_parquet(tmp_path: Path, mixed: pl.DataFrame) -> None:
    path = tmp_path / "data.parquet"
    mixed.write_parquet(path)
    whole = path.read_bytes()
    for data, message in [
        (whole[:-20], "it ends too early"),
        (b"x" + whole[1:], "does not begin as Parquet"),
        (b"", "does not begin"),
        (whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:], "the Parquet file cannot be read"),
        (whole[:4] + bytes(len(whole) - 8) + whole[-4:], "the Parquet file cannot be read"),
    ]:
        path.write_bytes(data)
        with pytest.raises(DataError, match=message):
            read(path)


def test_pandas_frames(check_reader: Check) -> None:
    index = pd.date_range("2024-01-01", periods=3, freq="D", tz="Asia/Shanghai")
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan, 3],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "on": [True, False, True],
            "text": ["a", None, "b"],
            "mixed": [1, "2", None],
            "kind": pd.Categorical(["u", "v", "u"]),
            "since": pd.to_timedelta(["1min", None, "3min"]),
            "day": [dt.date(2024, 1, 1)] * 3,
            7: [1, 2, 3],
        },
        index=index,
    )
    found = check_reader(lambda: read(frame))
    assert found.hints.time == "time" and str(found.columns["time"][0])[:13] == "2023-12-31T16"
    np.testing.assert_array_equal(found.columns["x"], [1.5, np.nan, 3])
    np.testing.assert_array_equal(found.columns["n"], [1, np.nan, 3])
    np.testing.assert_array_equal(found.columns["on"], [1, 0, 1])
    np.testing.assert_array_equal(found.columns["mixed"], [1, 2, np.nan])
    np.testing.assert_array_equal(found.columns["since"], [60, np.nan, 180])
    assert found.columns["text"].tolist() == ["a", None, "b"] and found.columns["kind"].tolist() == ["u", "v", "u"]
    assert found.columns["day"].dtype == NS and found.columns["7"].tolist() == [1, 2, 3]


def test_pandas_index_and_series() -> None:
    named = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="ticker"))
    assert read(named).columns["ticker"].tolist() == ["a", "b"] and read(named).hints.time is None
    assert read(pd.DataFrame({"x": [1, 2]}, index=[5, 3])).columns.keys() == {"x"}
    levels = pd.MultiIndex.from_product([["a", "b"], pd.period_range("2024-01", periods=2, freq="M")], names=["g", "t"])
    found = read(pd.DataFrame({"x": range(4)}, index=levels))
    assert found.columns.keys() == {"g", "t", "x"} and found.hints.time == "t"
    assert read(pd.Series([1, 2])).columns["value"].tolist() == [1, 2]
    assert read(pd.Series([1, 2], name="y")).columns["y"].tolist() == [1, 2]
    with pytest.raises(DataError, match="same name"):
        read(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match="empty"):
        read(pd.DataFrame({"a": []}))
    with pytest.raises(DataError, match="no column 'z'"):
        read(pd.DataFrame({"a": [1]}), columns=("z",))


_COLUMN: dict[str, st.SearchStrategy[Any]] = {
    "f": st.floats() | st.none(),
    "i": st.integers(-(2**40), 2**40) | st.none(),
    "s": st.sampled_from(["", "a", "b", "NA", " c"]) | st.none(),
    "t": st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)) | st.none(),
    "b": st.booleans() | st.none(),
}


@given(st.lists(st.fixed_dictionaries(_COLUMN), min_size=1, max_size=12))
@settings(deadline=None)
def test_polars_and_pandas_agree(rows: list[dict[str, Any]]) -> None:
    types: dict[str, Any] = {"f": pl.Float64, "i": pl.Int64, "s": pl.String, "t": pl.Datetime("us"), "b": pl.Boolean}
    frame = pl.DataFrame(rows, schema=types)
    one, other = read(frame), read(frame.to_pandas())
    assert one.columns.keys() == other.columns.keys()
    for name, column in one.columns.items():
        assert column.dtype == other.columns[name].dtype
        np.testing.assert_array_equal(column, other.columns[name])


def test_reading_needs_little_memory(tmp_path: Path) -> None:
    """40 MB of numbers, read by a process of its own that may grow by 25 MB a batch, not by the size of the file."""
    path = tmp_path / "data.parquet"
    random = np.random.default_rng(0)
    pl.DataFrame({f"x{at}": random.standard_normal(500_000) for at in range(10)}).write_parquet(
        path, row_group_size=50_000
    )
    script = (
        "import sys, resource, polars\n"
        "from unrolled.prepare.read import read\n"
        "from unrolled.prepare.readers import block\n"
        "block._BATCH = 1 << 20\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "polars.scan_parquet(sys.argv[1]).slice(0, 10000).collect(engine='streaming')\n"
        "before = peak()\n"
        "table = read(sys.argv[1], memory=1 << 20)\n"
        "assert table.block.shape == (500000, 10)\n"
        "print(peak() - before)\n"
    )
    paths = os.pathsep.join(filter(None, [str(Path("src").resolve()), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "POLARS_MAX_THREADS": "1"}
    grown = subprocess.run(
        [sys.executable, "-c", script, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    assert int(grown.stdout) < 25
