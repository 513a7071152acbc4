"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.train import checkpoint
from unrolled.train.averaging import Average
from unrolled.train.best import Best
from unrolled.train.failure import check_start, told
from unrolled.train.fitting import Fitting
from unrolled.train.history import History
from unrolled.train.hooks import Hook
from unrolled.train.interrupt import Interrupt
from unrolled.train.machine import build_fabric, seed_everything, summed, torch_options
from unrolled.train.protocols import Batches, Loss, Measure
from unrolled.train.schedule import Schedule
from unrolled.train.settings import TrainSettings
from unrolled.train.stepper import Stepper
from unrolled.train.validation import validate
from unrolled.train.vitals import Vitals
from unrolled.train.warm import freeze
from unrolled.train.watch import Watch

_READ_EVERY = 50  # steps between two readings of a GPU


@dataclass(frozen=True)
class FitResult:
    """How training went; the net holds the best weights.

    Attributes:
        rows: one an epoch, as in ``metrics.jsonl``.
        epochs: epochs finished.
        best_epoch: the one whose weights the net has (the last one without validation).
        best: its monitored figure, None without validation.
        stopped: "epochs" (all done), "early" (patience), "time" (budget), "interrupted" (Ctrl-C), or a hook's word.
        seconds: time spent, resumed parts included.
    """

    rows: tuple[dict[str, float], ...]
    epochs: int
    best_epoch: int
    best: float | None
    stopped: str
    seconds: float


@dataclass(frozen=True)
class _Job:
    """What ``fit`` was asked."""

    net: nn.Module
    batches: Batches
    loss: Loss
    settings: TrainSettings
    valid: Batches | None
    measure: Measure | None
    folder: Path | None
    hooks: Sequence[Hook]


def fit(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    settings: TrainSettings,
    *,
    valid: Batches | None = None,
    measure: Measure | None = None,
    folder: Path | str | None = None,
    hooks: Sequence[Hook] = (),
    resume: bool = False,
) -> FitResult:
    """Train ``net`` in place; it ends with the weights of the best epoch, on the device used.

    Args:
        net: called with the tensors of a batch: ``net(x=, lengths=, static=, known=)``.
        batches: training part; under ``torchrun`` this process's share of it.
        loss: mean loss of a batch. Gradient accumulation and data-parallel training weigh batches by their number
            of samples, so that they equal one large batch.
        settings: all options; ``batch_size`` and ``warm_layers`` are for the caller, who makes batches and weights.
        valid: validation part, whole in every process; without it nothing is monitored and the last weights stay.
        measure: the figure to show beside the loss, and to monitor.
        folder: where ``metrics.jsonl`` and the checkpoint go; None writes nothing.
        hooks: called at their moments, by the first process.
        resume: go on from the folder's checkpoint where there is one.

    Raises:
        TrainingError: the loss or a gradient is not finite, memory runs out, or the checkpoint does not fit.
        ConfigError: the settings ask for what the machine, the net or the data lacks.
        DataError: there is no batch to train on.
        UnrolledError: the folder cannot be written.
    """
    check_start(net, batches)
    if valid is None and settings.schedule == "plateau":
        raise ConfigError(
            "schedule plateau waits for the validation figure, and there is no validation part",
            where="schedule: plateau",
            mend="set a part of the data aside for validation, or choose another schedule",
        )
    freeze(net, settings.freeze)
    with torch_options(settings), Interrupt() as interrupt:
        fabric = build_fabric(settings)
        own_hooks = hooks if fabric.is_global_zero else ()
        where = None if folder is None else Path(folder)
        job = _Job(net, batches, loss, settings, valid, measure, where, own_hooks)
        return _Loop(job, fabric, interrupt).run(resume)


class _Loop:
    def __init__(self, job: _Job, fabric: Fabric, interrupt: Interrupt) -> None:
        self._job, self._fabric, self._interrupt = job, fabric, interrupt
        settings = job.settings
        every = _READ_EVERY if fabric.device.type == "cuda" else 1
        watch = Watch(every, settings.clip_norm, scaled=settings.precision == "fp16")
        best = Best(settings.patience, settings.min_delta, int(settings.best_from * settings.epochs) + 1)
        self._fitting = Fitting(settings, len(job.batches), watch, best)
        self._stepper = Stepper(job.net, job.loss, settings, fabric)
        self._schedule = Schedule(settings, math.ceil(len(job.batches) / settings.accumulate))
        self._average = Average(job.net, settings)
        self._vitals = Vitals(job.net, settings.look_every)
        self._history: History | None = None
        self._clock = self._saved = time.monotonic()

    def run(self, resume: bool) -> FitResult:
        fitting = self._fitting
        self._start(resume)
        try:
            self._tell("on_start")
            self._epochs()
            self._save()
        except KeyboardInterrupt:  # a second Ctrl-C: a step may be half done, the checkpoint before it stays
            fitting.stop = "interrupted"
        except Exception as error:
            self._settle()
            parts = {"training": self._job.batches, "validation": self._job.valid}
            reason = told(error, fitting, parts, self._job.folder)
            self._tell("on_error", reason)
            if reason is error:
                raise
            raise reason from error
        self._settle()
        self._tell("on_stop")
        return FitResult(
            rows=tuple(fitting.rows),
            epochs=fitting.epoch,
            best_epoch=fitting.best.epoch or fitting.epoch,
            best=fitting.best.value,
            stopped=fitting.stop or "epochs",
            seconds=fitting.seconds,
        )

    def _epochs(self) -> None:
        fitting, settings = self._fitting, self._job.settings
        while fitting.stop is None:
            if fitting.epoch >= settings.epochs:
                fitting.stop = "epochs"
            elif fitting.best.exhausted:
                fitting.stop = "early"
            elif any(summed(self._fabric, self._late())):
                fitting.stop = "time"
            else:
                self._epoch()

    def _epoch(self) -> None:
        """The rest of the running epoch, unless Ctrl-C or the end of the time budget comes first."""
        fitting = self._fitting
        self._stepper.net.train()
        self._stepper.begin(fitting.epoch)
        batches = self._job.batches.epoch(fitting.epoch, start=fitting.batch)
        while group := list(islice(batches, self._job.settings.accumulate)):
            interrupted, late = self._step(group)
            self._tell("on_batch")
            if interrupted:
                fitting.stop = "interrupted"
                return
            if late:
                break
            self._save_inside(len(group))
        self._close_epoch()

    def _step(self, group: list[Batch]) -> tuple[bool, bool]:
        """One optimiser step; whether any process was interrupted, or ran out of time."""
        fitting = self._fitting
        own = sum(len(batch) for batch in group)
        total, interrupted, late = summed(self._fabric, own, self._interrupt.requested, self._late())
        with self._vitals.looking(fitting.step):
            loss, norm = self._stepper.gradients(group, total)
            fitting.watch.record(loss, norm, own, fitting.batch)
            self._stepper.update(self._schedule.rate(fitting.step))
        self._average.after_step()
        fitting.step += 1
        fitting.batch += len(group)
        return bool(interrupted), bool(late)

    def _close_epoch(self) -> None:
        fitting = self._fitting
        fitting.watch.read()
        self._average.after_epoch(fitting.epoch + 1)
        loss_sum, samples = summed(self._fabric, fitting.watch.loss_sum, fitting.watch.samples)
        row = {"epoch": fitting.epoch + 1, "train_loss": loss_sum / samples}
        if self._job.valid is not None:
            row |= self._validate(self._job.valid)
        row |= fitting.watch.row() | self._vitals.row() | self._stepper.row(fitting.epoch)
        row["lr"] = self._schedule.rate(fitting.step - 1)
        alarms = self._vitals.alarms(row)
        row |= {f"alarm_{alarm.code}": 1.0 for alarm in alarms}
        self._late()
        row["seconds"] = fitting.seconds - fitting.began
        fitting.rows.append(row)
        if self._history is not None:
            self._history.append(row)
        fitting.epoch, fitting.batch, fitting.began = fitting.epoch + 1, 0, fitting.seconds
        fitting.watch.reset()
        self._vitals.reset()
        self._tell("on_epoch")
        for alarm in alarms:
            self._tell("on_alarm", alarm)
        fitting.stop = self._fabric.broadcast(fitting.stop)  # a hook in the first process stops all of them
        if fitting.epoch % self._job.settings.checkpoint_epochs == 0 and self._due():
            self._save()

    def _validate(self, valid: Batches) -> dict[str, float]:
        """Validation part of an epoch's row; the best weights and schedule plateau take note of it."""
        fitting, device = self._fitting, self._fabric.device
        with self._average.applied():
            loss, metric = validate(self._stepper.net, valid, self._job.loss, self._job.measure, device)
            monitored = loss if metric is None or fitting.settings.monitor == "loss" else metric
            # Processes on different devices may differ in the last digit, and must decide alike.
            monitored = monitored.model_copy(update={"value": self._fabric.broadcast(monitored.value)})
            self._schedule.observe(fitting.best.observe(monitored, fitting.epoch + 1, self._job.net))
        row = {"valid_loss": loss.value}
        if metric is not None and math.isfinite(metric.value):
            row[f"valid_{metric.name}"] = metric.value
        return row

    def _start(self, resume: bool) -> None:
        """Random numbers, and the folder's checkpoint or a clean folder."""
        job = self._job
        seed_everything(job.settings.seed + self._fabric.global_rank)
        if job.folder is None:
            return
        state = checkpoint.read(job.folder, job.settings) if resume else None
        if state is not None:
            self._load(state, job.folder)
        self._fabric.barrier()
        if self._fabric.is_global_zero:
            self._history = History(job.folder, self._fitting.rows)
            checkpoint.clean(job.folder, keep=resume)

    def _load(self, state: dict[str, Any], folder: Path) -> None:
        try:
            if state["fitting"]["batches"] != self._fitting.batches:
                raise checkpoint.misfit(folder, "the training part has another size than when the run began")
            self._job.net.load_state_dict(state["net"])
            self._stepper.optimizer.load_state_dict(state["optimizer"])
            self._fabric.strategy.precision.load_state_dict(state["scaler"])
            self._average.load_state_dict(state["average"])
            self._schedule.load_state_dict(state["schedule"])
            self._fitting.load_state_dict(state["fitting"])
            self._vitals.load_state_dict(state["vitals"])
            checkpoint.restore_generators(state["generators"], self._fabric)
        except (RuntimeError, ValueError) as error:
            raise checkpoint.misfit(folder, "the net or the number of processes is not that of the run") from error
        except (KeyError, TypeError) as error:
            raise checkpoint.misfit(folder, "a part of the checkpoint is missing") from error

    def _save(self) -> None:
        job = self._job
        if job.folder is None:
            return
        self._fitting.watch.read()
        self._late()
        state = {
            "net": job.net.state_dict(),
            "optimizer": self._stepper.optimizer.state_dict(),
            "scaler": self._fabric.strategy.precision.state_dict(),
            "average": self._average.state_dict(),
            "schedule": self._schedule.state_dict(),
            "fitting": self._fitting.state_dict(),
            "vitals": self._vitals.state_dict(),
        }
        checkpoint.write(job.folder, job.settings, state, self._fabric)
        self._saved = time.monotonic()

    def _save_inside(self, batches: int) -> None:
        """Save when these last ``batches`` completed a checkpoint interval inside the epoch."""
        every, done = self._job.settings.checkpoint_batches, self._fitting.batch
        if every and done // every > (done - batches) // every and self._due():
            self._save()

    def _due(self) -> bool:
        """Whether the last checkpoint is old enough, by the first process's clock."""
        due = time.monotonic() - self._saved >= self._job.settings.checkpoint_seconds
        return bool(self._fabric.broadcast(due))

    def _late(self) -> bool:
        """Bring ``seconds`` up to date; whether the time budget is used up."""
        now = time.monotonic()
        self._fitting.seconds += now - self._clock
        self._clock = now
        budget = self._job.settings.max_seconds
        return budget is not None and self._fitting.seconds >= budget

    def _settle(self) -> None:
        """Leave the best weights in the net, none of them frozen: the best epoch's, or the average, or as they are."""
        self._stepper.end()
        if self._fitting.best.weights is not None:
            self._job.net.load_state_dict(self._fitting.best.weights)
        else:
            self._average.settle()

    def _tell(self, moment: str, *what: Any) -> None:
        for hook in self._job.hooks:
            getattr(hook, moment)(self._fitting, *what)
