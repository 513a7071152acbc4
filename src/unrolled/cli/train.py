"""``unrolled train``: from a data file to a trained, evaluated, reported model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.core.errors import ConfigError

EXAMPLE = "Example: unrolled train prices.csv --target Close"

RUNS = Path("runs")  # where runs go that are given no folder

Words = Annotated[list[str] | None, typer.Option(help="Column; repeat it, or separate names with commas.")]


def train(
    data: Annotated[str | None, typer.Argument(help="File or folder to learn from.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict; repeat for several.")] = None,
    task: Annotated[
        str | None, typer.Option(help="forecast, classify, regress or failure; otherwise the data decides.")
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast, or rows in which a failure counts.")] = None,
    window: Annotated[int | None, typer.Option(help="Rows that a prediction looks back on.")] = None,
    net: Annotated[str | None, typer.Option(help="Preset, or a YAML file with the list of layers.")] = None,
    features: Words = None,
    known: Annotated[list[str] | None, typer.Option(help="Columns known in advance.")] = None,
    static: Annotated[list[str] | None, typer.Option(help="Columns with one value a sequence.")] = None,
    categorical: Annotated[list[str] | None, typer.Option(help="Columns that are categories.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Columns to leave out.")] = None,
    time: Annotated[str | None, typer.Option(help="Time column.")] = None,
    group: Annotated[str | None, typer.Option(help="Column that names the series of a row.")] = None,
    valid: Annotated[str | None, typer.Option(help="File of the validation part.")] = None,
    test: Annotated[str | None, typer.Option(help="File of the test part.")] = None,
    split: Annotated[str | None, typer.Option(help="auto, time, group or case.")] = None,
    valid_share: Annotated[str | None, typer.Option(help="Fraction, number of rows or sequences, or date.")] = None,
    test_share: Annotated[str | None, typer.Option(help="Fraction, number of rows or sequences, or date.")] = None,
    missing: Annotated[str | None, typer.Option(help="error, mask, fill_forward or interpolate.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the training part.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a batch.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step size of the optimiser.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random choice.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings; flags go before it.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, such as train.clip_norm=5; repeat for several.")
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option("--from", help="Bundle whose weights to start from (fine-tuning).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; otherwise a new one under runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a stopped run to go on with.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or zh.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the verdict and the files only.")] = False,
) -> None:
    """Train a model on DATA, judge it beside its baselines, and write bundle and report."""
    from unrolled.cli.screen import Screen
    from unrolled.workflow import train as job
    from unrolled.workflow.config import Config

    if resume is not None:
        if data is not None:
            raise ConfigError("--resume goes on with the run's own data", where="--resume", mend="leave DATA out")
        job.resume(resume, listener=Screen(quiet=quiet))
        return
    base = Config.read(config) if config is not None else Config()
    flags: dict[str, Any] = {
        "data": {
            "path": data,
            "valid": valid,
            "test": test,
            "target": _names(target),
            "features": _names(features),
            "known": _names(known),
            "static": _names(static),
            "categorical": _names(categorical),
            "ignore": _names(ignore),
            "time": time,
            "group": group,
            "window": window,
            "missing": missing,
            "split": {"by": split, "valid": _share(valid_share), "test": _share(test_share)},
        },
        "task": {"name": task, "horizon": horizon},
        "net": _net(net),
        "train": {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate},
        "seed": seed,
        "language": lang,
        "start_from": str(start_from) if start_from is not None else None,
    }
    settings = base.over(flags).changed(assign or [])
    if settings.data.path is None:
        raise ConfigError(
            "no data was given", where="DATA", mend="name a file: unrolled train prices.csv --target Close"
        )
    job.train(settings, folder=out, runs=RUNS, listener=Screen(quiet=quiet, language=settings.language))


def _names(given: list[str] | None) -> list[str] | None:
    return None if given is None else [name.strip() for part in given for name in part.split(",") if name.strip()]


def _share(given: str | None) -> float | int | str | None:
    """A number where it is one, else a date."""
    if given is None:
        return None
    try:
        return int(given) if given.isdigit() else float(given)
    except ValueError:
        return given


def _net(given: str | None) -> Any:
    """A preset's name, or the layers of a YAML file."""
    if given is None or not given.endswith((".yaml", ".yml")):
        return given
    import yaml

    try:
        spec = yaml.safe_load(Path(given).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=given) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("is not YAML", where=given) from error
    return spec["net"] if isinstance(spec, dict) and set(spec) == {"net"} else spec
