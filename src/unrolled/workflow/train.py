"""One job from end to end: read, divide, fit, judge, bundle, report."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from torch import nn

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError, UnrolledError
from unrolled.core.files import write_text
from unrolled.core.records import Evaluation, Note, Run
from unrolled.data import Batches
from unrolled.data.batches import Gather
from unrolled.evaluate import assess
from unrolled.nets import CustomNet, Net, Pretext, load_custom
from unrolled.prepare.decoding import NumberDecoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.tasks import Ctc, Forecast, Pretrain
from unrolled.train import fit, seed_everything, torch_options
from unrolled.workflow import pretraining
from unrolled.workflow.config import Config
from unrolled.workflow.job import Job, prepare
from unrolled.workflow.listener import Listener, Silent
from unrolled.workflow.model import Model
from unrolled.workflow.pack import to_bundle, to_record, with_metrics
from unrolled.workflow.run_folder import RunFolder
from unrolled.workflow.section import thinned
from unrolled.workflow.taking_over import take_over

AnyNet = Net | CustomNet | Pretext

_CALIBRATION = 1 << 22  # numbers of the outputs that a calibration reads


@dataclass(frozen=True)
class Trained:
    """What a job leaves: its bundle, its record, and its folder where one was made.

    Attributes:
        answering: the live model; None after a pretraining, which leaves an encoder.
    """

    answering: Model | None
    bundle: Bundle
    run: Run
    folder: RunFolder | None
    interrupted: bool

    @property
    def model(self) -> Model:
        """The live model.

        Raises:
            ConfigError: the job was a pretraining.
        """
        if self.answering is None:
            raise ConfigError("a pretrained encoder gives no answers yet", mend="train a task from its bundle")
        return self.answering


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
    job = prepare(config, data, weights)
    with torch_options(job.settings):
        made, told = first_net(job, net)
    job = replace(job, notes=(*job.notes, *told))
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
    job = replace(prepare(config, None, None), notes=home.read_assumptions())
    with torch_options(job.settings):
        return _run(job, first_net(job, None)[0], home, listener or Silent(), resume=True)


def _run(job: Job, net: AnyNet, home: RunFolder | None, listener: Listener, *, resume: bool) -> Trained:
    began, first = time.monotonic(), _share()[0] == 0
    listener = listener if first else Silent()
    parts = {name: len(section.samples) for name, section in job.sections.items()}
    facts = job.source.facts.model_copy(update={"parts": parts})
    listener.data(facts, job.notes)
    listener.net(net.summary())
    result = fit(
        net,
        batches_of(job, "train"),
        job.task.loss,
        job.settings,
        valid=batches_of(job, "valid") if "valid" in job.sections else None,
        measure=job.task.measure,
        folder=home.path if home is not None else None,
        hooks=listener.hooks(),
        resume=resume,
    )
    model, evaluation, bundle = _outcome(job, net)
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
    bundle = with_metrics(bundle, evaluation)
    if home is not None and first:
        _write(home, bundle, run)
        listener.written(home)
    return Trained(model, bundle, run, home, interrupted=result.stopped == "interrupted")


def _outcome(job: Job, net: AnyNet) -> tuple[Model | None, Evaluation, Bundle]:
    """What was trained, judged, and its bundle."""
    if isinstance(net, Pretext):
        return None, pretraining.judge(job, net), pretraining.bundle(job, net)
    model = calibrated(job, net)
    return model, _judge(job, model), model.predictor.bundle


def first_net(job: Job, own: nn.Module | None = None) -> tuple[AnyNet, tuple[Note, ...]]:
    """The net with its first weights, and what to tell of those that were taken over."""
    seed_everything(job.config.seed)
    section = job.sections["train"]
    lengths = np.unique(section.samples.lengths)
    inputs = job.preprocessor.inputs(int(lengths[0]) if len(lengths) == 1 else None)
    outputs = job.task.outputs(job.preprocessor.schema)
    wanted = job.config.net or []
    net: AnyNet
    if isinstance(job.task, Pretrain):
        net = pretraining.build(job.task, own if own is not None else wanted, inputs)
    elif own is not None:
        net = CustomNet(own, inputs, outputs)
    elif isinstance(wanted, str) and ":" in wanted:
        net = load_custom(wanted, inputs, outputs)
    else:
        net = Net(wanted, inputs, outputs)
    if job.preprocessor.schema.session:
        _refuse_looking_ahead(net)
    if isinstance(job.task, Ctc):
        _refuse_short(job, job.task, net)
    return net, (() if job.config.start_from is None else take_over(job, net))


def _refuse_looking_ahead(net: AnyNet) -> None:
    """Sessions are learnt at all their steps in one pass, which is only right in a net that looks back."""
    if not isinstance(net, Net):
        raise ConfigError("recommend trains nets of layers only", where="net", mend="write the net as a list of layers")
    for note in net.streamable():
        raise ConfigError(
            "recommend learns from every step of a session in one pass, and this layer looks ahead",
            where=note.en,
            mend="use layers that look back only, and pool: {kind: last}",
        )


def _refuse_short(job: Job, task: Ctc, net: AnyNet) -> None:
    """What is learnt must fit into the steps of the net; of a test part, what does not counts as an error."""
    if not isinstance(net, Net):
        raise ConfigError("ctc trains nets of layers only", where="net", mend="write the net as a list of layers")
    for section in (job.sections[name] for name in ("train", "valid") if name in job.sections):
        truth = job.preprocessor.truth(section.series, section.samples)[:, 0]
        task.refuse(section.series, section.samples, truth, net.pace)


def batches_of(job: Job, name: str) -> Batches:
    """Those of a part, as training and validation read them."""
    section, settings, training = job.sections[name], job.settings, name == "train"
    samples, gather = section.samples, cast(Gather, job.preprocessor)
    if section.lessons is not None:
        gather = job.task.gather(job.preprocessor, section.series, section.samples, settings.seed)
        samples = section.lessons
    return Batches(
        gather,
        section.series,
        samples,
        batch_size=settings.batch_size if training else max(256, settings.batch_size),
        shuffle=training,
        seed=settings.seed,
        weights=job.weights[samples.series] if training and job.weights is not None else None,
        share=_share() if training else (0, 1),
        most=settings.epoch_batches if training else None,
    )


def _share() -> tuple[int, int]:
    """This process among those that ``torchrun`` started."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def calibrated(job: Job, net: Net | CustomNet) -> Model:
    """The model with its intervals, temperatures or threshold fitted on the validation part."""
    preprocessor = _to_horizon(job)
    decoding = job.task.decoding(preprocessor.schema)
    if isinstance(decoding, NumberDecoding) and any(preprocessor.summed):
        decoding = decoding.model_copy(update={"summed": preprocessor.summed})
    plain = Model.of(to_bundle(job.config, job.source, job.task, net, preprocessor, decoding), net)
    held = next((job.sections[name] for name in job.task.fits_on if name in job.sections), None)
    if held is None:
        return plain
    each = held.samples.typical_count if job.preprocessor.schema.every else 1
    some = thinned(held.samples, max(1, _CALIBRATION // (plain.predictor.outputs.size * each)))
    counts = some.counts if job.preprocessor.schema.every else None
    decoding = job.task.calibrate(*plain.compared(held.series, some), decoding, counts)
    return Model.of(to_bundle(job.config, job.source, job.task, net, preprocessor, decoding), net)


def _to_horizon(job: Job) -> Preprocessor:
    """For answers: a one-step net is rolled out, and needs what is known over the whole horizon."""
    task, preprocessor = job.task, job.preprocessor
    if not isinstance(task, Forecast) or task.steps == task.settings.horizon:
        return preprocessor
    return Preprocessor.from_json({**preprocessor.to_json(), "horizon": task.settings.horizon})


def _judge(job: Job, model: Model) -> Evaluation:
    """The test part; without one the validation part, without that the training part."""
    learnt = job.sections["train"]
    held = next(job.sections[name] for name in ("test", "valid", "train") if name in job.sections)
    return assess(
        model, held.series, held.samples, train=(learnt.series, learnt.samples), groups=held.groups, name=held.name
    )


def _write(home: RunFolder, bundle: Bundle, run: Run) -> None:
    from unrolled.report.html import render

    bundle.write(home.bundle)
    home.write_run(run)
    write_text(home.report, render(run, run.config.get("language", "en")))
