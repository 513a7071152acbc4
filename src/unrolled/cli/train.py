"""``unrolled train``: from a data file to a trained, evaluated, reported model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.reading import Reading, names, options
from unrolled.core.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.workflow.train import Trained

EXAMPLE = "Example: unrolled train prices.csv --target Close"

RUNS = Path("runs")  # where runs go that are given no folder
_ABSENT: tuple[Any, ...] = (None, [], ())  # values of options that were not given

Columns = list[str] | None


def train(
    context: typer.Context,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="File or folder to learn from.")] = None,
    target: Annotated[Columns, typer.Option(help="Columns to predict; repeat it, or separate names by commas.")] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="forecast, classify, regress, failure, tag, ctc, anomaly, pairs, recommend, pretrain; else by data."
        ),
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast, or rows in which a failure counts.")] = None,
    window: Annotated[int | None, typer.Option(help="Rows that a prediction looks back on.")] = None,
    net: Annotated[str | None, typer.Option(help="Preset, a YAML file with the list of layers, or that list.")] = None,
    features: Annotated[
        Columns, typer.Option(help="Columns to predict from; otherwise all usable ones; '' for none.")
    ] = None,
    known: Annotated[Columns, typer.Option(help="Columns known in advance.")] = None,
    static: Annotated[Columns, typer.Option(help="Columns with one value a sequence.")] = None,
    categorical: Annotated[Columns, typer.Option(help="Columns that are categories.")] = None,
    ignore: Annotated[Columns, typer.Option(help="Columns to leave out.")] = None,
    time: Annotated[str | None, typer.Option(help="Time column.")] = None,
    group: Annotated[str | None, typer.Option(help="Column that names the series of a row.")] = None,
    wide: Annotated[bool | None, typer.Option("--wide", help="Each row is a series, with a cell a step.")] = None,
    valid: Annotated[str | None, typer.Option(help="File of the validation part.")] = None,
    test: Annotated[str | None, typer.Option(help="File of the test part.")] = None,
    split: Annotated[str | None, typer.Option(help="auto, time, group, case or start.")] = None,
    valid_share: Annotated[str | None, typer.Option(help="Fraction, number of rows or sequences, or date.")] = None,
    test_share: Annotated[str | None, typer.Option(help="Fraction, number of rows or sequences, or date.")] = None,
    missing: Annotated[str | None, typer.Option(help="error, mask, fill_forward or interpolate.")] = None,
    resample: Annotated[str | None, typer.Option(help="Bring rows to an even step: mean or last.")] = None,
    frequency: Annotated[float | None, typer.Option(help="That step, in seconds.")] = None,
    time_delta: Annotated[
        bool | None,
        typer.Option("--time-delta/--no-time-delta", help="Predict from the time since the previous row too."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the training part.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step size of the optimiser.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random choice.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings; flags go before it.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, such as train.clip_norm=5; repeat for several.")
    ] = None,
    option: Reading = None,
    start_from: Annotated[
        Path | None, typer.Option("--from", help="Bundle or run whose weights to start from (fine-tuning).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; otherwise a new one under runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a stopped run to go on with.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or zh.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the verdict and the files only.")] = False,
) -> None:
    """Train a model on DATA, judge it beside its baselines, and write bundle and report.

    Ctrl-C ends training early: what was learnt is kept, judged and written, and the exit code is 130.
    """
    from unrolled.cli.screen import Screen
    from unrolled.workflow import train as job
    from unrolled.workflow.config import Config
    from unrolled.workflow.run_folder import RunFolder

    if resume is not None:
        _refuse_beside_resume(context.params)
        language = RunFolder.find(resume).read_config().language
        finish(job.resume(resume, listener=Screen(language, quiet=quiet)))
        return
    base = Config.read(config) if config is not None else Config()
    settings = base.over(_flags(context.params), where="").changed(assign or [])
    if settings.data.path is None:
        raise ConfigError(
            "no data was given", where="DATA", mend="name a file: unrolled train prices.csv --target Close"
        )
    screen = Screen(settings.language, quiet=quiet)
    finish(job.train(settings, folder=out, runs=RUNS, listener=screen))


def finish(trained: Trained) -> None:
    """Say what became of a job that was interrupted."""
    if trained.interrupted and trained.folder is not None:
        typer.echo(
            "interrupted: this model is what was learnt until then\n"
            f"  Go on with: unrolled train --resume {trained.folder.path}",
            err=True,
        )
        raise typer.Exit(130)


def _flags(given: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that were given, in the place where a config has them."""
    nested: dict[str, Any] = {}
    for name, (place, read) in _PLACES.items():
        if given[name] not in _ABSENT:
            *parents, last = place.split(".")
            at = nested
            for parent in parents:
                at = at.setdefault(parent, {})
            at[last] = read(given[name])
    return nested


def _refuse_beside_resume(given: Mapping[str, Any]) -> None:
    shown = {"assign": "--set", "start_from": "--from", "data": "DATA"}
    for name, value in given.items():
        if name not in ("resume", "quiet") and value not in _ABSENT:
            raise ConfigError(
                "a run goes on with its own data and settings",
                where="--resume",
                mend=f"leave out {shown.get(name, '--' + name.replace('_', '-'))}",
            )


def _share(given: str) -> float | int | str:
    """A number where it is one, else a date."""
    try:
        return int(given) if given.isdigit() else float(given)
    except ValueError:
        return given


def _net(given: str) -> Any:
    """A preset's name, the layers of a YAML file, or such a list itself."""
    listed = given.lstrip().startswith("[")
    if not listed and not given.endswith((".yaml", ".yml")):
        return given
    import yaml

    try:
        spec = yaml.safe_load(given if listed else Path(given).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=given) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("is not YAML", where=given) from error
    return spec["net"] if isinstance(spec, dict) and set(spec) == {"net"} else spec


def _as_is(given: Any) -> Any:
    return given


_PLACES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "data": ("data.path", _as_is),
    "valid": ("data.valid", _as_is),
    "test": ("data.test", _as_is),
    "wide": ("data.wide", _as_is),
    "option": ("data.options", options),
    "target": ("data.target", names),
    "features": ("data.features", names),
    "known": ("data.known", names),
    "static": ("data.static", names),
    "categorical": ("data.categorical", names),
    "ignore": ("data.ignore", names),
    "time": ("data.time", _as_is),
    "group": ("data.group", _as_is),
    "window": ("data.window", _as_is),
    "missing": ("data.missing", _as_is),
    "resample": ("data.resample", _as_is),
    "frequency": ("data.frequency", _as_is),
    "time_delta": ("data.time_delta", _as_is),
    "split": ("data.split.by", _as_is),
    "valid_share": ("data.split.valid", _share),
    "test_share": ("data.split.test", _share),
    "task": ("task.name", _as_is),
    "horizon": ("task.horizon", _as_is),
    "net": ("net", _net),
    "epochs": ("train.epochs", _as_is),
    "batch_size": ("train.batch_size", _as_is),
    "learning_rate": ("train.learning_rate", _as_is),
    "seed": ("seed", _as_is),
    "lang": ("language", _as_is),
    "start_from": ("start_from", str),
}
