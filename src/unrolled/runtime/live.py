"""Answers row by row, as data arrives: tags, and anomaly scores with their alarms; no torch.

Letters: B streams, C channels, V steps ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError
from unrolled.prepare.answer import Answer
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import AnomalyDecoding, every
from unrolled.runtime.forward import PlanForward
from unrolled.runtime.predictor import Predictor
from unrolled.runtime.stream import Stream

Float = npt.NDArray[np.float64]


class Live:
    """A model with an answer for every row, at work on rows in the units of the file, with carried state.

    It gives what the model gives for the whole sequence. Where anomalies are scored by the sequence, the answer at
    each row is that of the sequence so far.

    Args:
        predictor: of a bundle.
        batch: B, independent sequences that advance together.

    Raises:
        ConfigError: the task answers once a sequence, the net reads ahead, or a row cannot be prepared by itself.

    Example:
        >>> live = Live(Predictor(Bundle.read("model.unrolled")))
        >>> answer = live.step({"temperature": 21.5, "pressure": 1013.0})
        >>> answer.score[0, 0], answer.threshold, bool(answer.value[0, 0])
    """

    def __init__(self, predictor: Predictor, batch: int = 1) -> None:
        self.decoding = predictor.settings.decoding
        if not every(self.decoding) or not isinstance(predictor.forward, PlanForward):
            raise ConfigError(
                f"the task {self.decoding.task!r} does not answer every row by a plan",
                where="live",
                mend="use a model for the task tag or anomaly",
            )
        if isinstance(self.decoding, AnomalyDecoding) and self.decoding.kind == "reconstruction":
            raise ConfigError(
                "a reconstruction needs the whole sequence", where="live", mend="train with task.score=forecast"
            )
        self.batch = batch
        self._inputs = predictor.preprocessor.live()
        self._stream = Stream(predictor.forward.plan, predictor.forward.weights, batch)
        self.reset()

    def step(self, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Answer:
        """The answers ``(B, ...)`` at the next row of each sequence.

        Args:
            rows: column to value; B of them, or one where B is 1.

        Raises:
            DataError: a column is absent or holds something else than in training.
            ConfigError: the number of rows is not B.
        """
        given = [rows] if isinstance(rows, Mapping) else list(rows)
        if len(given) != self.batch:
            raise ConfigError(f"{len(given)} rows were given for {self.batch} sequences", where="live")
        x, truth = self._inputs(given)
        output = self._stream.step(x)
        if not isinstance(self.decoding, AnomalyDecoding):
            return decode(output, self.decoding)
        errors = self._errors(truth, self.decoding)
        self._past.appendleft(output[:, 0])
        self._seen += 1
        return self._so_far(errors, self.decoding)

    def reset(self) -> None:
        """Begin new sequences."""
        self._stream.reset()
        ahead = self.decoding.ahead if isinstance(self.decoding, AnomalyDecoding) else 1
        self._past: deque[npt.NDArray[Any]] = deque(maxlen=ahead)  # outputs (B, C, V), the latest first
        self._seen = 0
        self._total: Float = np.zeros(self.batch)
        self._highest: Float = np.zeros(self.batch)

    def _errors(self, truth: npt.NDArray[Any], decoding: AnomalyDecoding) -> npt.NDArray[Any]:
        """``(B, V, C)`` errors of what was forecast of this row."""
        found = np.full((self.batch, decoding.ahead, truth.shape[1]), np.nan)
        if self._seen >= decoding.warm_up:
            for k, output in enumerate(self._past):
                found[:, k] = truth - output[:, :, k]
        return found

    def _so_far(self, errors: npt.NDArray[Any], decoding: AnomalyDecoding) -> Answer:
        """The answer of this row, or of the rows so far."""
        score = decoding.row_scores(errors)
        self._total, self._highest = self._total + score, np.maximum(self._highest, score)
        if not decoding.by_row:
            score = self._highest if decoding.combine == "max" else self._total / self._seen
        return decoding.answer(score)
