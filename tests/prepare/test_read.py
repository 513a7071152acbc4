"""One door to every source: formats by name and content, options, folders, lists."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.read import read
from unrolled.prepare.readers import READERS, SUFFIXES


def saved(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("name", ["data", "data.txt", "data.tsv", "data.dat", "data.unknown", "data.txt.gz"])
@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,2\n", {"a", "b"}),
        ("a b\n1 2\n", {"a", "b"}),
        ('{"a": 1, "b": 2}\n', {"a", "b"}),
        ("@classLabel true x\n@data\n1,2:x\n", {"value"}),
    ],
)
def test_content_tells_the_format(tmp_path: Path, name: str, text: str, columns: set[str]) -> None:
    data = text.encode()
    found = read(saved(tmp_path / name, gzip.compress(data) if name.endswith("gz") else data))
    assert found.columns.keys() == columns


def test_a_name_that_tells_its_format_is_believed(tmp_path: Path) -> None:
    assert read(saved(tmp_path / "data.CSV", "1\t2\t3\n")).columns.keys() == {"col_0", "col_1", "col_2"}
    with pytest.raises(DataError, match="the header is broken"):
        read(saved(tmp_path / "data.ts", "a,b\n1,2\n"))


def test_binary_content_tells_the_format(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "one")
    assert read(tmp_path / "one").columns["a"].tolist() == [1]
    with (tmp_path / "two").open("wb") as handle:
        np.savez(handle, a=[1])
    assert read(str(tmp_path / "two")).columns["a"].tolist() == [1]


def test_every_format_can_be_named(tmp_path: Path) -> None:
    assert set(SUFFIXES.values()) <= READERS.keys()
    path = saved(tmp_path / "data.csv", '{"a": 1}\n')
    assert read(path, format="jsonl").columns.keys() == {"a"}
    with pytest.raises(ConfigError, match=r"format: 'excel' does not fit: it should be 'csv', "):
        read(path, format="excel")


def test_options_are_checked(tmp_path: Path) -> None:
    path = saved(tmp_path / "data.csv", "a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"delimeter: there is no option 'delimeter'\n  Did you mean 'delimiter'"):
        read(path, delimeter=";")
    with pytest.raises(ConfigError, match="Known are: after, bands, beats, before, "):
        read(path, qqqqqqqq=1)
    for name, value in [("delimiter", ";;"), ("before", -1), ("points", 1), ("limit", 0), ("decimal", ";")]:
        with pytest.raises(ConfigError, match=f"^{name}: "):
            read(path, **{name: value})


def test_columns_of_formats_that_read_them_all(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.ts", "@classLabel true u\n@data\n1:2:3:u\n")
    found = read(path, columns=("dim_2",))
    assert found.columns.keys() == {"dim_2"} and found.case_columns["label"].tolist() == ["u"]
    assert read(path, columns=("dim_2", "label")).columns.keys() == {"dim_2"}
    with pytest.raises(DataError, match="no column 'dim_9'"):
        read(path, columns=("dim_9",))
    engines = saved(tmp_path / "train_FD001.txt", "1 1 " + "0 " * 24 + "\n")
    assert read(engines, columns=("sensor_2",)).columns.keys() == {"engine", "cycle", "rul", "sensor_2"}


def test_several_files_of_sequences(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        np.savez(tmp_path / f"{name}.npz", X=np.full((2, 3), value), y=[name, "z"])
    for source in (tmp_path, [tmp_path / "a.npz", str(tmp_path / "b.npz")]):
        found = read(source)
        assert found.starts is not None and found.starts.tolist() == [0, 3, 6, 9, 12]
        assert found.columns["value"].tolist() == [1] * 6 + [2] * 6
        assert found.case_columns["y"].tolist() == ["a", "z", "b", "z"]
        assert found.case_ids == ("a.npz:1", "a.npz:2", "b.npz:1", "b.npz:2")
    np.savez(tmp_path / "c.npz", X=np.zeros((2, 3, 2)))
    with pytest.raises(DataError, match=r"c\.npz: the columns are not those of a\.npz"):
        read(tmp_path)


def test_what_cannot_be_read_together(tmp_path: Path) -> None:
    paths = [saved(tmp_path / name, "a,b\n1,2\n") for name in ("a.csv", "b.csv")]
    with pytest.raises(DataError, match="only files that hold whole sequences"):
        read(paths)
    assert read(paths[:1]).columns.keys() == {"a", "b"}
    with pytest.raises(DataError, match="this folder holds no ECG records"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"), [("a.xlsx", "Excel workbooks are not read"), ("a.pkl", "pickles are not")]
)
def test_foreign_formats(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(saved(tmp_path / name, b"PK\x03\x04"))


@pytest.mark.parametrize(
    "name", ["nothing", "nothing.csv", "nothing.parquet", "nothing.npz", "nothing.hea", "nothing.ts"]
)
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read(tmp_path / name)


def test_a_list_of_numbers_is_one_series() -> None:
    source: list[Any] = [1, 2.5, 3]
    assert read(source).columns["value"].tolist() == [1, 2.5, 3]
