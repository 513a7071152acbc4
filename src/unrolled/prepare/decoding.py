"""How a net's raw output is read; these settings travel in the bundle as JSON.

Letters: n samples, S steps, M targets, Q probability levels.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from unrolled.core.records import Record
from unrolled.prepare import scores
from unrolled.prepare.answer import Answer, Values
from unrolled.prepare.spelling import Spelling

_NEVER = 1e300  # a threshold that no score reaches; JSON has no infinity


class NumberDecoding(Record):
    """How numbers are read, of a forecast (truth ``(n, S, M)``) or a regression (truth ``(n, M)``).

    Attributes:
        task: decides the shape of the answer.
        targets: names, in the order of the net's output.
        horizon: steps to forecast; more than the net's own steps means that the net is rolled out.
        quantiles: probability of each of the net's values; empty when the net gives one point.
        levels: probabilities of the calibrated quantiles; the first and the last make the interval.
        offsets: ``(Q, S, M)`` in model scale, added to the point (or to the net's own quantile) to give the
            calibrated quantile; empty when nothing was calibrated.
        summed: for each target, whether its steps are changes that add up to the forecast: its offsets then belong
            to their running sum. Empty means no target.
        calibrated_on: how many samples the offsets rest on.
        bounds: smallest and largest possible answer, in original units.
    """

    task: Literal["forecast", "regress"]
    targets: tuple[str, ...]
    horizon: int = 1
    quantiles: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    offsets: tuple[tuple[tuple[float, ...], ...], ...] = ()
    summed: tuple[bool, ...] = ()
    calibrated_on: int = 0
    bounds: tuple[float | None, float | None] = (None, None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        targets = len(self.targets)
        rows = [row for level in self.offsets for row in level]
        if self.offsets and (
            len(self.offsets) != len(self.levels)
            or (self.quantiles and len(self.quantiles) != len(self.levels))
            or {len(level) for level in self.offsets} != {self.horizon}
            or {len(row) for row in rows} != {targets}
        ):
            raise ValueError("offsets must be one number for each level, step and target")
        if len(self.summed) not in (0, targets):
            raise ValueError("summed must say yes or no for each target")
        return self

    @property
    def point(self) -> int:
        """Which of the net's values is the prediction: the one nearest to the median."""
        return int(np.argmin(np.abs(np.asarray(self.quantiles) - 0.5))) if self.quantiles else 0


class ClassDecoding(Record):
    """How labels are read: a softmax over each target's classes, its logits divided by a temperature."""

    task: Literal["classify", "tag"] = "classify"
    targets: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]  # of each target
    temperatures: tuple[float, ...] = ()  # of each target; empty means 1


class AlarmDecoding(Record):
    """How a probability of failure is read: ``sigmoid(scale * logit + bias)``, alarm from ``threshold`` on."""

    task: Literal["failure"] = "failure"
    target: str
    horizon: int
    scale: float = 1.0
    bias: float = 0.0
    threshold: float = 0.5


Table2 = tuple[tuple[float, ...], ...]


class AnomalyDecoding(Record):
    """How errors are read: standardised, summed up to a score, alarm above ``threshold``.

    Attributes:
        target: the column with the labels, "" where there is none.
        channels: the numeric inputs that are forecast or reconstructed.
        kind: what the net does.
        ahead: steps that it forecasts.
        center, scale: of the errors, ``(ahead, channels)``; empty before they were fitted.
        warm_up: rows at the beginning of a sequence, or of what is read of it, that have no score (0).
        by_row: scores are one a row, not one a sequence.
        combine: how the scores of rows become that of a sequence.
        threshold: in standard deviations of the errors; 1e300 before it was fitted.
        false_alarms: the share of usual rows or sequences that the threshold was to let through.
    """

    task: Literal["anomaly"] = "anomaly"
    target: str = ""
    channels: tuple[str, ...]
    kind: scores.Kind
    ahead: int = Field(1, ge=1, le=10_000)
    warm_up: int = Field(0, ge=0)
    center: Table2 = ()
    scale: Table2 = ()
    by_row: bool = True
    combine: scores.Combine = "mean"
    threshold: float = _NEVER
    false_alarms: float = 0.01

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for table in (self.center, self.scale):
            if table and (len(table) != self.ahead or {len(row) for row in table} != {len(self.channels)}):
                raise ValueError("center and scale must be one number for each step ahead and channel")
        return self

    def row_scores(self, errors: Values) -> npt.NDArray[np.float64]:
        """``(N,)`` scores of errors ``(N, ahead, channels)``."""
        plain = np.ones((self.ahead, len(self.channels)))
        return scores.row_scores(errors, np.asarray(self.center or 0 * plain), np.asarray(self.scale or plain))

    def score(self, errors: Values, counts: npt.NDArray[np.int64] | None) -> npt.NDArray[np.float64]:
        """Scores of rows, or of the sequences that have ``counts`` rows each."""
        rows = self.row_scores(errors)
        if self.by_row or counts is None:
            return rows
        return scores.sequence_scores(rows, counts, self.combine)

    def answer(self, score: npt.NDArray[np.float64]) -> Answer:
        """Scores ``(n,)`` with their alarms."""
        alarm = (score > self.threshold).astype(np.float64)
        return Answer(
            self.task,
            alarm[:, None],
            score=score[:, None],
            threshold=self.threshold,
            targets=(self.target,),
            classes=(("no", "yes"),),
        )


class PairDecoding(Record):
    """How a pair is read: similar with the probability ``sigmoid(scale * score + bias)``."""

    task: Literal["pairs"] = "pairs"
    targets: tuple[str]
    classes: tuple[str, str]  # the second is that of pairs that are alike
    scale: float = 1.0
    bias: float = 0.0


class StringDecoding(Record):
    """How label probabilities of every step become a string of labels: value 0 is the blank, value k label k - 1.

    Attributes:
        targets: the column.
        labels: that there are.
        spelling: how they make a string.
        width: prefixes that the beam search keeps; 1 follows the likeliest path.
    """

    task: Literal["ctc"] = "ctc"
    targets: tuple[str]
    labels: tuple[str, ...] = Field(min_length=1)
    spelling: Spelling
    width: int = Field(1, ge=1, le=10_000)


class RankDecoding(Record):
    """How scores of items are read: the ``top`` best, with their share of a softmax over all."""

    task: Literal["recommend"] = "recommend"
    targets: tuple[str]
    items: tuple[str, ...] = Field(min_length=1)
    top: int = Field(20, ge=1)
    temperature: float = Field(1.0, gt=0)


Decoding = Annotated[
    NumberDecoding | ClassDecoding | AlarmDecoding | AnomalyDecoding | PairDecoding | RankDecoding | StringDecoding,
    Field(discriminator="task"),
]


def every(decoding: Decoding) -> bool:
    """Whether each step of a sample has its own answer."""
    return decoding.task in ("tag", "anomaly")


def each_row(decoding: Decoding) -> bool:
    """Whether answers are one a row, and not one a sample."""
    return decoding.by_row if isinstance(decoding, AnomalyDecoding) else every(decoding)
