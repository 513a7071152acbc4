"""Anomalies: a net learns what is usual, and what it tells badly is unusual.

It forecasts the next steps of every numeric input (Malhotra et al. 2015), or tells a sequence again through a narrow
middle (Malhotra et al. 2016); labels, where there are any, only judge it. Letters: n samples, N rows, B batch, T time,
C channels, V steps ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from unrolled.core.errors import ConfigError
from unrolled.core.records import Metric
from unrolled.prepare import scores
from unrolled.prepare.answer import Answer
from unrolled.prepare.decoding import AnomalyDecoding, Decoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.prepare.tiles import LEAD, tiles
from unrolled.program.shapes import Outputs
from unrolled.tasks import labels, losses
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Statistic, among, mean
from unrolled.tasks.target import replaced
from unrolled.tasks.task import QUANTILES, Columns, Scales, Task, TaskSettings, Values
from unrolled.tasks.windows import Span, too_short, whole

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch

Labels = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda given: tuple(map(str, given)) if isinstance(given, list | tuple) else (str(given),)),
]


class AnomalySettings(TaskSettings):
    """What the search for anomalies can be asked.

    Attributes:
        score: what the net does, and is measured by: "forecast" of the next steps, which runs row by row as data
            arrives, or "reconstruction" of the whole sequence or window.
        horizon: steps ahead of the forecast; a row is measured by all forecasts that were made of it.
        loss: what training minimises, or a function ``(output (B, T, C, V), truth (B, T, C, V)) -> loss``, scalar or
            with B rows; the truth is NaN where there is none.
        normal: labels that stand for usual rows or sequences; training and validation leave out all others. Empty
            takes the most frequent label of the training part.
        warm_up: rows at the beginning of a sequence that have no score, because there is little to forecast them from.
        false_alarms: share of usual rows (or sequences) of the validation part that the threshold lets pass as alarms.
        combine: the score of a sequence, where labels are one a sequence, from those of its rows.
    """

    score: scores.Kind = "forecast"
    horizon: int = Field(1, ge=1, le=10_000)
    loss: Literal["mse", "mae"] | Plugin = "mse"
    normal: Labels = ()
    warm_up: int = Field(0, ge=0)
    false_alarms: float = Field(0.01, gt=0, lt=1)
    combine: scores.Combine = "mean"


@dataclass(frozen=True)
class Anomaly(Task):
    """A score a row, or a sequence where labels are one a sequence, and an alarm above a threshold."""

    name: ClassVar[str] = "anomaly"
    baselines: ClassVar[tuple[str, ...]] = ("zscore",)
    options: ClassVar[type[TaskSettings]] = AnomalySettings
    fits_on: ClassVar[tuple[str, ...]] = ("valid", "train")
    settings: AnomalySettings = field(default_factory=AnomalySettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        """The loss itself, beside one of the user's own the mean square."""
        return ("mae" if self.settings.loss == "mae" else "mse",)

    def outputs(self, columns: Columns) -> Outputs:
        return Outputs(targets=len(_channels(columns)), values=self._ahead, every=True)

    def derive(self, series: Series) -> Series:
        """The series with "yes" in the place of every label that is not a usual one."""
        column = self._target(series)
        if column is None or column.categories == ("no", "yes"):
            return series
        if not self.settings.normal:
            raise ConfigError(
                f"which labels of {column.name!r} are usual is not known",
                where="option normal",
                mend="name them with --set task.normal=...",
            )
        if unknown := set(self.settings.normal) - set(column.categories):
            raise ConfigError(
                f"no row has the label {min(unknown)!r}; there are {', '.join(column.categories)}",
                where="option normal",
                mend="name those that are usual",
            )
        usual = np.array([label in self.settings.normal for label in column.categories])

        def label(values: Values, begin: int) -> Values:
            known = np.isfinite(values)
            found = np.full(len(values), np.nan, dtype=np.float32)
            found[known] = ~usual[values[known].astype(np.int64)]
            return found

        return replaced(series, column, label, kind="category", categories=("no", "yes"))

    def samples(
        self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1, last: bool = False
    ) -> Samples:
        """Sequences where labels are one a sequence; else whole spans, or pieces of at most ``window`` rows."""
        if not self._by_row(series):
            found = whole(series, spans, window=window)
        elif window is not None and window // LEAD < self.settings.warm_up:
            raise ConfigError(
                f"{self.settings.warm_up} rows without a score are more than what pieces of {window} rows overlap",
                where="option warm_up",
                mend=f"choose a --window of {LEAD * self.settings.warm_up} rows or more",
            )
        else:
            found = tiles(series, spans, window=window, stride=stride)
        if spans and not len(found):
            raise too_short(series, window, 0)
        return found

    def answer_size(self, columns: Columns, samples: Samples) -> int:
        """One score, however many channels and steps ahead it is of: of each row, or of the sequence."""
        return QUANTILES * (samples.typical_count if self._by_row(columns) else 1)

    def learnable(self, series: Series, samples: Samples) -> Samples:
        """Samples without a row, or a label, that is known to be unusual."""
        column = self._target(series)
        if column is None:
            return samples
        if column.level == "case":
            return samples[series.cases[samples.series, series.index(column)] != 1]
        unusual = np.concatenate([[0], np.cumsum(series.values[:, series.index(column)] == 1)])
        return samples[unusual[samples.end] == unusual[samples.begin]]

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Mean over rows, channels and steps ahead; the truth is the input itself."""
        truth = batch.y[..., None]
        if self.settings.score == "forecast":
            truth = output.new_full(output.shape, float("nan"))
            for k in range(min(self._ahead, output.shape[1] - 1)):
                truth[:, : -k - 1, :, k] = batch.y[:, k + 1 :]
        if ":" in self.settings.loss:
            return losses.own(resolve(self.settings.loss), output, truth, batch.weight)
        loss = losses.pointwise(self.settings.loss, output, truth, 1.0)
        return losses.mean_over_known(loss, ~truth.isnan(), batch.weight)

    def measure(self, pairs: Iterable[tuple[Tensor, Batch]]) -> Metric:
        """Mean square or absolute error over the validation part."""
        total, count = 0.0, 0
        (name,) = self.monitors
        for output, batch in pairs:
            answer, truth = output.detach().float().cpu().numpy(), batch.y.float().cpu().numpy()
            error = scores.errors(answer, truth, self.settings.score)
            known = error[np.isfinite(error)].astype(np.float64)
            total += float((known**2 if name == "mse" else np.abs(known)).sum())
            count += len(known)
        wanted = self.settings.monitor or name
        if wanted != name or not count:
            raise ConfigError(
                f"the metric {wanted!r} is not defined on the validation part",
                where="option monitor",
                mend=f"choose {name}" if count else "make the validation part larger",
            )
        return Metric(name=name, value=total / count)

    def decoding(self, columns: Columns) -> AnomalyDecoding:
        target = self._target(columns)
        return AnomalyDecoding(
            target="" if target is None else target.name,
            channels=tuple(column.name for column in _channels(columns)),
            kind=self.settings.score,
            ahead=self._ahead,
            warm_up=self.settings.warm_up,
            by_row=self._by_row(columns),
            combine=self.settings.combine,
            false_alarms=self.settings.false_alarms,
        )

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """Center and scale of the errors ``(N, V, C, 1)`` of usual rows, then the threshold."""
        if not isinstance(decoding, AnomalyDecoding) or not len(output):
            return decoding
        center, scale = scores.center_and_scale(output[..., 0])
        tables = {"center": tuple(map(tuple, center.tolist())), "scale": tuple(map(tuple, scale.tolist()))}
        fitted = decoding.model_copy(update=tables)
        limit = scores.threshold_of(fitted.score(output[..., 0], counts), decoding.false_alarms)
        return fitted.model_copy(update={"threshold": limit})

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        """Where labels are known how well scores and alarms tell them apart, and how often there is an alarm."""
        assert answer.score is not None
        known = np.isfinite(truth[:, 0])
        alarms = answer.value[:, 0] > 0
        if not known.any():
            return (mean("alarm_rate", alarms.astype(np.float64), "nominal"),)
        label, alarm = truth[known, 0] == 1, alarms[known]
        found = (
            *labels.ranking_figures(label, answer.score[known, 0]),
            *labels.detection_figures(label, alarm),
            mean("false_alarm_rate", np.where(label, np.nan, alarm)),
        )
        if scales.fresh is None:
            return among(known, found)
        fresh = np.diff(np.cumsum(scales.fresh)[known], prepend=-1) != 0
        adjusted = scores.point_adjusted(alarm, label, fresh)
        f1 = {figure.name: figure for figure in labels.detection_figures(label, adjusted)}["f1"]
        return among(known, (*found, replace(f1, name="f1_point_adjusted")))

    def headline(self, answer: Answer, scales: Scales) -> str:
        return "average_precision"

    @property
    def _ahead(self) -> int:
        return self.settings.horizon if self.settings.score == "forecast" else 1

    def _by_row(self, columns: Columns) -> bool:
        """Scores are one a row, not one a sequence."""
        target = self._target(columns)
        return target is None or target.level == "row"

    def _target(self, columns: Columns) -> Column | None:
        targets = columns.of_role("target")
        if len(targets) > 1:
            names = ", ".join(repr(column.name) for column in targets)
            raise ConfigError(
                f"anomaly takes one column of labels, not {names}", where="option target", mend="name one of them"
            )
        return targets[0] if targets else None

    def _plain(self, output: Values) -> AnomalyDecoding:
        channels = tuple(str(number) for number in range(output.shape[2]))
        return AnomalyDecoding(channels=channels, kind=self.settings.score, ahead=self._ahead)


def _channels(columns: Columns) -> tuple[Column, ...]:
    """The numeric inputs that change from row to row.

    Raises:
        ConfigError: there is none.
    """
    found = tuple(column for column in columns.of_role("feature", "known") if column.kind == "number")
    if not found:
        raise ConfigError(
            "there is no numeric column to forecast or to reconstruct", where="option features", mend="name some"
        )
    return found
