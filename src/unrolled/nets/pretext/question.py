"""What a question to an encoder is, and how one about steps is asked and scored.

Letters: B batch, T time, E embedded inputs, H encoder's width, M numeric inputs, P steps of the input in one of the
encoder's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape


@dataclass(frozen=True)
class Material:
    """A batch of sequences that ask about themselves.

    Attributes:
        x: ``(B, T, E)`` as the first layer reads it, categories embedded.
        values: ``(B, T, M)`` the numbers to find again, in model scale.
        known: ``(B, T, M)``, true where there is such a number: inside the length and not missing.
        inside: ``(B, T)``, true inside the length.
    """

    x: Tensor
    values: Tensor
    known: Tensor
    inside: Tensor


Encode = Callable[[Tensor], Flow]
"""The encoder on another ``(B, T, E)`` in the place of the batch's own."""


class Question(nn.Module):
    """Gives ``(B, 3)`` scores: the loss of each sequence, that of the simple method, and how many terms each has."""

    simple: str
    """Name of the simple method."""
    measure: str
    """Name of the loss a term."""
    causal = False
    """Whether the encoder must not look at later steps."""

    def forward(self, encode: Encode, given: Material) -> Tensor:
        raise NotImplementedError


class Steps(nn.Module):
    """``(B, T / P, H)`` of an encoder to ``(B, T, M)``: P steps of the input from each of its own."""

    def __init__(self, shape: Shape, columns: int) -> None:
        super().__init__()
        self._pace, self._columns = shape.pace, columns
        self.linear = nn.Linear(shape.size, shape.pace * columns)

    def forward(self, x: Tensor) -> Tensor:
        steps = ops.linear(x, weight=self.linear.weight, bias=self.linear.bias)
        return steps.reshape(len(x), x.shape[1] * self._pace, self._columns)


def squared(guess: Tensor, simple: Tensor, given: Tensor, asked: Tensor) -> Tensor:
    """``(B, 3)`` scores of guesses ``(B, T, M)`` of the numbers ``given`` where they are ``asked`` for."""
    errors = (torch.where(asked, other - given, 0).square().sum((1, 2)) for other in (guess, simple))
    return torch.stack([*errors, asked.sum((1, 2)).to(guess)], dim=1)
