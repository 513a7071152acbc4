"""Axes too long to look at, divided into stretches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

MOST = 64
"""Stretches of an axis: more rows or columns of a picture nobody can tell apart."""

Values = npt.NDArray[np.float64]
Edges = npt.NDArray[np.int64]


def edges(count: int, most: int = MOST) -> Edges:
    """Where stretches of ``count`` places begin, and the end of the last, which may be shorter than the others."""
    return np.append(np.arange(0, count, max(1, -(-count // most))), count)


def summed(values: Values, cuts: Edges) -> Values:
    """``(..., count)`` summed over each stretch; ``count`` may be short of the last ones, which are then 0."""
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(-1)], -1)
    found: Values = np.diff(total[..., np.minimum(cuts, values.shape[-1])], axis=-1)
    return found


def names(cuts: Edges, name: Callable[[int], str] = str) -> tuple[str, ...]:
    """Of each stretch the names of its first and last place."""
    ends = ((name(int(begin)), name(int(end) - 1)) for begin, end in pairwise(cuts))
    return tuple(first if first == last else f"{first} – {last}" for first, last in ends)
