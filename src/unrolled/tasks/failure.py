"""Failure: the probability that something fails within a horizon, from the histories of its sensors.

Letters: n samples, B batch, N rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import platt, threshold
from unrolled.prepare.decoding import AlarmDecoding, Decoding
from unrolled.prepare.pages import pieces
from unrolled.prepare.series import Column, Series
from unrolled.program.functions import sigmoid
from unrolled.program.shapes import Outputs
from unrolled.tasks import labels, losses
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.target import event_within, events_of, replaced
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, targets_of

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch


class FailureSettings(TaskSettings):
    """What a failure prediction can be asked.

    Attributes:
        horizon: rows ahead in which a failure counts.
        source: what the target column holds: "life" (remaining rows to the failure), "event" (1 in the row where
            it fails), "label" (1 or the second class where a failure is near); "auto" takes a column of 0 and 1
            for events, a category for labels, anything else for a life.
        loss: "cross_entropy", or a function ``(output (B, 1, 1, 1), label (B, 1)) -> loss``, scalar or with B rows.
        positive_weight: how often a failing sample counts in the loss; "balanced" is the number of other samples
            for each failing one, and ``fit`` puts the number in its place.
        miss_cost: cost of a missed failure in false alarms, for which the alarm threshold is chosen on the
            validation part; None chooses the threshold of the highest F1.
    """

    horizon: int = Field(30, ge=1)
    source: Literal["auto", "life", "event", "label"] = "auto"
    loss: Literal["cross_entropy"] | Plugin = "cross_entropy"
    positive_weight: Literal["balanced"] | float = Field("balanced", validate_default=True)
    miss_cost: float | None = Field(None, gt=0)


@dataclass(frozen=True)
class Failure(Task):
    """A calibrated probability, and an alarm from a threshold on."""

    name: ClassVar[str] = "failure"
    baselines: ClassVar[tuple[str, ...]] = ("prior", "logistic")
    options: ClassVar[type[TaskSettings]] = FailureSettings
    settings: FailureSettings = field(default_factory=FailureSettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        """Average precision, which class weights do not bend; log loss where validation has no failure."""
        return ("average_precision", "log_loss")

    def outputs(self, columns: Columns) -> Outputs:
        self._target(columns)
        return Outputs()

    def derive(self, series: Series) -> Series:
        """The series with a label in the place of its target: "yes" where a failure follows within the horizon."""
        column = self._target(series)
        cells = (series.values if column.level == "row" else series.cases)[:, series.index(column)]
        source = self._source(column, cells)
        horizon = self.settings.horizon
        events = events_of(cells) if source == "event" and column.level == "row" else None

        def label(values: Values, begin: int) -> Values:
            if events is not None:
                return event_within(events, series.starts, horizon, np.arange(begin, begin + len(values)))
            flag = values <= horizon if source == "life" else values > 0
            return np.where(np.isnan(values), np.nan, flag).astype(np.float32)

        return replaced(series, column, label, kind="category", categories=("no", "yes"))

    def fit(self, truth: Values) -> Self:
        """The weight of failing samples for "balanced" from the labels ``(n, 1)`` of the training part."""
        if self.settings.positive_weight != "balanced":
            return self
        failing, others = int((truth == 1).sum()), int((truth == 0).sum())
        weight = others / failing if failing else 1.0
        return replace(self, settings=self.settings.model_copy(update={"positive_weight": weight}))

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        settings, truth = self.settings, batch.y
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, truth, batch.weight)
        if settings.positive_weight == "balanced":
            raise ConfigError("the balanced weight was not fitted", where="option positive_weight")
        loss = losses.binary_cross_entropy(output[:, 0, :, 0], truth, settings.positive_weight)
        return losses.mean_over_known(loss, ~truth.isnan(), batch.weight)

    def decoding(self, columns: Columns) -> AlarmDecoding:
        return AlarmDecoding(target=self._target(columns).name, horizon=self.settings.horizon)

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """Scale and bias of the logit (which undo the weight of failing samples), then the alarm threshold."""
        known = np.isfinite(truth[:, 0])
        if not isinstance(decoding, AlarmDecoding) or not known.any():
            return decoding
        logit, label = output[known, 0, 0, 0].astype(np.float64), truth[known, 0].astype(np.int64)
        scale, bias = platt(logit, label)
        limit = threshold(sigmoid(scale * logit + bias), label, miss_cost=self.settings.miss_cost)
        return decoding.model_copy(update={"scale": scale, "bias": bias, "threshold": limit})

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        assert answer.probability is not None
        known = np.isfinite(truth[:, 0])
        label = truth[known, 0].astype(np.int64)
        chance, alarm = answer.probability[known, 0], answer.value[known, 0].astype(np.int64)
        return (
            *labels.ranking_figures(label == 1, chance[:, 1]),
            *labels.detection_figures(label == 1, alarm == 1),
            *labels.probability_figures(label, chance),
        )

    def headline(self, answer: Answer, scales: Scales) -> str:
        return "average_precision"

    def _target(self, columns: Columns) -> Column:
        targets = targets_of(columns, self.name)
        if len(targets) > 1:
            names = ", ".join(repr(column.name) for column in targets)
            raise ConfigError(f"failure takes one target, not {names}", where="option target", mend="name one of them")
        return targets[0]

    def _source(self, column: Column, cells: Values) -> str:
        if column.kind == "category":
            if len(column.categories) != 2 or self.settings.source not in ("auto", "label"):
                raise ConfigError(
                    f"the target {column.name!r} has the classes {', '.join(column.categories)}; a failure is a "
                    "remaining life, an event of 0 and 1, or a label of two classes",
                    where="option target",
                    mend="choose another column, or use the task classify",
                )
            return "label"
        if self.settings.source != "auto":
            return self.settings.source
        plain = all(np.isin(some[np.isfinite(some)], (0, 1)).all() for _, some in pieces(cells))
        return "event" if plain else "life"

    def _plain(self, output: Values) -> AlarmDecoding:
        return AlarmDecoding(target="failure", horizon=self.settings.horizon)
