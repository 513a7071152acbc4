"""A linear forecast: each step a linear function of the window, both measured from the last value.

NLinear (Zeng et al. 2023, arXiv 2205.13504). One ridge regression a target, in closed form. Where there are several
sequences, each window is divided by its own size first.

Letters: n samples, S steps, M targets, L rows of a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unrolled.evaluate.part import Part
from unrolled.prepare.pages import taken
from unrolled.tasks.task import Values

_LONGEST = 512  # rows that are looked back on at most
_RIDGE = 1e-3  # penalty, as a share of the mean square of the inputs
_CHUNK = 4096  # windows at once


@dataclass(frozen=True)
class NLinear:
    """Fitted weights.

    Attributes:
        weights: ``(L + 1, S)`` of each target, the last row the constant.
        several: windows are divided by their size.
    """

    weights: tuple[Values, ...]
    several: bool

    @classmethod
    def fit(cls, learnt: Part) -> Self | None:
        """From the windows of a part; None where fewer than two are known of a target."""
        longest = min(_LONGEST, int(learnt.samples.lengths.max(initial=1)))
        several, found = len(np.unique(learnt.samples.series)) > 1, []
        for target in range(learnt.truth.shape[2]):
            x, last, size = _windows(learnt, target, longest, several)
            y = (learnt.truth[..., target] - last) / size
            known = np.isfinite(x).all(1) & np.isfinite(y).all(1)
            if known.sum() < 2:
                return None
            found.append(_ridge(x[known], y[known]))
        return cls(tuple(found), several)

    @property
    def parameters(self) -> int:
        """Weights of all targets."""
        return sum(weights.size for weights in self.weights)

    def predict(self, part: Part) -> Values:
        """``(n, S, M)`` in original units; the truth of the part is not read."""
        result: Values = np.empty((len(part), self.weights[0].shape[1], len(self.weights)))
        for target, weights in enumerate(self.weights):
            for at in range(0, len(part), _CHUNK):
                x, last, size = _windows(part[at : at + _CHUNK], target, len(weights) - 1, self.several)
                result[at : at + _CHUNK, :, target] = _with_one(np.nan_to_num(x)) @ weights * size + last
        return result


def _windows(part: Part, target: int, longest: int, several: bool) -> tuple[Values, Values, Values]:
    """Windows ``(n, L)`` from their last value, that value ``(n, 1)``, and what both were divided by ``(n, 1)``.

    Missing values are NaN; before the beginning of a sequence its first value stands.
    """
    begins = part.series.starts[part.samples.series][:, None]
    rows = np.maximum(part.samples.end[:, None] - longest + np.arange(longest), begins)
    last = part.last()[:, target, None].astype(np.float64)
    window = taken(part.series.values[:, part.targets[target]], rows) - last
    size = np.ones_like(last)
    if several:
        known = np.isfinite(window)
        square = np.where(known, window, 0) ** 2
        size = np.sqrt(square.sum(1, keepdims=True) / np.maximum(known.sum(1, keepdims=True), 1))
        size = np.where(size > 0, size, 1.0)
    return window / size, last, size


def _ridge(x: Values, y: Values) -> Values:
    """``(L + 1, S)`` weights, the last row the constant, which is not penalised."""
    design = _with_one(x)
    gram = design.T @ design
    penalty = _RIDGE * np.trace(gram[:-1, :-1]) / max(1, x.shape[1])
    gram[np.arange(x.shape[1]), np.arange(x.shape[1])] += max(penalty, 1e-9)
    result: Values = np.linalg.solve(gram, design.T @ y)
    return result


def _with_one(x: Values) -> Values:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
