"""Files that are whole or absent, and the reasons why one is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from unrolled.core.errors import UnrolledError
from unrolled.core.files import write_error, write_text


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "runs"
    taken.write_text("mine")
    with pytest.raises(OSError) as refusal:
        taken.mkdir()  # what the operating system itself says
    told = str(write_error(refusal.value, taken))
    assert "a file of this name is in the way of a folder" in told and str(taken) in told and "rename" in told.lower()
    with pytest.raises(UnrolledError, match="in the way of a folder"):
        write_text(taken / "report.html", "text")
    assert taken.read_text() == "mine" and list(tmp_path.iterdir()) == [taken]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
