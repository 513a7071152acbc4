"""One job from end to end: read, divide, fit, judge, bundle, report."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from unrolled import __version__
from unrolled.core.bundle import Bundle, Manifest
from unrolled.core.errors import ConfigError, DataError
from unrolled.core.files import write_text
from unrolled.core.records import DataFacts, Evaluation, NetFacts, Note, Run, RunFacts
from unrolled.core.validation import validated
from unrolled.data import Batches
from unrolled.evaluate import assess
from unrolled.nets import CustomNet, Net
from unrolled.prepare.decode import Decoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.tasks import Task, make_task
from unrolled.train import FitResult, Hook, TrainSettings, fit, seed_everything, warm_start
from unrolled.workflow.config import Config
from unrolled.workflow.defaults import complete
from unrolled.workflow.model import Model
from unrolled.workflow.run_folder import RunFolder
from unrolled.workflow.source import Source, guess_task, load, open_table

_MOST_JUDGED = 20_000  # windows of a part that are judged; more are thinned out evenly


class Listener(Protocol):
    """Who is told how a job goes: the terminal, a notebook, nobody."""

    def data(self, facts: DataFacts, notes: Sequence[Note]) -> None: ...
    def net(self, facts: NetFacts) -> None: ...
    def hooks(self) -> Sequence[Hook]: ...
    def judged(self, evaluation: Evaluation) -> None: ...
    def written(self, folder: RunFolder) -> None: ...


class Silent:
    """A listener that says nothing."""

    def data(self, facts: DataFacts, notes: Sequence[Note]) -> None:
        pass

    def net(self, facts: NetFacts) -> None:
        pass

    def hooks(self) -> Sequence[Hook]:
        return ()

    def judged(self, evaluation: Evaluation) -> None:
        pass

    def written(self, folder: RunFolder) -> None:
        pass


@dataclass(frozen=True)
class Trained:
    """What a job leaves: the live model, its bundle, its record, and its folder where one was made."""

    model: Model
    bundle: Bundle
    run: Run
    folder: RunFolder | None
    interrupted: bool


@dataclass(frozen=True)
class _Job:
    """A completed config with the data it speaks of."""

    config: Config
    source: Source
    task: Task
    settings: TrainSettings
    notes: tuple[Note, ...]
    weights: npt.NDArray[np.float32] | None = None


def train(
    config: Config,
    *,
    data: Any = None,
    weights: npt.ArrayLike | None = None,
    net: nn.Module | None = None,
    folder: Path | str | None = None,
    runs: Path | None = None,
    listener: Listener | None = None,
) -> Trained:
    """Train, judge and bundle a model.

    Args:
        config: what to do; gaps are filled from the data.
        data: frame, array or Table in place of ``config.data.path``.
        weights: ``(S,)`` weight of each sequence in the training loss, in the order of ``Series.ids``.
        net: a user's own module in place of ``config.net``, see ``nets.custom.CustomNet``.
        folder: where the run is kept.
        runs: where a new folder is made for it when ``folder`` is None; None keeps nothing on disk.
        listener: is told how it goes.

    Raises:
        UnrolledError: the data, the settings or the training are not usable; the message says what to do.
    """
    listener = listener or Silent()
    job = _prepare(config, data)
    if weights is not None:
        job = replace(job, weights=_weights(weights, job.source.train[0]))
    home = None
    if folder is not None or runs is not None:
        home = RunFolder.create(folder, task=job.task.name, parent=runs or Path())
        job.config.write(home.config)
    return _run(job, net, home, listener, resume=False)


def resume(folder: Path | str, *, listener: Listener | None = None) -> Trained:
    """Go on with a run that was stopped; it ends with the numbers of one that never was.

    Raises:
        ConfigError: there is no such run, or its data is not in a file.
    """
    home = RunFolder.find(folder)
    config = home.read_config()
    if config.data.path is None:
        raise ConfigError("this run's data was handed over in Python", where=str(folder), mend="train it again there")
    return _run(_prepare(config, None), None, home, listener or Silent(), resume=True)


def _prepare(config: Config, data: Any) -> _Job:
    table = open_table(config.data, data)
    name = config.task.get("name") or "auto"
    notes: list[Note] = []
    if name == "auto":
        name, note = guess_task(table, config.data)
        notes.append(note)
    # A user's own function becomes its name, so that the config stays plain data.
    options = make_task(name, _options(config)).settings.model_dump(mode="json", exclude_unset=True)
    config = config.model_copy(update={"task": {"name": name, **options}})
    source = load(table, config.data, name)
    config, more = complete(config, name, *source.train)
    task = make_task(name, _options(config))
    settings = validated(TrainSettings, config.train, where="train")
    return _Job(config, source, task, settings, (*source.notes, *notes, *more))


def _weights(given: npt.ArrayLike, series: Series) -> npt.NDArray[np.float32]:
    weights = np.asarray(given, dtype=np.float32)
    if weights.shape != (len(series.ids),):
        raise DataError(
            f"the weights have the shape {weights.shape}, but there are {len(series.ids)} sequences",
            where=series.source,
            mend="give one weight a sequence",
        )
    return weights


def _options(config: Config) -> dict[str, Any]:
    return {key: value for key, value in config.task.items() if key != "name"}


def _run(job: _Job, own: nn.Module | None, home: RunFolder | None, listener: Listener, *, resume: bool) -> Trained:
    began = time.monotonic()
    task, series, samples = _samples(job)
    preprocessor = _preprocessor(job, task, *series["train"])
    parts = {name: len(found) for name, found in samples.items()}
    facts = job.source.facts.model_copy(update={"parts": parts})
    listener.data(facts, (*job.notes, *preprocessor.notes))
    seed_everything(job.config.seed)
    net = _net(job, task, preprocessor, samples["train"], series["train"][0], own)
    _warm(job, net)
    described = net.summary()
    listener.net(described)
    result = fit(
        net,
        _batches(job, preprocessor, series["train"][0], samples["train"], shuffle=True),
        task.loss,
        job.settings,
        valid=_batches(job, preprocessor, series["valid"][0], samples["valid"]) if "valid" in samples else None,
        measure=task.measure,
        folder=home.path if home is not None else None,
        hooks=listener.hooks(),
        resume=resume,
    )
    model = _calibrated(job, task, net, preprocessor, series, samples)
    evaluation = _judge(model, job.source, series, samples)
    listener.judged(evaluation)
    run = _record(job, facts, described, result, evaluation, home, time.monotonic() - began)
    bundle = _with_metrics(model.predictor.bundle, evaluation)
    if home is not None:
        _write(home, bundle, run)
        listener.written(home)
    return Trained(model, bundle, run, home, interrupted=result.stopped == "interrupted")


def _samples(job: _Job) -> tuple[Task, dict[str, tuple[Series, Any]], dict[str, Samples]]:
    """Series with the target that the net learns, and the windows of each part."""
    task, data = job.task, job.config.data
    series: dict[str, tuple[Series, Any]] = {}
    samples: dict[str, Samples] = {}
    derived: dict[int, Series] = {}
    for name, (given, spans) in job.source.parts.items():
        made = derived.setdefault(id(given), task.derive(given))
        stride = data.stride if name == "train" else 1
        try:
            found = task.samples(made, spans, window=data.window, stride=stride)
        except DataError:
            if name == "train":
                raise
            continue
        if name != "train" and len(found) > _MOST_JUDGED:
            found = found[np.linspace(0, len(found) - 1, _MOST_JUDGED).astype(np.int64)]
        series[name], samples[name] = (made, spans), found
    return task, series, samples


def _preprocessor(job: _Job, task: Task, series: Series, spans: Any) -> Preprocessor:
    data = job.config.data
    scale = [] if data.scale == "none" else [data.scale]
    transforms: dict[str, Any] = {role: scale for role in ("target", "feature", "known", "static")}
    if data.transform != "none":
        transforms["target"] = [data.transform, *scale]
    schema = job.source.schema
    schema = schema.model_copy(update={"columns": tuple(_derived(column, series) for column in schema.columns)})
    made = Preprocessor(
        schema,
        horizon=getattr(task.settings, "horizon", 0) if task.name == "forecast" else 0,
        transforms=transforms,
        per_series=task.name == "forecast" and data.scale_by == "series",
    )
    return made.fit(series, spans)


def _derived(column: Any, series: Series) -> Any:
    """The column as the derived series has it."""
    return next((own for own in series.columns if own.name == column.name and own.role == "target"), column)


def _net(
    job: _Job, task: Task, preprocessor: Preprocessor, samples: Samples, series: Series, own: nn.Module | None
) -> Net | CustomNet:
    lengths = np.unique(samples.lengths)
    inputs = preprocessor.inputs(int(lengths[0]) if len(lengths) == 1 else None)
    if own is not None:
        return CustomNet(own, inputs, task.outputs(series))
    return Net(job.config.net or [], inputs, task.outputs(series))


def _warm(job: _Job, net: nn.Module) -> None:
    if job.config.start_from is not None:
        warm_start(net, Bundle.read(job.config.start_from).weights, job.settings.warm_layers)


def _batches(
    job: _Job, preprocessor: Preprocessor, series: Series, samples: Samples, *, shuffle: bool = False
) -> Batches:
    size = job.settings.batch_size if shuffle else max(256, job.settings.batch_size)
    return Batches(
        preprocessor,
        series,
        samples,
        batch_size=size,
        shuffle=shuffle,
        seed=job.settings.seed,
        weights=job.weights[samples.series] if shuffle and job.weights is not None else None,
        share=_share() if shuffle else (0, 1),
    )


def _share() -> tuple[int, int]:
    """This process among those that ``torchrun`` started."""
    import os

    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _calibrated(
    job: _Job, task: Task, net: Net | CustomNet, preprocessor: Preprocessor, series: Any, samples: dict[str, Samples]
) -> Model:
    """The model with its intervals, temperatures or threshold fitted on the validation part."""
    plain = Model.of(_bundle(job, task, net, preprocessor, task.decoding(preprocessor.schema)), net)
    if "valid" not in samples:
        return plain
    held = series["valid"][0]
    truth = preprocessor.arrays(held, samples["valid"]).y
    assert truth is not None
    decoding = task.calibrate(plain.output(held, samples["valid"]), truth, plain.decoding)
    return Model.of(_bundle(job, task, net, preprocessor, decoding), net)


def _bundle(job: _Job, task: Task, net: Net | CustomNet, preprocessor: Preprocessor, decoding: Decoding) -> Bundle:
    """Everything a prediction needs, as data."""
    facts = job.source.facts
    manifest = Manifest(
        task=task.name,
        settings={
            "task": task.settings.model_dump(mode="json"),
            "decoding": decoding.model_dump(mode="json"),
            "window": job.config.data.window,
            "schema": job.source.schema.model_dump(mode="json"),
        },
        preprocessing=preprocessor.to_json(),
        net=net.spec.dump() if isinstance(net, Net) else None,
        custom=net.path if isinstance(net, CustomNet) else None,
        inputs=preprocessor.inputs().model_dump(mode="json"),
        outputs=task.outputs(preprocessor.schema).model_dump(mode="json"),
        plan=net.plan().model_dump(mode="json") if isinstance(net, Net) else None,
        data={"fingerprint": facts.fingerprint, "rows": facts.rows, "series": facts.series},
        versions=environment(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in net.state_dict().items()}
    return Bundle(manifest=manifest, weights=weights)


def _judge(model: Model, source: Source, series: Any, samples: dict[str, Samples]) -> Evaluation:
    """The test part; without one the validation part, without that the training part, and it is said."""
    name = next(part for part in ("test", "valid", "train") if part in samples)
    given = {part: source.parts[part][0] for part in samples}
    if model.task.name == "failure":
        given = {part: series[part][0] for part in samples}
    return assess(model, given[name], samples[name], train=(given["train"], samples["train"]), name=name)


def _record(
    job: _Job,
    facts: DataFacts,
    net: NetFacts,
    result: FitResult,
    evaluation: Evaluation,
    home: RunFolder | None,
    seconds: float,
) -> Run:
    path = home.path.name if home is not None else job.task.name
    return Run(
        facts=RunFacts(
            name=path,
            task=job.task.name,
            target=tuple(column.name for column in job.source.schema.of_role("target")),
            command="unrolled " + " ".join(sys.argv[1:]) if Path(sys.argv[0]).stem == "unrolled" else "",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=seconds,
            epochs=result.epochs,
            best_epoch=result.best_epoch,
            environment=environment(),
            assumptions=job.notes,
        ),
        data=facts,
        net=net,
        config=job.config.model_dump(mode="json"),
        curves=result.rows,
        evaluation=evaluation,
    )


def environment() -> dict[str, str]:
    """Versions and machine, for the report and the bundle."""
    found = {"unrolled": __version__, "python": platform.python_version(), "torch": torch.__version__}
    for package in ("numpy", "polars", "lightning-fabric"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "machine": f"{platform.system()} {platform.machine()}", "threads": str(torch.get_num_threads())}


def _with_metrics(bundle: Bundle, evaluation: Evaluation) -> Bundle:
    figures = {metric.name: metric.value for metric in evaluation.model.metrics if np.isfinite(metric.value)}
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"metrics": figures}))


def _write(home: RunFolder, bundle: Bundle, run: Run) -> None:
    from unrolled.report.html import render

    bundle.write(home.bundle)
    home.write_run(run)
    write_text(home.report, render(run, run.config.get("language", "en")))
