"""``unrolled evaluate``: a bundle judged on data with the truth in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.language import Lang, language_of
from unrolled.cli.reading import Reading, options
from unrolled.core.errors import ConfigError

EXAMPLE = "Example: unrolled evaluate runs/forecast-20260101-120000 later.csv --backtest 6"


def evaluate(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle, or folder of a run.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="Data with the truth in it.")],
    backtest: Annotated[
        int | None, typer.Option(min=1, help="Forecasts: roll over this many origins at the end of the data.")
    ] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Rows between two origins; otherwise the horizon.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file to write too.")] = None,
    option: Reading = None,
    lang: Lang = "en",
) -> None:
    """Judge BUNDLE on DATA beside the baselines, with intervals."""
    if step is not None and backtest is None:
        raise ConfigError("it is the distance of origins", where="--step", mend="give their number with --backtest")
    language = language_of(lang)

    from rich.console import Console

    from unrolled.core.files import write_text
    from unrolled.core.records import Record
    from unrolled.report import terminal
    from unrolled.workflow.evaluate import backtest_bundle, evaluate_bundle

    console = Console(highlight=False)
    found: Record
    if backtest is not None:
        rolled = found = backtest_bundle(bundle, data, count=backtest, step=step, **options(option))
        console.print(terminal.backtest(rolled, language))
    else:
        judged = found = evaluate_bundle(bundle, data, **options(option))
        console.print(terminal.evaluation(judged, language))
    if out is not None:
        write_text(out, found.model_dump_json(indent=1))
        typer.echo(str(out))
