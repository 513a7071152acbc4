"""Tagging: a label for each step of a sequence (words of a sentence, samples of a sensor).

Letters: n rows, B batch, T time, M targets, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.answer import Answer
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.prepare.tiles import tiles
from unrolled.program.shapes import Outputs
from unrolled.tasks import losses
from unrolled.tasks.chunks import are_chunks, chunk_figures
from unrolled.tasks.classify import Classify, ClassifySettings
from unrolled.tasks.plugin import resolve
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.task import Columns, Scales, TaskSettings, Values
from unrolled.tasks.windows import Span

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch


class TagSettings(ClassifySettings):
    """What tagging can be asked; a loss of one's own gets ``(output (B, T, M, K), codes (B, T, M))``, NaN unknown."""


@dataclass(frozen=True)
class Tag(Classify):
    """A class of each target at each row, with calibrated probabilities; rows without a label count nowhere."""

    name: ClassVar[str] = "tag"
    baselines: ClassVar[tuple[str, ...]] = ("majority", "by_input")
    options: ClassVar[type[TaskSettings]] = TagSettings
    _reads: ClassVar[Literal["classify", "tag"]] = "tag"

    def outputs(self, columns: Columns) -> Outputs:
        return super().outputs(columns).model_copy(update={"every": True})

    def samples(
        self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1, last: bool = False
    ) -> Samples:
        """Whole sequences, or pieces of at most ``window`` rows, that have a label somewhere."""
        found = tiles(series, spans, window=window, stride=stride)
        known = np.zeros(len(found), dtype=bool)
        rows, owner = found.rows(), np.repeat(np.arange(len(found)), found.counts)
        for column in series.of_role("target"):
            cells = series.values[rows.end - 1, series.index(column)]
            known[owner[np.isfinite(cells)]] = True
        if spans and not known.any():
            raise DataError("no row has a label", where=series.source, mend="give the target column")
        return found[known]

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """The mean over all rows with a label, weighted by their classes."""
        settings = self.settings
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, batch.y, batch.weight)
        labelled = ~batch.y.isnan().all(-1)
        loss, known = losses.cross_entropy(
            output[labelled],
            batch.y[labelled],
            class_weights=self._class_weights(output),
            smoothing=settings.smoothing,
        )
        weight = None if batch.weight is None else batch.weight[:, None].expand_as(labelled)[labelled]
        return losses.mean_over_known(loss, known, weight)

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        """Those of classes; of one target also precision, recall and F1 of chunks, where its labels are such."""
        found = super().statistics(truth, answer, scales)
        if not self._chunked(answer):
            return found
        fresh = np.zeros(len(answer), dtype=bool) if scales.fresh is None else scales.fresh
        codes = np.where(np.isfinite(truth[:, 0]), truth[:, 0], -1).astype(np.int64)
        return *found, *chunk_figures(codes, answer.value[:, 0].astype(np.int64), answer.classes[0], fresh)

    def headline(self, answer: Answer, scales: Scales) -> str:
        """F1 of chunks where labels are such; otherwise as of a classification."""
        return "chunk_f1" if self._chunked(answer) else super().headline(answer, scales)

    def _chunked(self, answer: Answer) -> bool:
        return len(answer.classes) == 1 and are_chunks(answer.classes[0])

    def _read(self, output: Values, truth: Values) -> tuple[Values, Values]:
        known = np.isfinite(truth).any(-1)
        return output[known][:, None], truth[known]
