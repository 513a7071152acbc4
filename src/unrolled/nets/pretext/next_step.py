"""What comes next? Autoregressive pretraining (Dai & Le 2015, arXiv 1511.01432), for encoders that look back only.

Letters: B batch, T time, M numeric inputs, P steps of the input in one of the encoder's.
"""

from __future__ import annotations

from torch import Tensor

from unrolled.nets.flow import Shape
from unrolled.nets.pretext.question import Encode, Material, Question, Steps, squared


class NextStep(Question):
    """Squared error of the P steps after each step of the encoder, beside repeating the last value."""

    simple, measure, causal = "persistence", "mse_standardised", True

    def __init__(self, shape: Shape, columns: int) -> None:
        super().__init__()
        self._pace = shape.pace
        self.steps = Steps(shape, columns)

    def forward(self, encode: Encode, given: Material) -> Tensor:
        pace, values = self._pace, given.values
        guess = self.steps(encode(given.x).x)[:, :-pace]
        last = values[:, pace - 1 : -pace : pace].repeat_interleave(pace, dim=1)
        asked = given.known[:, pace:] & given.known[:, pace - 1 : -pace : pace].repeat_interleave(pace, dim=1)
        return squared(guess, last, values[:, pace:], asked)
