"""The first sure answer, in torch; the meaning is written in ``program.ops.exits``."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.nets.trace import op


@op(outputs=2)
def first_sure(*answers: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    chosen = answers[-1]
    depth = torch.full((len(chosen),), len(answers), device=chosen.device)
    for exit, answer in reversed(list(enumerate(answers[:-1], start=1))):
        sure = certainty(answer) >= threshold
        chosen, depth = torch.where(sure[:, None, None, None], answer, chosen), torch.where(sure, exit, depth)
    return chosen, depth


def certainty(answer: Tensor) -> Tensor:
    """``(B,)``: the probability of the likeliest class, of several targets the least."""
    return torch.softmax(answer, dim=-1).amax(-1).amin((1, 2))
