"""``unrolled compare``: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.language import Lang, language_of

EXAMPLE = "Example: unrolled compare runs/lstm runs/gru --out compare.html"


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Folders of two or more runs.")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write too.")] = None,
    lang: Lang = "en",
) -> None:
    """Set runs side by side: figures with intervals, sizes, settings that differ."""
    language = language_of(lang)

    from rich.console import Console

    from unrolled.report import terminal
    from unrolled.workflow.report import read_runs, write_comparison

    Console(highlight=False).print(terminal.comparison(read_runs(runs), language))
    if out is not None:
        typer.echo(str(write_comparison(runs, out, language)))
