"""Connectionist temporal classification: from a sequence of steps to a shorter sequence of labels, nobody says where.

Graves et al. 2006 ("Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
Networks"). The net answers at each of its steps with a label or nothing (the blank, value 0); what the task learns is
the sum over all ways to write the labels along the steps.

Letters: n samples, B batch, S steps of the net, L labels of the longest string, V labels with the blank.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.alignment import distances
from unrolled.prepare.answer import Answer, joined
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import StringDecoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.prepare.spelling import lengths, stacked
from unrolled.program.shapes import Outputs
from unrolled.tasks import losses
from unrolled.tasks.statistic import Additive, Statistic, mean, ratio
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, targets_of

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch


class CtcSettings(TaskSettings):
    """What the reading of strings can be asked.

    Attributes:
        beam: prefixes that the search for the likeliest string keeps (Hannun et al. 2014); 1 follows the likeliest
            path, which is much faster. Validation during training always takes 1.
    """

    beam: int = Field(1, ge=1, le=10_000)


@dataclass(frozen=True)
class Ctc(Task):
    """The string of labels of each sequence, and its probability. Truth and answer are ``(n, L)``, NaN at the end."""

    name: ClassVar[str] = "ctc"
    baselines: ClassVar[tuple[str, ...]] = ("median_string",)
    options: ClassVar[type[TaskSettings]] = CtcSettings
    fits_on: ClassVar[tuple[str, ...]] = ()
    settings: CtcSettings = field(default_factory=CtcSettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        return ("label_error_rate",)

    def outputs(self, columns: Columns) -> Outputs:
        return Outputs(values=len(_target(columns).categories) + 1, every=True, blank=True)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Minus the log probability of each string, divided by its length, the mean over the batch."""
        return losses.mean_over_known(*losses.ctc(output[:, :, 0], batch.y), batch.weight)

    def decoding(self, columns: Columns) -> StringDecoding:
        target = _target(columns)
        assert target.spelling is not None
        return StringDecoding(
            targets=(target.name,), labels=target.categories, spelling=target.spelling, width=self.settings.beam
        )

    def refuse(self, series: Series, samples: Samples, truth: Values, pace: int) -> None:
        """Each string must fit into the steps of the net, with a blank between labels that are alike.

        Raises:
            DataError: one does not; its sequence is named.
        """
        steps, twice = -(-samples.lengths // pace), (truth[:, 1:] == truth[:, :-1]).sum(1)
        short = np.flatnonzero(steps < lengths(truth) + twice)
        if not len(short):
            return
        at = int(short[0])
        thinned = f", which the net thins out to {steps[at]}" if pace > 1 else ""
        between = f" (and {twice[at]} blanks between labels that are alike)" if twice[at] else ""
        raise DataError(
            f"its string has {lengths(truth)[at]} labels{between}, and it has {samples.lengths[at]} steps{thinned}; "
            f"so it is with {len(short)} of {len(truth)} sequences",
            where=f"{series.source}, sequence {series.ids[int(samples.series[at])]!r}",
            mend="leave strides and patches out of the net, or give finer steps (of sound with a smaller option hop)",
        )

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        """Labels to mend for each true one, and strings that are right as a whole."""
        edits, true = distances(truth, answer.value), lengths(truth)
        amounts = np.stack([edits, true], axis=1).astype(np.float64)
        exact = np.where(true > 0, edits == 0, np.nan)
        return Additive("label_error_rate", "lower", amounts, ratio), mean("exact_match", exact, "higher")

    def headline(self, answer: Answer, scales: Scales) -> str:
        return "label_error_rate"

    def _answered(self, pairs: Iterable[tuple[Values, Values]]) -> tuple[Answer, Values]:
        """Batch by batch, because steps and strings of each are as many as its longest has."""
        found = [(decode(output, self._plain(output)), truth) for output, truth in pairs]
        return joined([answer for answer, _ in found]), stacked([truth for _, truth in found])

    def _plain(self, output: Values) -> StringDecoding:
        labels = tuple(str(code) for code in range(output.shape[3] - 1))
        return StringDecoding(targets=("0",), labels=labels, spelling="words")


def _target(columns: Columns) -> Column:
    targets = targets_of(columns, "ctc")
    if len(targets) != 1:
        raise ConfigError(
            f"ctc reads one string a sequence, and {len(targets)} targets were named",
            where="option target",
            mend="name one column, and train a model for each",
        )
    return targets[0]
