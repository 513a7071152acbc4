"""Reports of finished runs: one run, or several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unrolled.core.errors import ConfigError
from unrolled.core.files import write_text
from unrolled.core.records import Language, Run
from unrolled.report import comparison, html
from unrolled.workflow.run_folder import RunFolder


def write_report(run: Path, *, out: Path | None = None, language: Language | None = None) -> Path:
    """Render a run's report again; returns the file.

    Raises:
        ConfigError: no such run, or it has not ended.
    """
    folder = RunFolder.find(run)
    record = folder.read_run()
    path = out or folder.report
    write_text(path, html.render(record, language or record.config.get("language", "en")))
    return path


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Records of the runs to compare.

    Raises:
        ConfigError: fewer than two, or one is not a finished run.
    """
    if len(folders) < 2:
        raise ConfigError("comparing takes two or more runs", where="RUNS", mend="name the folders of the runs")
    return [RunFolder.find(folder).read_run() for folder in folders]


def write_comparison(folders: Sequence[Path], out: Path, language: Language) -> Path:
    """Render the comparison as one HTML file; returns it."""
    write_text(out, comparison.render(read_runs(folders), language))
    return out
