"""Pairs: whether two sequences, or two texts, are alike.

Letters: n samples, B batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import platt
from unrolled.prepare.decoding import Decoding, PairDecoding
from unrolled.prepare.pairing import SIDE
from unrolled.prepare.series import Column, Series
from unrolled.program.shapes import Outputs
from unrolled.tasks import labels, losses
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.target import replaced
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, category_targets

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch


class PairsSettings(TaskSettings):
    """What a comparison of two sequences can be asked.

    Attributes:
        similar: the label of pairs that are alike; null takes the last of the two (1 of 0 and 1, yes of no and yes).
        least: how often a word must stand in the training part; rarer ones count as unknown.
        loss: "cross_entropy" of the score; "contrastive" for a net that answers with a cosine (the head ``score``);
            or a function ``(output (B, 1, 1, 1), label (B, 1)) -> loss``, scalar or with B rows.
        margin: cosine up to which pairs that are not alike are let be, in the contrastive loss.
    """

    similar: str | None = None
    least: int = Field(1, ge=1)
    loss: Literal["cross_entropy", "contrastive"] | Plugin = "cross_entropy"
    margin: float = Field(0.5, ge=-1, lt=1)


@dataclass(frozen=True)
class Pairs(Task):
    """A calibrated probability that two sequences are alike."""

    name: ClassVar[str] = "pairs"
    baselines: ClassVar[tuple[str, ...]] = ("majority", "tfidf")
    options: ClassVar[type[TaskSettings]] = PairsSettings
    settings: PairsSettings = field(default_factory=PairsSettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        """Log loss would bend with a score that is not calibrated yet; the order of the pairs does not."""
        return ("average_precision", "accuracy")

    def outputs(self, columns: Columns) -> Outputs:
        self._target(columns)
        return Outputs()

    def derive(self, series: Series) -> Series:
        """The series with the label of pairs that are alike as the second class.

        Raises:
            ConfigError: the table says of no row to which side of a pair it belongs, or no pair has that label.
        """
        if SIDE not in {column.name for column in series.row_columns}:
            raise ConfigError(
                "this data does not say what makes a pair",
                where=series.source,
                mend="name its two columns of texts, or the one that tells the sides apart: "
                "--option pair=question,other",
            )
        column, similar = self._target(series), self.settings.similar
        if similar is None or similar == column.categories[1]:
            return series
        if similar not in column.categories:
            raise ConfigError(
                f"no pair has the label {similar!r}; there are {', '.join(column.categories)}",
                where="option similar",
                mend="name one of them",
            )
        turned = (column.categories[1], column.categories[0])
        return replaced(series, column, lambda values, _: 1 - values, categories=turned)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        settings = self.settings
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, batch.y, batch.weight)
        score = output[:, 0, :, 0]
        if settings.loss == "contrastive":
            loss = losses.contrastive(score, batch.y, settings.margin)
        else:
            loss = losses.binary_cross_entropy(score, batch.y, 1.0)
        return losses.mean_over_known(loss, ~batch.y.isnan(), batch.weight)

    def decoding(self, columns: Columns) -> PairDecoding:
        target = self._target(columns)
        return PairDecoding(targets=(target.name,), classes=(target.categories[0], target.categories[1]))

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """Scale and bias of the score."""
        known = np.isfinite(truth[:, 0])
        if not isinstance(decoding, PairDecoding) or not known.any():
            return decoding
        scale, bias = platt(output[known, 0, 0, 0].astype(np.float64), truth[known, 0].astype(np.int64))
        return decoding.model_copy(update={"scale": scale, "bias": bias})

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        assert answer.probability is not None
        known = np.isfinite(truth[:, 0])
        label = truth[known, 0].astype(np.int64)
        chance, said = answer.probability[known, 0], answer.value[known, 0].astype(np.int64)
        return (
            *(figure for figure in labels.confusion_figures(label, said, 2) if figure.name == "accuracy"),
            *labels.detection_figures(label == 1, said == 1),
            *labels.ranking_figures(label == 1, chance[:, 1]),
            *labels.probability_figures(label, chance),
        )

    def headline(self, answer: Answer, scales: Scales) -> str:
        return "accuracy"

    def _target(self, columns: Columns) -> Column:
        targets = category_targets(columns, self.name)
        if len(targets) > 1 or len(targets[0].categories) != 2:
            names = ", ".join(repr(column.name) for column in targets)
            raise ConfigError(
                f"pairs take one target with two labels, not {names}" + self._labels(targets[0]),
                where="option target",
                mend="name one column that says whether a pair is alike",
            )
        return targets[0]

    def _labels(self, column: Column) -> str:
        return f" with {', '.join(column.categories[:5])}" if len(column.categories) != 2 else ""

    def _plain(self, output: Values) -> PairDecoding:
        return PairDecoding(targets=("similar",), classes=("0", "1"))
