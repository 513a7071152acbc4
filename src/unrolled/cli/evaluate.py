"""``unrolled evaluate``: a bundle judged on data with the truth in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: unrolled evaluate runs/forecast-20260101-120000 later.csv --backtest 6"


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Bundle, or folder of a run.")],
    data: Annotated[str, typer.Argument(help="Data with the truth in it.")],
    backtest: Annotated[
        int | None, typer.Option(min=1, help="Forecasts: roll over this many origins at the end of the data.")
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Rows between two origins; otherwise the horizon.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file to write too.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Judge BUNDLE on DATA beside the baselines, with intervals."""
    from rich.console import Console

    from unrolled.core.files import write_text
    from unrolled.report import terminal
    from unrolled.workflow.evaluate import backtest_bundle, evaluate_bundle
    from unrolled.workflow.report import language_of

    language, console = language_of(lang), Console(highlight=False)
    if backtest is not None:
        found = backtest_bundle(bundle, data, count=backtest, step=step)
        console.print(terminal.backtest(found, language))
        if out is not None:
            write_text(out, found.model_dump_json(indent=1))
        return
    judged = evaluate_bundle(bundle, data)
    console.print(terminal.evaluation(judged, language))
    if out is not None:
        write_text(out, judged.model_dump_json(indent=1))
