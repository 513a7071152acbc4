"""What a task is: it joins a net to a purpose.

Letters: n samples, B batch, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Metric, Record
from unrolled.prepare.answer import Answer
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import Decoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Role, Series
from unrolled.program.shapes import Outputs
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Opaque, Statistic
from unrolled.tasks.windows import Span, known_truth, sliding, too_short, whole

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch
    from unrolled.data.batches import Gather
    from unrolled.prepare.preprocess import Preprocessor

QUANTILES = 8  # of a number, at most

Values = npt.NDArray[np.floating[Any]]


class Columns(Protocol):
    """A ``Schema`` or a ``Series``: something whose columns have roles."""

    def of_role(self, *roles: Role) -> tuple[Column, ...]: ...


class TaskSettings(Record):
    """What every task lets the user choose.

    Attributes:
        metrics: functions ``(truth, prediction) -> float`` beside the task's own metrics, by "module:function" or
            as such; a function with an attribute ``better = "higher"`` is to be maximised.
        monitor: the metric that validation watches; None leaves the choice to the task.
    """

    metrics: tuple[Plugin, ...] = ()
    monitor: str | None = Field(None, min_length=1)


@dataclass(frozen=True)
class Scales:
    """What figures need beside truth and answer: what errors are divided by, and where sequences begin.

    Attributes:
        deviation: ``(M,)`` standard deviation of each target over the training rows.
        naive: ``(n, M)`` in-sample error of the seasonal naive forecast of each sample's series.
        fresh: ``(n,)`` where answers are one a row, whether another sequence begins here.
    """

    deviation: Values | None = None
    naive: Values | None = None
    fresh: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Task(ABC):
    """Base of all tasks. Truth and answers have shape ``(n, S, M)`` in a forecast, ``(n, M)`` otherwise."""

    name: ClassVar[str]
    baselines: ClassVar[tuple[str, ...]]  # simple methods that it is judged beside
    options: ClassVar[type[TaskSettings]]  # the class of ``settings``
    fits_on: ClassVar[tuple[str, ...]] = ("valid",)  # parts to which the decoding is fitted, the first there is
    settings: TaskSettings

    @abstractmethod
    def outputs(self, columns: Columns) -> Outputs:
        """Sizes of the net's output.

        Raises:
            ConfigError: the targets do not suit the task.
        """

    @abstractmethod
    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Scalar training loss of ``(B, S, M, V)`` outputs, a mean over the batch that honours its weights."""

    @abstractmethod
    def decoding(self, columns: Columns) -> Decoding:
        """How outputs are read before anything was calibrated."""

    @abstractmethod
    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        """The task's own figures of merit."""

    @abstractmethod
    def headline(self, answer: Answer, scales: Scales) -> str:
        """Name of the metric that the verdict is about."""

    @property
    @abstractmethod
    def monitors(self) -> tuple[str, ...]:
        """Metrics that validation may watch; the first that is defined is taken."""

    @abstractmethod
    def _plain(self, output: Values) -> Decoding:
        """A decoding for outputs ``(n, S, M, V)`` whose columns are not known."""

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """The decoding fitted to outputs and truth of the validation part, both in model scale.

        Args:
            output: ``(n, S, M, V)``, as ``decode`` reads it.
            truth: as of ``arrays``; one a row where each step has its own answer.
            decoding: before it is fitted.
            counts: rows of each sample, where each step has its own answer.
        """
        return decoding

    def fit(self, truth: Values) -> Self:
        """The task with what it learns from the training part's truth (class weights)."""
        return self

    def derive(self, series: Series) -> Series:
        """The series with the target that the net learns, where that is not the column itself.

        Raises:
            ConfigError: the targets do not suit the task.
        """
        return series

    def samples(
        self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1, last: bool = False
    ) -> Samples:
        """Windows whose truth lies in ``spans``; see ``tasks.windows``.

        Args:
            series: the data, as ``derive`` returns it.
            spans: ``(sequence, first row, end row)``.
            window: input rows; None takes whole sequences, where each has one truth.
            stride: rows between windows.
            last: only the last window of each span (one prediction a sequence).

        Raises:
            DataError: no window fits.
        """
        targets = series.of_role("target")
        if all(column.level == "case" for column in targets):
            found = whole(series, spans, window=window)
        elif window is None:
            raise ConfigError(
                "the target changes along the sequence, so a window is needed",
                where="option window",
                mend="give the number of rows that a prediction looks back on, such as --window 30",
            )
        else:
            found = sliding(series, spans, window=window, ahead=0, stride=stride, last=last)
        if spans and not len(found):
            raise too_short(series, window, 0)
        found = known_truth(series, found, targets)
        if spans and not len(found):
            names = ", ".join(repr(column.name) for column in targets)
            raise DataError(f"no sample has a value in the target {names}", where=series.source)
        return found

    def learnable(self, series: Series, samples: Samples) -> Samples:
        """Those of the training and validation samples that may be learnt from."""
        return samples

    def lessons(self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1) -> Samples:
        """What training reads, where that is not ``samples``: whole sequences for a net that answers at every step."""
        return self.samples(series, spans, window=window, stride=stride)

    def gather(self, preprocessor: Preprocessor, series: Series, samples: Samples, seed: int) -> Gather:
        """What gathers the batches of ``lessons``.

        Args:
            preprocessor: fitted.
            series, samples: the training part.
            seed: of what is drawn.
        """
        return preprocessor

    def answer_size(self, columns: Columns, samples: Samples) -> int:
        """Numbers that are kept of what is answered to a sample, on average."""
        outputs = self.outputs(columns)
        return outputs.size * QUANTILES * (samples.typical_count if outputs.every else 1)

    def metrics(self, truth: Values, answer: Answer, scales: Scales | None = None) -> tuple[Statistic, ...]:
        """All figures of merit that are defined on these samples, the user's own last."""
        found = list(self.statistics(truth, answer, scales or Scales()))
        for name in self.settings.metrics:
            function = resolve(name)
            figure = float(function(truth, answer.value))
            found.append(Opaque(name.split(":")[-1], getattr(function, "better", "lower"), figure))
        return tuple(statistic for statistic in found if np.isfinite(statistic.value))

    def measure(self, pairs: Iterable[tuple[Tensor, Batch]]) -> Metric:
        """The monitored metric over all (output, batch) pairs of the validation part, in model scale.

        Raises:
            ConfigError: no metric of that name is defined on these samples.
        """
        answer, truth = self._answered(
            (output.detach().float().cpu().numpy(), batch.y.float().cpu().numpy()) for output, batch in pairs
        )
        found = {metric.name: metric for metric in self.metrics(truth, answer)}
        for name in (self.settings.monitor,) if self.settings.monitor else self.monitors:
            if name in found:
                return Metric(name=name, value=found[name].value, better=found[name].better)
        raise ConfigError(
            f"the metric {self.settings.monitor or self.monitors[0]!r} is not defined on the validation part",
            where="option monitor",
            mend=f"choose one of {', '.join(found)}" if found else "make the validation part larger",
        )

    def _answered(self, pairs: Iterable[tuple[Values, Values]]) -> tuple[Answer, Values]:
        """Answer and truth of all validation batches."""
        output, truth = (np.concatenate(part) for part in zip(*(self._read(*pair) for pair in pairs), strict=True))
        return decode(output, self._plain(output)), truth

    def _read(self, output: Values, truth: Values) -> tuple[Values, Values]:
        """Output and truth of a validation batch as ``decode`` and the figures take them."""
        return output, truth[:, : output.shape[1]] if truth.ndim == 3 else truth


def numeric_targets(columns: Columns, task: str) -> tuple[Column, ...]:
    """The target columns.

    Raises:
        ConfigError: there is none, or one is a category.
    """
    targets = targets_of(columns, task)
    for column in targets:
        if column.kind == "category":
            raise ConfigError(
                f"the target {column.name!r} is a category, and {task} predicts numbers",
                where="option target",
                mend="use the task classify, or choose a numeric column",
            )
    return targets


def category_targets(columns: Columns, task: str) -> tuple[Column, ...]:
    """The target columns.

    Raises:
        ConfigError: there is none, one is a number, or one has less than two classes.
    """
    targets = targets_of(columns, task)
    for column in targets:
        if column.kind == "number":
            raise ConfigError(
                f"the target {column.name!r} is a number, and {task} predicts classes",
                where="option target",
                mend="use the task forecast or regress, or declare the column a category",
            )
        if len(column.categories) < 2:
            raise DataError(
                f"the target {column.name!r} has only one class in the training part: {column.categories}",
                mend="check the split, or give examples of every class",
            )
    return targets


def targets_of(columns: Columns, task: str) -> tuple[Column, ...]:
    """The target columns.

    Raises:
        ConfigError: there is none.
    """
    targets = columns.of_role("target")
    if not targets:
        raise ConfigError(f"{task} needs a target", where="option target", mend="name a column with --target")
    return targets
