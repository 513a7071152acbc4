"""What stood there? Spans of steps are hidden and found again from the rest (Zerveas et al. 2021, arXiv 2010.02803).

Letters: B batch, T time, M numeric inputs.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.nets.flow import Shape
from unrolled.nets.pretext.question import Encode, Material, Question, Steps, squared


class Masked(Question):
    """Squared error in the hidden steps, beside a straight line between the steps around them.

    Args:
        shape: what leaves the encoder.
        columns: M.
        share: of the steps that is hidden, about.
        span: steps hidden in a row, at least.
    """

    simple, measure = "interpolation", "mse_standardised"

    def __init__(self, shape: Shape, columns: int, *, share: float = 0.3, span: int = 5) -> None:
        super().__init__()
        self._begin, self._span = 1 - (1 - share) ** (1 / span), span
        self.steps = Steps(shape, columns)

    def forward(self, encode: Encode, given: Material) -> Tensor:
        hidden = self._hidden(given.inside)
        guess = self.steps(encode(given.x.masked_fill(hidden[..., None], 0)).x)
        line = interpolated(given.values, given.inside & ~hidden)
        return squared(guess, line, given.values, given.known & hidden[..., None])

    def _hidden(self, inside: Tensor) -> Tensor:
        """``(B, T)``: every step begins a span with the same chance, and one at least does; spans may meet."""
        drawn = torch.rand(inside.shape, device=inside.device).masked_fill(~inside, torch.inf)
        begins = (drawn <= drawn.amin(1, keepdim=True).clamp(min=self._begin)).float()
        spans = functional.max_pool1d(functional.pad(begins[:, None], (self._span - 1, 0)), self._span, stride=1)
        return (spans[:, 0] > 0) & inside


def interpolated(values: Tensor, seen: Tensor) -> Tensor:
    """``values`` ``(B, T, M)`` with straight lines between the steps that are ``seen`` ``(B, T)``; flat at the ends.

    Zeros where no step is seen.
    """
    count = values.shape[1]
    at = torch.arange(count, device=values.device).expand(seen.shape)
    before = torch.where(seen, at, -1).cummax(dim=1).values
    after = torch.where(seen, at, count).flip(1).cummin(dim=1).values.flip(1)
    nothing = (before < 0) & (after >= count)
    before, after = torch.where(before < 0, after, before), torch.where(after >= count, before, after)
    first, last = (values.gather(1, step.clamp(0, count - 1)[..., None].expand_as(values)) for step in (before, after))
    way = ((at - before) / (after - before).clamp(min=1)).to(values)
    return torch.lerp(first, last, way[..., None]).masked_fill(nothing[..., None], 0)
