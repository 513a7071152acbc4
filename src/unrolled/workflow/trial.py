"""One config, trained within a budget and measured on the validation part; the test part is never looked at.

A trial lives in a run's folder. Called again there with a larger budget, it goes on where it stopped: the numbers are
those of a trial that was given the larger budget at once.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from unrolled.core.errors import ConfigError, DivergedError, MemoryUsedUpError, UnrolledError
from unrolled.core.files import write_text
from unrolled.core.records import Metric
from unrolled.core.trial import WHOLE, Budget, Reason, Trial, cost
from unrolled.data.batch import Batch
from unrolled.data.split import VALID_SHARE
from unrolled.evaluate import assess
from unrolled.evaluate.latency import median_microseconds
from unrolled.nets import Net, Pretext
from unrolled.runtime import Predictor, Stream
from unrolled.tasks import Task
from unrolled.train import FitResult, Fitting, Hook, TrainSettings, fit, torch_options
from unrolled.train.failure import memory_used_up
from unrolled.workflow.config import Config
from unrolled.workflow.job import Job, prepare
from unrolled.workflow.model import Model
from unrolled.workflow.run_folder import RunFolder
from unrolled.workflow.train import AnyNet, batches_of, calibrated, first_net

Stop = Callable[[float, float], bool]
"""(share of the epochs done, figure of the validation part such that lower is better) -> whether to prune."""

_RESAMPLES = 300  # of the interval; trials are many
_FILE = "trial.json"


def run_trial(
    config: Config,
    folder: Path | str,
    *,
    budget: Budget = WHOLE,
    seed: int | None = None,
    data: Any = None,
    stop: Stop | None = None,
    hooks: Sequence[Hook] = (),
    name: str = "",
) -> Trial:
    """Train a config as far as the budget goes, and measure what came out.

    A trial that diverges, runs out of memory or cannot be built is a record too, with the reason.

    Args:
        config: what to train; where the folder holds the trial already, its own config goes on. A validation part
            is set aside where the config leaves that to the data.
        folder: of this trial alone.
        budget: how much to train, all earlier calls included.
        seed: in the place of the config's; the data is divided as the config's own seed says.
        data: frame, array or Table in place of ``config.data.path``.
        stop: asked after every epoch.
        hooks: of the training loop.
        name: of the trial; by default that of the folder.
    """
    home = RunFolder(Path(folder))
    config = home.read_config() if home.config.exists() else comparable(config, config.seed if seed is None else seed)
    plain = config.model_dump(mode="json")
    blank = Trial(
        name=name or home.path.name, config=plain, seed=config.seed, budget=budget, state="failed", folder=str(folder)
    )
    try:
        trial = _measured(blank, config, home, data, stop, hooks)
    except Exception as error:  # whatever a config does to its own trial, the others go on
        write_text(home.path / "error.txt", traceback.format_exc())
        trial = blank.model_copy(update={"reason": _reason(error), "error": _said(error)})
    write_trial(home.path, trial)
    return trial


def write_trial(folder: Path, trial: Trial) -> None:
    """Leave a record in the folder of its trial."""
    write_text(folder / _FILE, trial.model_dump_json(indent=1))


def read_trial(folder: Path | str) -> Trial | None:
    """The record that a trial left in its folder; None while there is none.

    Raises:
        ConfigError: it is damaged.
    """
    path = Path(folder) / _FILE
    if not path.exists():
        return None
    try:
        return Trial.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError("is damaged or of another version", where=str(path)) from error


def comparable(config: Config, seed: int) -> Config:
    """The config with another seed of everything but the split, and with a validation part."""
    split = config.data.split
    own = {
        "seed": config.seed if split.seed is None else split.seed,
        "valid": VALID_SHARE if split.valid is None else split.valid,
    }
    train = {key: value for key, value in config.train.items() if key != "seed"}
    data = config.data.model_copy(update={"split": split.model_copy(update=own)})
    return config.model_copy(update={"seed": seed, "data": data, "train": train})


def _measured(
    blank: Trial, config: Config, home: RunFolder, data: Any, stop: Stop | None, hooks: Sequence[Hook]
) -> Trial:
    job = prepare(config, data, None)
    if "valid" not in job.sections:
        raise ConfigError(
            "there is no validation part to compare by", where="data", mend="set one aside: --valid-share"
        )
    with torch_options(job.settings):
        net, _ = first_net(job, None)
        if isinstance(net, Pretext):
            raise ConfigError("a pretraining has no figure to compare by", where="task", mend="choose another --task")
        home.path.mkdir(parents=True, exist_ok=True)
        home.begin(job.config, job.notes)
        watch = _Watch(job.task, math.ceil(blank.budget.share * job.settings.epochs), stop)
        result = _fit(job, net, blank.budget, home, watch, hooks)
        model = calibrated(job, net)
    model.predictor.bundle.write(home.bundle)
    figures = _figures(job, model)
    predict_us, step_us = _latencies(job, model, net)
    state = result.stopped if result.stopped in ("pruned", "interrupted") else "done"
    return blank.model_copy(
        update={
            "config": job.config.model_dump(mode="json"),
            "state": state,
            "metric": figures[0],
            "metrics": figures,
            "parameters": net.summary().parameters,
            "bytes": home.bundle.stat().st_size,
            "predict_us": predict_us,
            "step_us": step_us,
            "seconds": result.seconds,
            "stopped": result.stopped,
            "epochs": result.epochs,
            "epochs_wanted": job.settings.epochs,
        }
    )


def _fit(job: Job, net: AnyNet, budget: Budget, home: RunFolder, watch: _Watch, hooks: Sequence[Hook]) -> FitResult:
    return fit(
        net,
        batches_of(job, "train"),
        job.task.loss,
        _within(job.settings, budget),
        valid=batches_of(job, "valid"),
        measure=watch.measure,
        folder=home.path,
        hooks=(watch, *hooks),
        resume=True,
    )


def _within(settings: TrainSettings, budget: Budget) -> TrainSettings:
    limits = [limit for limit in (settings.max_seconds, budget.seconds) if limit is not None]
    return settings.model_copy(update={"max_seconds": min(limits, default=None)})


def _figures(job: Job, model: Model) -> tuple[Metric, ...]:
    """Of the validation part, the headline first."""
    learnt, held = job.sections["train"], job.sections["valid"]
    evaluation = assess(
        model,
        held.series,
        held.samples,
        train=(learnt.series, learnt.samples),
        groups=held.groups,
        name="valid",
        resamples=_RESAMPLES,
    )
    return evaluation.model.metrics


def _latencies(job: Job, model: Model, net: AnyNet) -> tuple[float, float | None]:
    """Of one answer at batch 1, and of one step of one stream (None where a layer looks ahead), in microseconds."""
    bundle, held = model.predictor.bundle, job.sections["valid"]
    predictor = model.predictor if bundle.manifest.plan is None else Predictor(bundle)
    arrays = model.preprocessor.arrays(held.series, held.samples[:1], truth=False)
    answer = median_microseconds(lambda: predictor.output(arrays))
    if not isinstance(net, Net) or net.streamable():
        return answer, None
    stream = Stream(net.plan(), bundle.weights, 1, static=arrays.static, known=arrays.known)
    first = arrays.x[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # one row over and over can drive a state out of range
        return answer, median_microseconds(lambda: stream.step(first))


def _reason(error: Exception) -> Reason:
    if isinstance(error, DivergedError):
        return "diverged"
    return "out_of_memory" if isinstance(error, MemoryUsedUpError) or memory_used_up(error) else "error"


def _said(error: Exception) -> str:
    """In one line, without the advice, which is for a user who mends one config."""
    if isinstance(error, UnrolledError):
        return f"{error.where}: {error.what}" if error.where else error.what
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


class _Watch(Hook):
    """Ends training at the budget, or where ``stop`` says so; keeps the figure of the last validation."""

    def __init__(self, task: Task, epochs: int, stop: Stop | None) -> None:
        self._task, self._epochs, self._stop = task, epochs, stop
        self._last: Metric | None = None

    def measure(self, pairs: Iterable[tuple[Tensor, Batch]]) -> Metric:
        self._last = self._task.measure(pairs)
        return self._last

    def on_start(self, fitting: Fitting) -> None:
        if self._epochs <= fitting.epoch < fitting.settings.epochs:
            fitting.stop = "budget"

    def on_epoch(self, fitting: Fitting) -> None:
        if self._epochs <= fitting.epoch < fitting.settings.epochs:
            fitting.stop = "budget"
        if self._stop is None or self._last is None or not math.isfinite(self._last.value):
            return
        if self._stop(fitting.epoch / fitting.settings.epochs, cost(self._last)):
            fitting.stop = "pruned"
