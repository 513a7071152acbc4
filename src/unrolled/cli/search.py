"""``unrolled search``: settings or a structure, found by trying within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.language import Lang, language_of
from unrolled.core.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.core.records import Language
    from unrolled.core.search import Tried
    from unrolled.train import Hook
    from unrolled.workflow.search import Found

RUNS = Path("runs")
EXAMPLE = "Example: unrolled search prices.csv --target Close --vary train.learning_rate=1e-4..1e-2:log --trials 20"


def search(
    source: Annotated[
        str | None, typer.Argument(metavar="CONFIG|DATA", help="YAML file with choices in it, or a data file.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="Values to choose from: path=a,b,c or path=low..high, with :log or :step; repeatable."),
    ] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, such as train.epochs=20; repeat for several.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column to predict; several with commas.")] = None,
    task: Annotated[str | None, typer.Option(help="What to do with the data.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps ahead of a forecast.")] = None,
    method: Annotated[str | None, typer.Option(help="tpe, random, grid, or enas (finds a recurrent cell).")] = None,
    trials: Annotated[int | None, typer.Option(help="How many at most.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Time budget.")] = None,
    objective: Annotated[
        list[str] | None, typer.Option(help="metric, bytes, parameters, predict, step or seconds; repeatable.")
    ] = None,
    prune: Annotated[str | None, typer.Option(help="Stop bad trials early: none, halving or hyperband.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.")] = None,
    storage: Annotated[str | None, typer.Option(help="Database, such as postgresql://user@host/name.")] = None,
    study: Annotated[str | None, typer.Option(help="Name of the search in its database.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the method.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the search; otherwise a new one under runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a stopped search to go on with.")] = None,
    lang: Lang = "en",
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the outcome and the files only.")] = False,
) -> None:
    """Try configs within a budget and keep the best; Ctrl-C ends the search, and --resume goes on with it."""
    language = language_of(lang)
    settings = {
        "method": method, "trials": trials, "seconds": seconds, "objectives": objective, "prune": prune,
        "workers": workers, "storage": storage, "study": study, "seed": seed,
    }  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}

    from unrolled.workflow import search as job
    from unrolled.workflow.search_plan import Plan, asked

    screen = _Screen(language, quiet=quiet)
    if resume is not None:
        if source or vary or assign or out:
            raise ConfigError("a search goes on with its own config", where="--resume", mend="leave out the others")
        _finish(job.resume(resume, told=screen, **given), language)
        return
    if source is None:
        raise ConfigError("no config or data was given", where="CONFIG|DATA", mend="name a file")
    flags = {"data.target": target, "task.name": task, "task.horizon": horizon, "language": lang}
    plan = Plan.parse(asked(source, vary or [], assign or [], flags, given))
    _finish(job.search(plan, folder=out, runs=RUNS, told=screen), language)


class _Screen:
    """Prints each trial as it ends."""

    def __init__(self, language: Language, *, quiet: bool) -> None:
        from rich.console import Console

        self._language, self._quiet = language, quiet
        self._console = Console(highlight=False)

    def begun(self, number: int) -> None:
        pass

    def ended(self, tried: Tried) -> None:
        from unrolled.report.search_screen import ended

        if not self._quiet:
            self._console.print(ended(tried, self._language), soft_wrap=True)

    def hooks(self) -> tuple[Hook, ...]:
        return ()


def _finish(found: Found, language: Any) -> None:
    from rich.console import Console

    from unrolled.report.search_screen import outcome

    console = Console(highlight=False)
    console.print(outcome(found.record, language))
    if found.best is not None:
        console.print(str(found.folder.best), soft_wrap=True)
    console.print(str(found.folder.report), soft_wrap=True)
    if found.best is not None:
        console.print(found.record.command, soft_wrap=True)
    if found.interrupted:
        typer.echo(f"interrupted: go on with: unrolled search --resume {found.folder.path}", err=True)
        raise typer.Exit(130)
