"""``unrolled report``: the report of a run, again or in the other language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.language import language_of

EXAMPLE = "Example: unrolled report runs/forecast-20260101-120000 --lang zh --out report-zh.html"


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    out: Annotated[Path | None, typer.Option(help="File to write; otherwise report.html in the run's folder.")] = None,
    lang: Annotated[str | None, typer.Option(help="en or zh; otherwise as in the run's settings.")] = None,
) -> None:
    """Write the report of RUN as one HTML file."""
    from unrolled.workflow.report import write_report

    typer.echo(str(write_report(run, out=out, language=language_of(lang) if lang is not None else None)))
