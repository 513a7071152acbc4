"""``unrolled demo``: the main job on real data that ships with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.language import Lang, language_of

EXAMPLE = "Example: unrolled demo digits --out runs/digits"

_SHOWN = 6  # lines of the predictions


def demo(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="load (forecast a day of oil temperature) or digits (spoken).")
    ] = "load",
    out: Annotated[Path | None, typer.Option(help="Folder of the run; otherwise a new one under runs/.")] = None,
    lang: Lang = "en",
) -> None:
    """Train, judge, bundle, report and predict on shipped data."""
    language = language_of(lang)

    from unrolled.cli.screen import Screen
    from unrolled.cli.train import RUNS, finish
    from unrolled.prepare.write import to_csv
    from unrolled.workflow import demo as demos
    from unrolled.workflow import train as job
    from unrolled.workflow.predict import predict

    config = demos.demo_config(name).model_copy(update={"language": language})
    trained = job.train(config, folder=out, runs=RUNS, listener=Screen(language))
    finish(trained)
    found = predict(trained.bundle, config.data.test or config.data.path)
    typer.echo({"en": "First predictions:", "zh": "前几个预测："}[language])
    typer.echo("".join(to_csv(found.table()).splitlines(keepends=True)[:_SHOWN]), nl=False)
