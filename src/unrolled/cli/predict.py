"""``unrolled predict``: answers for new data, with time stamps and in the units of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: unrolled predict runs/forecast-20260101-120000/model.unrolled new.csv --out predictions.csv"


def predict(
    bundle: Annotated[Path, typer.Argument(help="Bundle, or folder of a run.")],
    data: Annotated[str, typer.Argument(help="New data; it needs no target column, but as the past of a forecast.")],
    out: Annotated[Path | None, typer.Option(help="File to write (.csv or .jsonl); otherwise CSV on stdout.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Predict at every row, not only at the end.")] = False,
    stride: Annotated[int, typer.Option(min=1, help="Rows between two predictions, with --all.")] = 1,
    lang: Annotated[str, typer.Option(help="Language of the notes: en or zh.")] = "en",
) -> None:
    """Predict DATA with BUNDLE."""
    from unrolled.prepare.write import to_csv, write
    from unrolled.workflow.predict import predict as run

    found = run(bundle, data, which="all" if every else None, stride=stride)
    for note in found.notes:
        typer.echo(f"note: {note.text('zh' if lang == 'zh' else 'en')}", err=True)
    if out is None:
        typer.echo(to_csv(found.table()), nl=False)
        return
    write(found.table(), out)
    typer.echo(str(out))
