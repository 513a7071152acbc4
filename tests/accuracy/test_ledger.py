"""Results files that grow run by run: nothing is lost, nothing stands twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.accuracy import ledger
from benchmarks.accuracy.ledger import Ledger

RUN = r"(\w+) +seed (\d+)"


def _counted(lines: list[str]) -> list[str]:
    return [f"{len(lines)} runs"]


def _open(path: Path, heading: str = "settings") -> Ledger:
    return Ledger(path, heading, RUN, _counted, columns="net   seed")


def test_a_repeated_run_replaces_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "found.txt"
    book = _open(path)
    for line in ("lstm seed 0  0.5", "gru seed 1  0.2", "gru seed 0  0.3", "lstm seed 0  0.4"):
        book.add(line)
    assert book.lines == ["gru seed 0  0.3", "gru seed 1  0.2", "lstm seed 0  0.4"]
    head, _, columns, *rest = path.read_text().splitlines()
    assert (head, columns) == ("settings", "net   seed")
    assert rest[:5] == [*book.lines, "", "3 runs"]


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    first, second = _open(tmp_path / "found.txt"), _open(tmp_path / "found.txt")
    first.add("gru seed 0  0.3")
    second.add("lstm seed 0  0.4")
    first.add("gru seed 1  0.2")
    assert len(_open(tmp_path / "found.txt").lines) == 3


def test_runs_of_other_settings_are_not_kept(tmp_path: Path) -> None:
    _open(tmp_path / "found.txt", "short").add("gru seed 0  0.3")
    book = _open(tmp_path / "found.txt", "long")
    assert book.lines == []
    book.add("gru seed 1  0.2")
    assert book.lines == ["gru seed 1  0.2"]


def test_every_commit_of_the_runs_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, commit in enumerate(("aaa", "bbb", "aaa", "bbb")):
        monkeypatch.setattr(ledger, "surroundings", lambda commit=commit: f"2026-01-02, commit {commit}")
        _open(tmp_path / "found.txt").add(f"gru seed {seed}  0.3")
    ends = [line for line in (tmp_path / "found.txt").read_text().splitlines() if "commit" in line]
    assert sorted(ends) == ["2026-01-02, commit aaa", "2026-01-02, commit bbb"]
