"""The turbofan files, real ones and small ones in their layout."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.read import read
from unrolled.prepare.readers.cmapss import NAMES
from unrolled.prepare.table import Table

if TYPE_CHECKING:
    from tests.prepare.readers.conftest import Check


def rows(*engines: int) -> str:
    """Lines of engines 1, 2, ... that run so many cycles."""
    return "".join(
        f"{engine} {cycle} " + " ".join(f"{cycle + at / 8}" for at in range(24)) + "  \n"
        for engine, cycles in enumerate(engines, start=1)
        for cycle in range(1, cycles + 1)
    )


def table(folder: Path, text: str, name: str = "train_FD001.txt") -> Table:
    (folder / name).write_text(text)
    return read(folder / name)


def test_training_engines_run_until_they_fail(tmp_path: Path, check_reader: Check) -> None:
    found = check_reader(lambda: table(tmp_path, rows(3, 2)))
    assert tuple(found.columns) == (*NAMES, "rul") and NAMES[4:6] == ("setting_3", "sensor_1")
    assert found.columns["rul"].tolist() == [2, 1, 0, 1, 0]
    assert found.columns["engine"].tolist() == [1, 1, 1, 2, 2] and found.columns["cycle"].tolist() == [1, 2, 3, 1, 2]
    assert found.columns["sensor_21"].tolist() == [cycle + 23 / 8 for cycle in (1, 2, 3, 1, 2)]
    assert (found.hints.target, found.hints.time, found.hints.group) == (("rul",), "cycle", "engine")


def test_any_name_will_do(tmp_path: Path) -> None:
    assert table(tmp_path, rows(2), "engines.txt").columns["rul"].tolist() == [1, 0]
    assert "rul" not in table(tmp_path, "1 2\n3 4\n", "other.txt").columns


def test_test_engines_stop_earlier(tmp_path: Path, check_reader: Check) -> None:
    alone = table(tmp_path, rows(3, 2), "test_FD002.txt")
    assert "rul" not in alone.columns and not alone.hints.target
    assert alone.notes[-1].code == "no_rul_file" and "RUL_FD002.txt" in alone.notes[-1].en
    (tmp_path / "RUL_FD002.txt.gz").write_bytes(gzip.compress(b"112 \n98 \n"))
    found = check_reader(lambda: table(tmp_path, rows(3, 2), "test_FD002.txt"))
    assert found.columns["rul"].tolist() == [114, 113, 112, 99, 98]
    (tmp_path / "RUL_FD002.txt").write_text("112\n")
    with pytest.raises(DataError, match=r"RUL_FD002\.txt: 1 lives for 2 engines"):
        read(tmp_path / "test_FD002.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (rows(2) + "1 3 4\n", "line 3: this line has 3 numbers, not 26"),
        (rows(2).replace(" 4.25 ", " two "), "line 2: value 21 is not a number: 'two'"),
        (rows(2).replace(" 4.875 ", " nan "), "line 2: a value is missing or infinite"),
        (rows(3).replace("1 2 ", "1 7 ", 1), "row 2: cycle 7 of engine 1 follows cycle 1"),
        (rows(2, 1) + rows(1), "the rows of an engine do not stand together"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "count", "shortest", "longest", "most"),
    [
        ("train_FD001.txt", 20631, 128, 362, 361),
        ("test_FD001.txt", 13096, 31, 303, None),
        ("train_FD003.txt.gz", 24720, 145, 525, 524),
        ("test_FD003.txt.gz", 16596, 38, 475, None),
    ],
)
def test_real_files(
    shared_data: Path, check_reader: Check, name: str, count: int, shortest: int, longest: int, most: int | None
) -> None:
    found = check_reader(lambda: read(shared_data / "cmapss" / name))
    engines, lengths = np.unique(found.columns["engine"], return_counts=True)
    assert found.rows == count and len(engines) == 100
    assert (lengths.min(), lengths.max()) == (shortest, longest)
    last = found.columns["rul"][np.flatnonzero(np.diff(found.columns["engine"], append=0))]
    if most is not None:
        assert not last.any() and found.columns["rul"].max() == most
    else:
        lives = (shared_data / "cmapss" / f"RUL_{name[5:10]}.txt").read_text().split()
        assert last.tolist() == [float(life) for life in lives]
