"""A net's outputs as words and numbers in the units of the file.

Letters: n samples, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from unrolled.core.errors import DataError
from unrolled.diagnose.figure import Figure
from unrolled.prepare.answer import Answer, Values
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import AnomalyDecoding, StringDecoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.prepare.spelling import texts_of
from unrolled.workflow.model import Model
from unrolled.workflow.names import shown


@dataclass(frozen=True)
class Reply:
    """Reads outputs of one target.

    Attributes:
        model, series: whose answers these are.
        target: which of the M.
        derived: the series with the truth as the task derives it; None where the data has none.
        step: of a forecast, from 1; None means the mean over the horizon.
        place: the step that is answered where each has its own answer, from 0; None: the sample as a whole.
    """

    model: Model
    series: Series
    derived: Series | None
    target: int = 0
    step: int | None = None
    place: int | None = None

    @property
    def number(self) -> bool:
        """Answers are numbers in the units of the target."""
        return self.model.task.name in ("forecast", "regress")

    def said(self, outputs: Tensor, samples: Samples) -> list[str]:
        """Answers of outputs ``(n, S, M, V)`` in words."""
        answer = self._answer(outputs, samples)
        if self.number:
            return [f"{value:.5g}" for value in self._mean(answer.value[..., self.target])]
        if answer.spelling is not None:
            return texts_of(answer.value, answer.classes[0], answer.spelling)
        labels = answer.classes[self.target]
        return [labels[int(code)] for code in answer.value[:, self.target]]

    def figures(self, outputs: Tensor, samples: Samples, figure: Figure) -> list[float]:
        """The number ``figure`` of each output; one of the target in its units."""
        if figure.scale != "number":
            return [float(value) for value in figure.value(outputs)]
        return [float(value) for value in self._mean(self._answer(outputs, samples).value[..., self.target])]

    def truth(self, samples: Samples) -> list[str]:
        """True answers in words; "" where the data does not have them."""
        columns = self.model.preprocessor.schema.of_role("target")
        if not columns or self.place is not None or self.derived is None:
            return [""] * len(samples)
        decoding = self.model.decoding
        try:
            if isinstance(decoding, StringDecoding):
                return texts_of(self.model.truth(self.derived, samples), decoding.labels, decoding.spelling)
            found = self._mean(self.model.truth(self.derived, samples)[..., self.target])
        except DataError:  # a label that the model does not know is not one that it could be compared with
            return [""] * len(samples)
        return [shown(columns[self.target], float(value)) for value in found]

    def _answer(self, outputs: Tensor, samples: Samples) -> Answer:
        """Decoded; one sample serves all outputs, or each has its own. Of anomalies the outputs are scores."""
        decoding = self.model.decoding
        if isinstance(decoding, AnomalyDecoding):
            return decoding.answer(outputs[:, 0, 0, 0].double().numpy())
        if len(samples) != len(outputs):
            samples = samples[np.zeros(len(outputs), dtype=np.int64)]
        if self.place is not None:
            outputs = outputs[:, self.place : self.place + 1]
        return decode(outputs.numpy(), decoding, lambda found: self.model.invert(found, self.series, samples))

    def _mean(self, values: Values) -> Values:
        """``(n, S)`` over the horizon, or its chosen step; ``(n,)`` as it is."""
        if values.ndim == 1:
            return values
        return values.mean(1) if self.step is None else values[:, self.step - 1]


def derived(model: Model, series: Series) -> Series | None:
    """The series with the truth as the task learns it; None where its target columns hold nothing."""
    columns = series.of_role("target")
    held = [series.values if column.level == "row" else series.cases for column in columns]
    cells = [part[:, series.index(column)] for part, column in zip(held, columns, strict=True)]
    return model.task.derive(series) if any(np.isfinite(cell).any() for cell in cells) else None
