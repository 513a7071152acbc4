"""``unrolled diagnose``: a look inside a trained net."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.language import Lang, language_of
from unrolled.cli.reading import Reading, options

EXAMPLE = "Example: unrolled diagnose runs/forecast-20260101-120000 --out diagnosis.html"


def diagnose(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or a bundle.")],
    data: Annotated[
        str | None, typer.Argument(metavar="[DATA]", help="Data with the truth in it; otherwise the run's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="HTML file to write too, with JSON and SVG files beside it.")] = None,
    lr_range: Annotated[
        bool, typer.Option("--lr-range", help="Try learning rates from 1e-6 to 10 too, on the training part of RUN.")
    ] = False,
    option: Reading = None,
    lang: Lang = "en",
) -> None:
    """Say how far back the loss of RUN reaches, what its gates and units do, which samples stand out, what to mend."""
    language = language_of(lang)

    from rich.console import Console

    from unrolled.report import terminal
    from unrolled.workflow.diagnose import diagnose as look
    from unrolled.workflow.diagnose import write_diagnosis

    found = look(source, data, rates=lr_range, **options(option))
    Console(highlight=False).print(terminal.diagnosis(found, language))
    if out is not None:
        typer.echo(str(write_diagnosis(found, out, language)))
