"""What stands in a run's folder, and reports of finished runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workflow.small import job

from unrolled.core.errors import BundleError, ConfigError, UnrolledError
from unrolled.core.records import Note
from unrolled.workflow.config import Config
from unrolled.workflow.predict import open_bundle
from unrolled.workflow.report import read_runs, write_comparison, write_report
from unrolled.workflow.run_folder import RunFolder


def test_new_folders_are_named_after_the_task_and_never_shared(tmp_path: Path) -> None:
    found = {RunFolder.create(None, task="forecast", parent=tmp_path).path for _ in range(3)}
    assert len(found) == 3 and all(path.name.startswith("forecast-") and path.parent == tmp_path for path in found)


def test_what_a_resumed_run_needs_comes_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", task="forecast", parent=tmp_path)
    config, notes = Config.parse({"seed": 3}), (Note(code="a_b", en="One.", zh="一。"),)
    folder.begin(config, notes)
    assert folder.read_config() == config and folder.read_assumptions() == notes
    folder.assumptions.write_text("[{")
    with pytest.raises(ConfigError, match=r"assumptions\.json"):
        folder.read_assumptions()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnrolledError, match=r"a part of this path is a file[\s\S]*another folder"):
        RunFolder.create(tmp_path / "file" / "run", task="forecast", parent=tmp_path)


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run here"):
        RunFolder.find(tmp_path)
    folder = RunFolder.create(tmp_path / "run", task="forecast", parent=tmp_path)
    folder.begin(Config(), ())
    with pytest.raises(ConfigError, match=r"has not ended\n.*--resume"):
        folder.read_run()
    with pytest.raises(BundleError, match=r"no bundle in this folder[\s\S]*--resume"):
        open_bundle(folder.path)
    for damage in ("", "{}", "[]", "\x00"):
        folder.run.write_text(damage)
        with pytest.raises(ConfigError, match=r"run\.json: is damaged"):
            folder.read_run()


def test_reports_are_written_again_in_the_other_language(tmp_path: Path) -> None:
    run = job("forecast", tmp_path, out="run").run
    home = RunFolder(tmp_path / "run")
    assert run.evaluation.verdict.en in home.report.read_text(encoding="utf-8")
    assert write_report(home.path, language="zh") == home.report
    assert run.evaluation.verdict.zh in home.report.read_text(encoding="utf-8")
    assert write_report(home.path, out=tmp_path / "en.html") == tmp_path / "en.html"
    assert run.evaluation.verdict.en in (tmp_path / "en.html").read_text(encoding="utf-8")


def test_runs_are_compared_side_by_side(tmp_path: Path) -> None:
    first = job("forecast", tmp_path, out="first")
    second = job("forecast", tmp_path, out="second", train={"epochs": 1})
    folders = [tmp_path / "first", tmp_path / "second"]
    assert read_runs(folders) == [first.run, second.run]
    text = write_comparison(folders, tmp_path / "both.html", "en").read_text(encoding="utf-8")
    assert "first" in text and "second" in text and "train.epochs" in text
    with pytest.raises(ConfigError, match="two or more runs"):
        read_runs(folders[:1])
