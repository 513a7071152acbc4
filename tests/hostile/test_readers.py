"""Bad input of every kind ends in a clear sentence: what, where, and the mend."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.read import read

PRICES = "Date,Close,Volume\n" + "".join(f"2024-01-{day:02},{100 + day}.5,{day}000\n" for day in range(1, 21))


def _text(text: str | bytes, name: str = "prices.csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def _edited(old: str, new: str) -> Callable[[Path], Path]:
    assert old in PRICES
    return _text(PRICES.replace(old, new, 1))


def _parquet(folder: Path) -> Path:
    path = folder / "prices.parquet"
    pl.DataFrame({"a": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    return path


# One damaged byte in a page makes a run of 2**61 missing values: polars' allocation fails, which ends the process.
_ABORTS = Path(__file__).parents[1] / "fixtures" / "aborts_polars.parquet"

CASES: list[tuple[str, Callable[[Path], Path], str, str]] = [
    ("missing file", lambda folder: folder / "prices.csv", "there is no such file", "check the name"),
    ("folder", lambda folder: folder, "holds no ECG records", "name of a file"),
    ("empty file", _text(""), "the file is empty", ""),
    ("only quotation marks", _text('""\n'), "a header but no rows", ""),
    ("a device", lambda folder: Path("/dev/zero"), "not a file but a device", "copy it"),
    ("blank file", _text("\n \n\n"), "the file is empty", ""),
    ("only a byte order mark", _text(b"\xef\xbb\xbf"), "the file is empty", ""),
    ("header only", _text("Date,Close\n"), "a header but no rows", ""),
    ("wrong delimiter", _text(PRICES.replace(",", "^")), "only one column was found", "option delimiter"),
    ("a time among prices", _edited("110.5", "09:30"), "'09:30' is not a number", "correct the cell"),
    ("a word among prices", _edited("110.5", "suspended"), "'suspended' is not a number", "option categorical"),
    ("a date that does not exist", _edited("2024-01-11", "2024-02-30"), "'2024-02-30' is not a time stamp", "correct"),
    (
        "a row too short",
        _edited("2024-01-11,111.5,11000", "2024-01-11,111.5"),
        "this row has 2 cells",
        "correct the row",
    ),
    ("a row too long", _edited("110.5,10000", "110.5,10,000"), "this row has 4 cells", "quotation marks"),
    ("an open quotation mark", _edited("110.5", '"110.5'), "the quotation marks do not match", '"..."'),
    ("a name twice", _text("a,b,a\n1,2,3\n"), "several columns are called 'a'", "a name of its own"),
    ("binary", _text(bytes(range(256)) * 4), "not text in UTF-8", "option encoding"),
    ("an image", _text(b"\x89PNG\r\n\x1a\n" + bytes(99), "prices.png"), "not text in UTF-8", "option encoding"),
    (
        "a truncated archive",
        _text(b"PK\x03\x04" + b"X.npy" + bytes(40), "x.npz"),
        "the archive cannot be read",
        "save it",
    ),
    ("a truncated Parquet file", _parquet, "it ends too early", "write the file again"),
    ("a Parquet file that ends polars", lambda _: _ABORTS, "a page of it is damaged", "copy or write the file again"),
    ("a broken .ts header", _text("@problemName x\nclassLabel true\n", "x.ts"), "the header is broken", "@data"),
    ("a workbook", _text(b"PK\x03\x04", "prices.xlsx"), "Excel workbooks are not read", "CSV"),
    ("a broken JSON line", _text('{"a": 1}\n{"a": 2\n', "x.jsonl"), "not JSON", "one object a line"),
    ("a header that lies", _text("r 1 100 99999999999\nr.dat 16\n", "r.hea"), "more than the limit", "limit"),
    ("a header of nonsense", _text("\x01\x02\n", "r.hea"), "the record cannot be read", "again"),
]


@pytest.mark.parametrize(("source", "what", "mend"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_input(tmp_path: Path, source: Callable[[Path], Path], what: str, mend: str) -> None:
    with pytest.raises(DataError) as caught:
        read(source(tmp_path))
    error = caught.value
    assert what in error.what and mend in error.mend and error.where
    assert len(str(error)) < 500 and error.what == error.what.strip() and "\n" not in error.what


def test_what_polars_says_of_a_damaged_file_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError):
        read(_ABORTS)
    assert capfd.readouterr() == ("", "")


def test_only_the_pages_of_the_chosen_columns_are_tried(tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    pl.DataFrame({"a": range(1000), "b": [str(number) for number in range(1000)]}).write_parquet(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"999") - 20  # in the texts of b
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    assert read(path, columns=["a"]).rows == 1000
    with pytest.raises(DataError, match="the Parquet file cannot be read"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [("110.5", "x", 11), ("101.5", "x", 2), ("120.5", "x", 21), ("2024-01-05", "soon", 6)],
)
def test_the_row_is_the_one_an_editor_shows(tmp_path: Path, old: str, new: str, row: int) -> None:
    with pytest.raises(DataError, match=rf"^prices\.csv, row {row}, column '(Close|Date)': '{new}' is not"):
        read(_edited(old, new)(tmp_path))


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        (PRICES.replace("110.5", "inf"), "Close", 9),
        (PRICES.replace("110.5", ""), "Close", 9),
        (PRICES, "Date", 0),
    ],
)
def test_what_is_left_for_others_to_judge(tmp_path: Path, text: str, column: str, expected: int) -> None:
    """Infinite and missing values are read as such: what to do with them is the policy's business."""
    found: Any = read(_text(text)(tmp_path)).columns[column]
    odd = ~pl.Series(found).is_finite().fill_null(False).to_numpy() if found.dtype.kind == "f" else found != found
    assert odd.nonzero()[0].tolist() == ([expected] if text != PRICES else [])


def test_damaged_files_of_every_format() -> None:
    fuzz = runpy.run_path(str(Path(__file__).with_name("fuzz_readers.py")))["fuzz"]
    assert fuzz(seed=20241121, count=300) < 10


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(10))
def test_many_damaged_files_of_every_format(part: int) -> None:
    fuzz = runpy.run_path(str(Path(__file__).with_name("fuzz_readers.py")))["fuzz"]
    assert fuzz(seed=part, count=10_000) < 30
