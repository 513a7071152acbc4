"""One job from end to end: read, divide, fit, judge, bundle, report."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError, DataError, UnrolledError
from unrolled.core.files import write_text
from unrolled.core.records import Evaluation, Note, Run
from unrolled.core.validation import validated
from unrolled.data import Batches
from unrolled.evaluate import assess
from unrolled.nets import CustomNet, Net, load_custom
from unrolled.prepare import rollout
from unrolled.prepare.decode import NumberDecoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Forecast, Regress, Task, make_task
from unrolled.train import TrainSettings, fit, seed_everything, torch_options, warm_start
from unrolled.workflow.config import Config, DataSettings
from unrolled.workflow.defaults import before_reading, complete
from unrolled.workflow.fine_tuning import as_before
from unrolled.workflow.listener import Listener, Silent
from unrolled.workflow.model import Model
from unrolled.workflow.pack import to_bundle, to_record, with_metrics
from unrolled.workflow.predict import open_bundle
from unrolled.workflow.run_folder import RunFolder
from unrolled.workflow.section import Section, sections
from unrolled.workflow.source import Source, guess_task, load, open_table


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
    """A completed config with the data it speaks of, and the task with what it learnt from the training part."""

    config: Config
    source: Source
    task: Task
    settings: TrainSettings
    sections: dict[str, Section]
    preprocessor: Preprocessor
    notes: tuple[Note, ...]
    weights: npt.NDArray[np.float32] | None


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
    first = _share()[0] == 0
    if folder is not None and first:
        RunFolder(Path(folder)).refuse_used()
    job = _prepare(config, data, weights)
    with torch_options(job.settings):
        made = _net(job, net)
    home = None
    if (folder is not None or runs is not None) and first:
        home = RunFolder.create(folder, task=job.task.name, parent=runs or Path())
    elif folder is not None or runs is not None:
        home = RunFolder(Path(folder or runs or ""))  # written to by the first process only
    try:
        if home is not None and first:
            home.begin(job.config, job.notes)
        with torch_options(job.settings):
            return _run(job, made, home, listener or Silent(), resume=False)
    except UnrolledError:
        if home is not None and first:
            home.forget()
        raise


def resume(folder: Path | str, *, listener: Listener | None = None) -> Trained:
    """Go on with a run that was stopped; it ends with the numbers of one that never was.

    Raises:
        ConfigError: there is no such run, or its data is not in a file.
    """
    home = RunFolder.find(folder)
    config = home.read_config()
    if config.data.path is None:
        raise ConfigError("this run's data was handed over in Python", where=str(folder), mend="train it again there")
    job = replace(_prepare(config, None, None), notes=home.read_assumptions())
    with torch_options(job.settings):
        return _run(job, _net(job, None), home, listener or Silent(), resume=True)


def _prepare(config: Config, data: Any, weights: npt.ArrayLike | None) -> _Job:
    config = _resolved(as_before(config))
    table = open_table(config.data, data)
    name = config.task.get("name") or "auto"
    notes: list[Note] = []
    if name == "auto":
        name, note = guess_task(table, config.data)
        notes.append(note)
    # A user's own function becomes its name, so that the config stays plain data.
    options = make_task(name, _options(config)).settings.model_dump(mode="json", exclude_unset=True)
    config = config.model_copy(update={"task": {"name": name, **options}})
    config = before_reading(config, name)
    source = load(table, config.data, name)
    part = source.parts["train"]
    config, chosen = complete(config, name, part.series, part.spans, validated="valid" in source.parts)
    task = make_task(name, _options(config))
    settings = validated(TrainSettings, config.train, where="train")
    found, left_out = sections(source, task, config.data)
    own = found["train"]
    preprocessor = _preprocessor(config.data, source.schema, task, own.series).fit(own.series, own.spans)
    _refuse_nothing(preprocessor, source)
    if isinstance(task, Forecast):
        if task.steps < task.settings.horizon:
            rollout.check(preprocessor.inputs())
    else:
        truth = {name: preprocessor.truth(part.series, part.samples)[:, 0] for name, part in found.items()}
        task = task.fit(truth["train"])  # in the other parts, an unknown label is an error before training
    return _Job(
        config=config,
        source=source,
        task=task,
        settings=settings,
        sections=found,
        preprocessor=preprocessor,
        notes=(*source.notes, *notes, *chosen, *left_out, *preprocessor.notes),
        weights=None if weights is None else _weights(weights, part.series),
    )


def _refuse_nothing(preprocessor: Preprocessor, source: Source) -> None:
    inputs = preprocessor.inputs()
    if not inputs.numbers + len(inputs.categories):
        raise DataError(
            "there is no column that changes from row to row to predict from",
            where=source.facts.source,
            mend="give the file such a column, name some with --features, or choose another --task",
        )


def _resolved(config: Config) -> Config:
    """The seed of the job is that of split and training too; the threads, on which last digits depend, are told."""
    split = config.data.split
    if split.seed is None:
        split = split.model_copy(update={"seed": config.seed})
    data = config.data.model_copy(update={"split": split})
    own = {"seed": config.seed, "threads": torch.get_num_threads()}
    return config.model_copy(update={"data": data, "train": {**own, **config.train}})


def _options(config: Config) -> dict[str, Any]:
    return {key: value for key, value in config.task.items() if key != "name"}


def _weights(given: npt.ArrayLike, series: Series) -> npt.NDArray[np.float32]:
    weights = np.asarray(given, dtype=np.float32)
    if weights.shape != (len(series.ids),):
        raise DataError(
            f"the weights have the shape {weights.shape}, but there are {len(series.ids)} sequences",
            where=series.source,
            mend="give one weight a sequence",
        )
    return weights


def _preprocessor(data: DataSettings, schema: Schema, task: Task, series: Series) -> Preprocessor:
    scale = [] if data.scale == "none" else [data.scale]
    transforms: dict[str, Any] = {role: scale for role in ("target", "feature", "known", "static")}
    if data.transform != "none":
        transforms["target"] = [data.transform, *scale]
    return Preprocessor(
        schema.model_copy(update={"columns": tuple(_derived(column, series) for column in schema.columns)}),
        horizon=task.steps if isinstance(task, Forecast) else 0,
        transforms=transforms,
        per_series=isinstance(task, Forecast) and data.scale_by == "series",
        cap=task.settings.cap if isinstance(task, Regress) else None,
    )


def _derived(column: Column, series: Series) -> Column:
    """The column as the derived series has it."""
    return next((own for own in series.columns if own.name == column.name and own.role == "target"), column)


def _run(job: _Job, net: Net | CustomNet, home: RunFolder | None, listener: Listener, *, resume: bool) -> Trained:
    began, first = time.monotonic(), _share()[0] == 0
    listener = listener if first else Silent()
    parts = {name: len(section.samples) for name, section in job.sections.items()}
    facts = job.source.facts.model_copy(update={"parts": parts})
    listener.data(facts, job.notes)
    listener.net(net.summary())
    result = fit(
        net,
        _batches(job, "train"),
        job.task.loss,
        job.settings,
        valid=_batches(job, "valid") if "valid" in job.sections else None,
        measure=job.task.measure,
        folder=home.path if home is not None else None,
        hooks=listener.hooks(),
        resume=resume,
    )
    model = _calibrated(job, net)
    evaluation = _judge(job, model)
    listener.judged(evaluation)
    run = to_record(
        job.config,
        job.source,
        job.task,
        net.summary(),
        result,
        evaluation,
        name=home.path.name if home is not None else job.task.name,
        facts=facts,
        notes=job.notes,
        seconds=time.monotonic() - began,
    )
    bundle = with_metrics(model.predictor.bundle, evaluation)
    if home is not None and first:
        _write(home, bundle, run)
        listener.written(home)
    return Trained(model, bundle, run, home, interrupted=result.stopped == "interrupted")


def _net(job: _Job, own: nn.Module | None) -> Net | CustomNet:
    seed_everything(job.config.seed)
    section = job.sections["train"]
    lengths = np.unique(section.samples.lengths)
    inputs = job.preprocessor.inputs(int(lengths[0]) if len(lengths) == 1 else None)
    outputs = job.task.outputs(section.series)
    wanted = job.config.net or []
    net: Net | CustomNet
    if own is not None:
        net = CustomNet(own, inputs, outputs)
    elif isinstance(wanted, str) and ":" in wanted:
        net = load_custom(wanted, inputs, outputs)
    else:
        net = Net(wanted, inputs, outputs)
    if job.config.start_from is not None:
        warm_start(net, open_bundle(job.config.start_from).weights, job.settings.warm_layers)
    return net


def _batches(job: _Job, name: str) -> Batches:
    section, settings, training = job.sections[name], job.settings, name == "train"
    return Batches(
        job.preprocessor,
        section.series,
        section.samples,
        batch_size=settings.batch_size if training else max(256, settings.batch_size),
        shuffle=training,
        seed=settings.seed,
        weights=job.weights[section.samples.series] if training and job.weights is not None else None,
        share=_share() if training else (0, 1),
        most=settings.epoch_batches if training else None,
    )


def _share() -> tuple[int, int]:
    """This process among those that ``torchrun`` started."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _calibrated(job: _Job, net: Net | CustomNet) -> Model:
    """The model with its intervals, temperatures or threshold fitted on the validation part."""
    preprocessor = _to_horizon(job)
    decoding = job.task.decoding(preprocessor.schema)
    if isinstance(decoding, NumberDecoding) and any(preprocessor.summed):
        decoding = decoding.model_copy(update={"summed": preprocessor.summed})
    plain = Model.of(to_bundle(job.config, job.source, job.task, net, preprocessor, decoding), net)
    held = job.sections.get("valid")
    if held is None:
        return plain
    decoding = job.task.calibrate(*plain.compared(held.series, held.samples), decoding)
    return Model.of(to_bundle(job.config, job.source, job.task, net, preprocessor, decoding), net)


def _to_horizon(job: _Job) -> Preprocessor:
    """For answers: a one-step net is rolled out, and needs what is known over the whole horizon."""
    task, preprocessor = job.task, job.preprocessor
    if not isinstance(task, Forecast) or task.steps == task.settings.horizon:
        return preprocessor
    return Preprocessor.from_json({**preprocessor.to_json(), "horizon": task.settings.horizon})


def _judge(job: _Job, model: Model) -> Evaluation:
    """The test part; without one the validation part, without that the training part."""
    learnt = job.sections["train"]
    held = next(job.sections[name] for name in ("test", "valid", "train") if name in job.sections)
    return assess(
        model, held.judged, held.samples, train=(learnt.judged, learnt.samples), groups=held.groups, name=held.name
    )


def _write(home: RunFolder, bundle: Bundle, run: Run) -> None:
    from unrolled.report.html import render

    bundle.write(home.bundle)
    home.write_run(run)
    write_text(home.report, render(run, run.config.get("language", "en")))
