"""CSV: any layout, by the standard library and by polars, with the same result."""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.prepare.read import read
from unrolled.prepare.readers import csv as reader
from unrolled.prepare.table import Table

if TYPE_CHECKING:
    from tests.prepare.readers.conftest import Check

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def table(folder: Path, text: str | bytes, name: str = "data.csv", **options: Any) -> Table:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


def values(found: Table) -> dict[str, list[Any]]:
    return {
        name: [None if cell is None or cell != cell else cell for cell in column.tolist()]
        for name, column in found.columns.items()
    }


def codes(found: Table) -> list[str]:
    return [note.code for note in found.notes]


@contextmanager
def by_polars() -> Iterator[list[bool]]:
    """Every regular file goes to polars; tells whether the last one did."""
    took: list[bool] = []
    real = reader._by_polars

    def noted(*given: Any) -> Any:
        split = real(*given)
        took.append(split is not None)
        return split

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_LARGE", 0)
        patch.setattr(reader, "_by_polars", noted)
        yield took


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("a;b\n1,5;2\n3;4,25\n", {"a": [1.5, 3], "b": [2, 4.25]}),
        ("a\tb\n1\t2\n", {"a": [1], "b": [2]}),
        ("a|b\n1|2\n", {"a": [1], "b": [2]}),
        ("a  b\n1   2\n 3 4  \n", {"a": [1, 3], "b": [2, 4]}),
        ("value\n1\n2\n", {"value": [1, 2]}),
        ("value\n1,5\n2,25\n", {"value": [1.5, 2.25]}),
        ('a,b\n"1,234.5",2\n"2,000.25",3\n', {"a": [1234.5, 2000.25], "b": [2, 3]}),
        ('a,b\n"x, y",1\n"say ""hi""",2\n', {"a": ["x, y", 'say "hi"'], "b": [1, 2]}),
        ('a,b\n"two\nlines",1\n', {"a": ["two\nlines"], "b": [1]}),
        ("a,b\r\n1,2\r\n3,4", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
        ("\n\na,b\n\n1,2\n   \n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\n1,\n,4\n", {"a": [1, None], "b": [None, 4]}),
        ("1,2\n3,4\n", {"col_0": [1, 3], "col_1": [2, 4]}),
        ("AAPL,1.5\nMSFT,2.5\n", {"col_0": ["AAPL", "MSFT"], "col_1": [1.5, 2.5]}),
        (",0,1\n0,0.5,0.25\n1,1.5,2\n", {"col_0": [0, 1], "0": [0.5, 1.5], "1": [0.25, 2]}),
        ("day,2023\nx,1\ny,2\n", {"col_0": ["day", "x", "y"], "col_1": [2023, 1, 2]}),
        ("Country,2019,2020\nChina,1,2\n", {"Country": ["China"], "2019": [1], "2020": [2]}),
        ("AAPL,7,8\nMSFT,2,3\n", {"col_0": ["AAPL", "MSFT"], "col_1": [7, 2], "col_2": [8, 3]}),
        ("name,city\nAnn,Rome\n", {"name": ["Ann"], "city": ["Rome"]}),
        ("日期,值\n2024-01-02,1\n", {"日期": [1704153600 * 10**9], "值": [1]}),
    ],
)
def test_layouts(tmp_path: Path, check_reader: Check, text: str, expected: dict[str, list[Any]]) -> None:
    found = check_reader(lambda: table(tmp_path, text))
    assert values(found) == expected


def test_what_the_user_says_goes_first(tmp_path: Path) -> None:
    assert values(table(tmp_path, "day,2023\nx,1\n", header=True)) == {"day": ["x"], "2023": [1]}
    assert values(table(tmp_path, "a,b\nc,d\n", header=False)) == {"col_0": ["a", "c"], "col_1": ["b", "d"]}
    assert values(table(tmp_path, "a:b\n1:2\n", delimiter=":")) == {"a": [1], "b": [2]}
    assert values(table(tmp_path, "a;b\n1,234;x\n", decimal=".")) == {"a": [1234], "b": ["x"]}
    assert values(table(tmp_path, "a\tb\n1,234\tx\n", decimal=",")) == {"a": [1.234], "b": ["x"]}
    assert values(table(tmp_path, "a,b\n1,2\n", categorical=("b",))) == {"a": [1], "b": ["2"]}
    march = table(tmp_path, "d,x\n03/04/2024,1\n", day_first=True).columns["d"]
    assert str(march[0])[:10] == "2024-04-03"


def test_only_chosen_columns_are_read(tmp_path: Path) -> None:
    text = "a,b,c\n1,2,3\n1,oops,4\n2,3,4\n"
    assert values(table(tmp_path, text, columns=("c", "a"))) == {"a": [1, 1, 2], "c": [3, 4, 4]}
    with pytest.raises(DataError, match=r"no column 'volum'\n  Did you mean 'volume'"):
        table(tmp_path, "volume,b\n1,2\n", columns=("volum",))


def test_assumptions_are_told(tmp_path: Path) -> None:
    assert codes(table(tmp_path, "a,b\n1,2\n")) == ["encoding"]
    assert codes(table(tmp_path, "a;b\n1;2\n")) == ["encoding", "delimiter"]
    assert codes(table(tmp_path, "1,2\n3,4\n")) == ["encoding", "no_header"]
    assert codes(table(tmp_path, ",b\n1,2\n")) == ["encoding", "unnamed_columns"]
    assert codes(table(tmp_path, "a;b\n1,5;2\n")) == ["encoding", "delimiter", "number_style"]
    assert codes(table(tmp_path, "a;b\n1,555;2\n")) == ["encoding", "delimiter", "number_ambiguous"]
    assert codes(table(tmp_path, 'a,b\n"1,555",2\n')) == ["encoding", "number_ambiguous"]


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    assert table(tmp_path, "a,b\n1,2\n").first_row == 2
    assert table(tmp_path, "\n\na,b\n1,2\n").first_row == 4
    assert table(tmp_path, "1,2\n3,4\n").first_row == 1
    with pytest.raises(DataError, match=r"data\.csv, row 4, column 'a': 'x' is not a number"):
        table(tmp_path, "a,b\n1,2\n2,2\nx,2\n")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path: Path, codec: str) -> None:
    text = "日期,收盘价,方向\n2024-01-02,12.5,上涨\n2024-01-03,12.1,下跌\n"
    found = table(tmp_path, text.encode(codec))
    assert found.columns.keys() == {"日期", "收盘价", "方向"}
    assert found.columns["方向"].tolist() == ["上涨", "下跌"]


def test_gzip(tmp_path: Path) -> None:
    text = b"a,b\n1,2\n3,4\n"
    plain = table(tmp_path, text)
    packed = table(tmp_path, gzip.compress(text[:6]) + gzip.compress(text[6:]), "data.csv.gz")
    assert values(plain) == values(packed)


def test_the_base_install_reads_without_polars(tmp_path: Path) -> None:
    with by_polars() as took, pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "polars", None)
        assert values(table(tmp_path, "a,b\n1,2\n")) == {"a": [1], "b": [2]}
    assert took == [False]


def test_polars_takes_regular_files_only(tmp_path: Path) -> None:
    irregular = ['a,b\n"1",2\n', "a,b\n\n1,2\n", "a b\n1 2\n", "a,b\n1,2,\n", "a,b\r1,2\r", "\na,b\n1,2\n"]
    with by_polars() as took:
        for text in ["a,b\n1,2\n", "a,b\r\n1,2", "a;b\nx;y\n", "1\t2\n3\t4\n", *irregular]:
            table(tmp_path, text)
    assert took == [True] * 4 + [False] * len(irregular)


_CELL = st.sampled_from(
    [
        *(
            "",
            " ",
            "NA",
            "-",
            "?",
            "nan",
            "1",
            "-2.5",
            " 3 ",
            "1e5",
            "1E400",
            ".5",
            "5.",
            "+7",
            "inf",
            "-Infinity",
            "-nan",
        ),
        *("1_0", "１", "1d5", "0x1", "true", "FALSE", "2024-01-02", "2024-01-02 03:04:05", "03/04/2024", "abc", " é "),
        *("上", "1'000", "1 000", "09:30", "\u00a0", "\u2028", "\x0b", "1.2.3", "--1", "e5", ".", "+", "9" * 21),
    ]
)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(_CELL, min_size=width, max_size=width), min_size=1)))
@settings(SAME_FOLDER, max_examples=300)
def test_both_ways_agree(tmp_path: Path, rows: list[list[str]]) -> None:
    text = "\n".join(";".join(row) for row in [[f"c{at}" for at in range(len(rows[0]))], *rows])
    other = _outcome(tmp_path, text)
    with by_polars():
        assert _outcome(tmp_path, text) == other


def _outcome(folder: Path, text: str) -> object:
    try:
        found = table(folder, text, header=True, delimiter=";")
    except DataError as error:
        return str(error)
    return repr(values(found)), [str(column.dtype) for column in found.columns.values()], found.notes


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6).map(lambda text: f"_{text}_")
_KINDS = [st.floats(allow_nan=False), st.integers(-(2**53), 2**53).map(float), _TEXT, st.none()]


@given(st.data(), st.sampled_from([",", ";", "\t", "|"]))
@SAME_FOLDER
def test_written_tables_come_back(tmp_path: Path, data: st.DataObject, delimiter: str) -> None:
    rows = data.draw(st.integers(1, 8))
    kinds = data.draw(st.lists(st.sampled_from(_KINDS), min_size=2, max_size=5))
    columns = {f"n{at}": data.draw(st.lists(kind, min_size=rows, max_size=rows)) for at, kind in enumerate(kinds)}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    found = table(tmp_path, out.getvalue(), delimiter=delimiter, header=True, decimal=".")
    expected = {
        name: [cell.strip() if isinstance(cell, str) else cell for cell in cells] for name, cells in columns.items()
    }
    assert values(found) == expected


def test_real_files(shared_data: Path, check_reader: Check) -> None:
    apple = check_reader(lambda: read(shared_data / "stock_aapl" / "AAPL_2014_2025.csv"))
    assert apple.rows == 2913 and str(apple.columns["Date"][-1])[:10] == "2025-08-01"
    assert apple.columns["Close"][-1] == pl.read_csv(shared_data / "stock_aapl" / "AAPL_2014_2025.csv")["Close"][-1]
    passengers = check_reader(lambda: read(shared_data / "airpassengers" / "airline-passengers.csv"))
    assert passengers.rows == 144 and passengers.columns["Month"].dtype == "datetime64[ns]"
    hourly = check_reader(lambda: read(shared_data / "m4_hourly" / "Hourly-train.csv"))
    assert hourly.rows == 414 and len(hourly.columns) == 961
    assert sum(int(np.isnan(hourly.columns[f"V{at}"]).sum()) for at in range(2, 962)) == 169 * 260


def test_both_ways_agree_on_real_data(shared_data: Path) -> None:
    path = shared_data / "ett" / "ETTm1.csv.gz"
    one = read(path)
    with by_polars() as took:
        other = read(path)
    assert took == [True] and one.notes == other.notes
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column, other.columns[name])
