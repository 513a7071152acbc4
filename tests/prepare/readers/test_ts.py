"""The formats of the UEA and UCR archives."""

from __future__ import annotations

import gzip
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

HEADER = "# a comment\n@problemName x\n@timeStamps false\n@univariate false\n@classLabel true a b\n@data\n"


def ts(folder: Path, text: str) -> Table:
    path = folder / "x_TRAIN.ts"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_channels_lengths_and_missing_values(tmp_path: Path, check_reader: Check) -> None:
    found = check_reader(lambda: ts(tmp_path, HEADER + "1,2,3:4,?,6:a\n\n7:8:b\n1,2:3,4:?\n"))
    assert found.starts is not None and found.starts.tolist() == [0, 3, 4, 6]
    np.testing.assert_array_equal(found.columns["dim_0"], [1, 2, 3, 7, 1, 2])
    np.testing.assert_array_equal(found.columns["dim_1"], [4, np.nan, 6, 8, 3, 4])
    assert found.case_columns["label"].tolist() == ["a", "b", None]
    assert (found.hints.target, found.hints.task) == (("label",), "classify")


def test_tags_in_any_capitals_and_labels_written_differently(tmp_path: Path) -> None:
    header = "@PROBLEMNAME x\n@TimeStamps\tFALSE\n@classlabel TRUE 1 2\n@DATA\n"
    assert ts(tmp_path, header + "1,2:1.0\n1,2:2\n").case_columns["label"].tolist() == ["1.0", "2"]


def test_no_label_and_a_number_to_predict(tmp_path: Path) -> None:
    plain = ts(tmp_path, "@timeStamps false\n@classLabel false\n@data\n1,2\n3\n")
    assert plain.columns["value"].tolist() == [1, 2, 3] and not plain.case_columns and not plain.hints.target
    numeric = ts(tmp_path, "@targetLabel true\n@data\n1,2:0.5\n3:7\n")
    assert numeric.case_columns["target"].tolist() == [0.5, 7] and numeric.hints.task == "regress"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3:a\n", "line 1: the header is broken: this line begins neither"),
        ("# only comments\n", "the line @data is missing"),
        ("", "the line @data is missing"),
        ("@problemName x\n@clasLabel true a\n@data\n1:a\n", "line 2: the header is broken: there is no tag @clasLabel"),
        ("@classLabel yes a b\n@data\n1:a\n", "line 1: the header is broken: @classlabel is neither true nor false"),
        ("@timeStamps true\n@data\n(0,1):a\n", "line 1: sequences with time stamps are not read"),
        (HEADER, "no sequence after @data"),
        (HEADER + "1,2,3\n", "line 7: the label after the last colon is missing"),
        (HEADER + "1,2:3,4:c\n", "line 7: the label 'c' is not in the header: a b"),
        (HEADER + "1,2:3,x:a\n", "line 7, channel 1: value 2 is not a number: 'x'"),
        (HEADER + "1,2:3:a\n", r"line 7: channels differ in length: \[2, 1\]"),
        (HEADER + "1:2:a\n1:b\n", "line 8: this sequence has 1 channels, the first has 2"),
        ("@targetLabel true\n@data\n1,2:high\n", "'high'"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ts(tmp_path, text)


_CASE = st.integers(1, 4).flatmap(
    lambda steps: st.lists(st.lists(st.floats(), min_size=steps, max_size=steps), min_size=2, max_size=2)
)


@given(st.lists(_CASE, min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_written_sequences_come_back(tmp_path: Path, cases: list[list[list[float]]]) -> None:
    lines = (":".join(",".join(map(repr, channel)) for channel in case) + ":a\n" for case in cases)
    found = ts(tmp_path, HEADER + "".join(lines))
    for channel in range(2):
        np.testing.assert_array_equal(
            found.columns[f"dim_{channel}"], np.concatenate([case[channel] for case in cases])
        )


def ucr(folder: Path, text: str, name: str = "x_TRAIN.tsv") -> Table:
    (folder / name).write_text(text, encoding="utf-8")
    return read(folder / name)


def test_ucr(tmp_path: Path, check_reader: Check) -> None:
    found = check_reader(lambda: ucr(tmp_path, "1\t0.5\t-1\t2\n-1\t3\tNaN\t4\n2\t5\tNaN\tNaN\n"))
    assert found.starts is not None and found.starts.tolist() == [0, 3, 6, 7]
    np.testing.assert_array_equal(found.columns["value"], [0.5, -1, 2, 3, np.nan, 4, 5])
    assert found.case_columns["label"].tolist() == ["1", "-1", "2"]
    assert [note.code for note in found.notes] == ["encoding", "ucr_layout", "padding"]
    assert "1 series" in found.notes[-1].en


def test_a_table_between_tabs_is_no_ucr_file(tmp_path: Path) -> None:
    assert ucr(tmp_path, "a\tb\tc\n1\t2\t3\n").columns.keys() == {"a", "b", "c"}
    assert ucr(tmp_path, "1.5\t2\t3\n").columns.keys() == {"col_0", "col_1", "col_2"}
    path = tmp_path / "x_TRAIN.tsv"
    path.write_text("1\t2\t3\n")
    assert read(path, format="csv").columns.keys() == {"col_0", "col_1", "col_2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t2\t3\n1\t2\tx\n", "line 2: value 2 is not a number: 'x'"),
        ("1\t2\t3\n1\tNaN\n", "line 2: there is no value after the label"),
        ("1\t2\t3\n2\n", "line 2: there is no value after the label"),
    ],
)
def test_ucr_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ucr(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "cases", "channels", "lengths"),
    [
        ("GunPoint/GunPoint_TRAIN.ts", 50, 1, {150}),
        ("JapaneseVowels/JapaneseVowels_TEST.ts", 370, 12, set(range(7, 30))),
        ("BasicMotions/BasicMotions_TRAIN.ts", 40, 6, {100}),
        ("NATOPS/NATOPS_TEST.ts", 180, 24, {51}),
        ("ECG5000/ECG5000_TEST.tsv.gz", 4500, 1, {140}),
    ],
)
def test_real_sets(
    shared_data: Path, check_reader: Check, name: str, cases: int, channels: int, lengths: set[int]
) -> None:
    found = check_reader(lambda: read(shared_data / "ucr_uea" / name))
    assert found.starts is not None and len(found.starts) == cases + 1 and len(found.columns) == channels
    assert set(np.diff(found.starts).tolist()) <= lengths
    assert not any(np.isnan(column).any() for column in found.columns.values())
    last = found.case_columns["label"][-1]
    if name.endswith(".gz"):
        counts = np.unique(found.case_columns["label"], return_counts=True)
        assert dict(zip(*map(list, counts), strict=True)) == {"1": 2627, "2": 1590, "3": 86, "4": 175, "5": 22}
        text = gzip.decompress((shared_data / "ucr_uea" / name).read_bytes()).decode().splitlines()[-1].split("\t")
        assert last == text[0] and found.columns["value"][-1] == float(text[-1])
    else:
        text = (shared_data / "ucr_uea" / name).read_text("latin-1").strip().splitlines()[-1].split(":")
        assert last == text[-1]
        assert [column[-1] for column in found.columns.values()] == [float(one.split(",")[-1]) for one in text[:-1]]
