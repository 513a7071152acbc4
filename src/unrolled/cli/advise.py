"""``unrolled advise``: what to build for some data, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unrolled.cli.amounts import seconds, size
from unrolled.cli.language import Lang, language_of
from unrolled.cli.reading import Reading, names, options

if TYPE_CHECKING:
    from unrolled.core.diagnosis import Text

EXAMPLE = "Example: unrolled advise prices.csv --target Close --device phone --measure 5m"

RUNS = Path("runs")  # where advice goes that is given no folder

Columns = list[str] | None


def advise(
    data: Annotated[str, typer.Argument(metavar="DATA", help="File or folder to learn from.")],
    target: Annotated[Columns, typer.Option(help="Columns to predict; repeat it, or separate names by commas.")] = None,
    task: Annotated[str | None, typer.Option(help="Task; otherwise by the data.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast.")] = None,
    window: Annotated[int | None, typer.Option(help="Rows that a prediction looks back on.")] = None,
    test: Annotated[str | None, typer.Option(help="File of the test part.")] = None,
    device: Annotated[str | None, typer.Option(help="Where it will run: watch, phone, laptop, server or gpu.")] = None,
    size_: Annotated[str | None, typer.Option("--size", help="Most bytes of weights, such as 1MB.")] = None,
    latency: Annotated[str | None, typer.Option(help="Most time for an answer, such as 5ms.")] = None,
    need: Annotated[
        list[str] | None, typer.Option(help="streaming, generation, memory or modalities; repeat it for several.")
    ] = None,
    measure: Annotated[
        str | None, typer.Option(help="Time for trials, such as 5m; without it profile and rules only.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings; flags go before it.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, such as data.missing=mask; repeat for several.")
    ] = None,
    option: Reading = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the advice; otherwise a new one under runs/.")] = None,
    lang: Lang = "en",
) -> None:
    """Say what is known of DATA, what the rules advise, and what measured trials show; write page and settings."""
    language = language_of(lang)
    time = seconds(measure, "--measure") or 0.0

    from rich.console import Console

    from unrolled.advise import wishes
    from unrolled.report.advice_terminal import advice as shown
    from unrolled.workflow.advise import advise_in
    from unrolled.workflow.config import Config

    asked = wishes(device, size(size_, "--size"), seconds(latency, "--latency"), names(need or []))
    flags = {
        "data": {"path": data, "target": names(target or []) or None, "window": window, "test": test,
                 "options": options(option) or None},
        "task": {"name": task, "horizon": horizon},
        "language": language,
    }  # fmt: skip
    base = Config.read(config) if config is not None else Config()
    settings = base.over(flags, where="").changed(assign or [])
    screen, aside = Console(highlight=False), Console(stderr=True, highlight=False)

    def tell(said: Text) -> None:
        aside.print(said.text(language), markup=False)

    found, written = advise_in(out, RUNS, settings, asked, seconds=time, tell=tell)
    screen.print(shown(found, language))
    for path in (written.config, written.page):
        if path is not None:
            typer.echo(str(path))
