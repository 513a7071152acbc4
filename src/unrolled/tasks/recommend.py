"""Recommendation: the next item of a session, from the items so far (GRU4Rec; Hidasi et al. 2016).

Letters: n samples, B batch, T time, K items, C candidates, R ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import temperature
from unrolled.prepare.decoding import Decoding, RankDecoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.program.shapes import Outputs
from unrolled.tasks import losses, sampled
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.sessions import beginnings, pieces
from unrolled.tasks.statistic import Statistic, mean
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, category_targets
from unrolled.tasks.windows import Span

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch
    from unrolled.data.batches import Gather
    from unrolled.prepare.preprocess import Preprocessor

CUTS = (5, 20)  # ranks at which recall is taken
_FEW_ITEMS = 100  # with fewer, twenty of them are no small choice


class RecommendSettings(TaskSettings):
    """What a recommendation can be asked.

    Attributes:
        top: items that an answer lists; at least 20.
        least: clicks that an item needs in the training part; rarer ones count as unknown and are not recommended.
        loss: "cross_entropy" over all items; "bpr_max" or "top1_max" over a few candidates for each batch
            (Hidasi & Karatzoglou 2018); or a function ``(output (n, 1, 1, K), codes (n, 1)) -> loss``, scalar or with
            n rows.
        negatives: candidates drawn for a batch beside the items that follow somewhere in it, for "bpr_max" and
            "top1_max".
        popularity: an item is drawn with its number of clicks to this power; 0 draws all alike.
        penalty: of high scores of candidates that do not follow, in "bpr_max".
    """

    top: int = Field(20, ge=max(CUTS), le=1000)
    least: int = Field(1, ge=1)
    loss: Literal["cross_entropy", "bpr_max", "top1_max"] | Plugin = "cross_entropy"
    negatives: int = Field(2048, ge=1, le=1_000_000)
    popularity: float = Field(0.5, ge=0, le=1)
    penalty: float = Field(1.0, ge=0)


@dataclass(frozen=True)
class Recommend(Task):
    """The likeliest next items, in order."""

    name: ClassVar[str] = "recommend"
    baselines: ClassVar[tuple[str, ...]] = ("popularity", "transitions")
    options: ClassVar[type[TaskSettings]] = RecommendSettings
    settings: RecommendSettings = field(default_factory=RecommendSettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        return ("mrr@20",)

    def outputs(self, columns: Columns) -> Outputs:
        return Outputs(values=len(self._item(columns).categories))

    def answer_size(self, columns: Columns, samples: Samples) -> int:
        """Of the best items the codes and the probabilities."""
        return 2 * min(self.settings.top, self.outputs(columns).values)

    def samples(
        self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1, last: bool = False
    ) -> Samples:
        """One for each item that follows another."""
        found = beginnings(series, spans, window=_known(window))[::stride]
        if last and len(found):
            found = found[np.append(np.diff(found.series) != 0, True)]
        if spans and not len(found):
            raise _no_sessions(series)
        return found

    def lessons(self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1) -> Samples:
        """Sessions as a whole, or pieces of long ones: training answers at each of their steps."""
        if len(series.ids) == 1:
            raise ConfigError(
                "all rows are one session",
                where=series.source,
                mend="name the column that tells sessions (or users) apart with --group",
            )
        found = pieces(series, spans, window=_known(window))
        if spans and not len(found):
            raise _no_sessions(series)
        return found

    def gather(self, preprocessor: Preprocessor, series: Series, samples: Samples, seed: int) -> Gather:
        """At every step; for a sampled loss with candidates drawn by their clicks in the training part."""
        from unrolled.data.every_step import Candidates, EveryStep

        settings = self.settings
        if settings.loss not in ("bpr_max", "top1_max"):
            return EveryStep(preprocessor)
        codes = preprocessor.truth(series, samples)[:, 0, 0]
        items = len(preprocessor.classes[0])
        clicks = np.bincount(codes[codes < items].astype(np.int64), minlength=items)
        share = np.maximum(clicks, 1.0) ** settings.popularity
        return EveryStep(preprocessor, Candidates(share / share.sum(), settings.negatives, seed))

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        settings = self.settings
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, batch.y, batch.weight)
        scores, code = output[:, 0, 0], batch.y[:, 0]
        known = code < (scores.shape[1] if batch.only is None else float("inf"))
        if settings.loss == "cross_entropy" or batch.only is None:  # validation scores all items, by cross-entropy
            loss, share = losses.cross_entropy(
                output[:, 0], batch.y.masked_fill(~known[:, None], float("nan")), class_weights=None, smoothing=0.0
            )
            return losses.mean_over_known(loss, share, batch.weight)
        place = (batch.only[:, None] < code.long()).sum(0)
        if settings.loss == "bpr_max":
            loss = sampled.bpr_max(scores, place, settings.penalty)
        else:
            loss = sampled.top1_max(scores, place)
        return losses.mean_over_known(loss, known, batch.weight)

    def decoding(self, columns: Columns) -> RankDecoding:
        item = self._item(columns)
        return RankDecoding(targets=(item.name,), items=item.categories, top=self.settings.top)

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """One temperature."""
        known = truth[:, 0] < output.shape[-1]
        if not isinstance(decoding, RankDecoding) or not known.any():
            return decoding
        fitted = temperature(output[known, 0, 0], truth[known, 0].astype(np.int64))
        return decoding.model_copy(update={"temperature": fitted})

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        """Recall and mean reciprocal rank among the best; an item that is not in the catalogue is never found."""
        assert answer.ranking is not None
        known = np.isfinite(truth[:, 0])
        hit = answer.ranking[known, 0] == truth[known]
        return (
            *(mean(f"recall@{cut}", hit[:, :cut].any(1), "higher") for cut in CUTS),
            mean("mrr@20", (hit[:, :20] / np.arange(1, 1 + min(20, hit.shape[1]))).sum(1), "higher"),
        )

    def headline(self, answer: Answer, scales: Scales) -> str:
        """Recall at 20; at 5 where there are few items."""
        return "recall@20" if len(answer.classes[0]) >= _FEW_ITEMS else "recall@5"

    def _item(self, columns: Columns) -> Column:
        targets = category_targets(columns, self.name)
        if len(targets) > 1:
            names = ", ".join(repr(column.name) for column in targets)
            raise ConfigError(
                f"recommend takes one target, not {names}", where="option target", mend="name one of them"
            )
        return targets[0]

    def _plain(self, output: Values) -> RankDecoding:
        return RankDecoding(targets=("item",), items=tuple(map(str, range(output.shape[-1]))), top=self.settings.top)


def _known(window: int | None) -> int:
    if window is None:
        raise ConfigError(
            "the items of a session follow one another, so a window is needed",
            where="option window",
            mend="give the number of rows that a prediction looks back on, such as --window 30",
        )
    return window


def _no_sessions(series: Series) -> DataError:
    return DataError(
        "no session has two rows, so that nothing follows anything",
        where=series.source,
        mend="name the column that tells sessions (or users) apart with --group",
    )
