"""The click files of the RecSys Challenge 2015."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.read import read
from unrolled.prepare.readers import clicks

LINES = (
    "1,2014-04-07T10:51:09.277Z,214536502,0",
    "1,2014-04-07T10:54:09.868Z,214536500,S",
    "2,2014-04-07T13:56:37.614Z,0214662742,12",
)


def written(folder: Path, *lines: str, name: str = "yoochoose-clicks.dat") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_click_file_is_known_by_its_lines(tmp_path: Path) -> None:
    table = read(written(tmp_path, *LINES))
    assert list(table.columns) == ["session", "time", "item", "category"]
    np.testing.assert_array_equal(table.columns["session"], [1, 1, 2])
    assert table.columns["item"].tolist() == ["214536502", "214536500", "0214662742"]  # names, not numbers
    assert table.columns["category"].tolist() == ["0", "S", "12"]
    assert table.columns["time"][1] == np.datetime64("2014-04-07T10:54:09.868")
    hints = table.hints
    assert (hints.task, hints.target, hints.group, hints.time) == ("recommend", ("item",), "session", "time")
    assert [note.code for note in table.notes] == ["encoding", "clicks_layout"]


@pytest.mark.parametrize(
    "line",
    ["session,time,item,category", "1,2014-04-07,214536502,0", "1,2,3,4", "1,2014-04-07T13:56:37Z,214536502", ""],
)
def test_other_tables_are_not_clicks(line: str) -> None:
    assert not clicks.claims(Path("some.txt"), f"{line}\n{LINES[1]}\n".encode())


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 4"):
        read(written(tmp_path, *LINES, "3,2014-04-07T13:56:37.614Z"))
    with pytest.raises(DataError, match=r"a line has 3 cells, a click has 4"):
        read(written(tmp_path, "1,2,3", "4,5,6"), format="clicks")


def test_chosen_columns_keep_what_a_session_needs(tmp_path: Path) -> None:
    assert set(read(written(tmp_path, *LINES), columns=["item"]).columns) == {"session", "time", "item"}
