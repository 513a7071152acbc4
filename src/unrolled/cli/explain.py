"""``unrolled explain``: why a model answered one row as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.language import Lang, language_of
from unrolled.cli.reading import Reading, options

EXAMPLE = "Example: unrolled explain runs/classify-20260101-120000 new.csv --row 17 --out why.html"


def explain(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle, or folder of a run.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="File with the row in it; its average row is compared.")],
    row: Annotated[
        int | None, typer.Option(min=1, help="Which answer, as predict --all lists them, from 1; otherwise the last.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Which of several targets; otherwise the first.")] = None,
    label: Annotated[
        str | None, typer.Option("--class", help="Class whose probability is explained; otherwise the predicted one.")
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Step of a forecast; otherwise the mean of all.")] = None,
    out: Annotated[Path | None, typer.Option(help="HTML file to write too, with JSON and SVG files beside it.")] = None,
    option: Reading = None,
    lang: Lang = "en",
) -> None:
    """Say what each input added to an answer of BUNDLE, what would change it, and which rows of DATA are like it."""
    language = language_of(lang)

    from rich.console import Console

    from unrolled.report import terminal
    from unrolled.workflow.explain import explain as look
    from unrolled.workflow.explain import write_explanation

    found = look(bundle, data, row=row, target=target, label=label, step=step, **options(option))
    Console(highlight=False).print(terminal.explanation(found, language))
    if out is not None:
        typer.echo(str(write_explanation(found, out, language)))
