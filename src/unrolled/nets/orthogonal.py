"""Recurrent weights that stay orthogonal while they learn, by the exponential map.

Lezcano-Casado & Martinez-Rubio 2019, "Cheap orthogonal constraints in neural networks" (arXiv 1901.08428, expRNN):
every rotation is exp(A) of a skew-symmetric A, whose numbers above the diagonal are free. They are what is trained, so
any optimiser and any average of weights keeps to rotations. At first A turns pairs of units by angles drawn from
-pi .. pi (Henaff, Szlam & LeCun 2016, arXiv 1602.06662).

Letters: K blocks of a weight (gates, or gates by heads), H rows and columns of one, S = H (H - 1) / 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def free(shape: tuple[int, ...]) -> tuple[int, int]:
    """``(K, S)``, the numbers to learn for a weight of K square blocks, ``(K * H, H)`` or ``(K, H, H)``."""
    size = shape[-1]
    return math.prod(shape) // size**2, size * (size - 1) // 2


def rotations(skew: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The weight of this shape whose blocks are exp(A), from ``(K, S)`` numbers above the diagonals."""
    size = shape[-1]
    row, column = torch.triu_indices(size, size, 1, device=skew.device)
    with torch.autocast(skew.device.type, enabled=False):  # rounded products would not be rotations
        numbers = skew if skew.dtype == torch.float64 else skew.float()
        above = numbers.new_zeros(len(skew), size, size).index_put(
            (torch.arange(len(skew))[:, None], row, column), numbers
        )
        return torch.matrix_exp(above - above.mT).reshape(shape).to(skew.dtype)


@torch.no_grad()
def draw_angles(skew: Tensor, size: int) -> None:
    """Start ``(K, S)`` numbers, in place, from torch's generator: units 0 and 1, 2 and 3, ... turn by random angles."""
    row, column = torch.triu_indices(size, size, 1, device=skew.device)
    pairs = (row % 2 == 0) & (column == row + 1)
    skew.zero_()
    skew[:, pairs] = torch.empty_like(skew[:, pairs]).uniform_(-math.pi, math.pi)
