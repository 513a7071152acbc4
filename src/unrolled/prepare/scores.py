"""How unusual a row or a sequence is: errors of a net that learnt what is usual, standardised and summed up.

Letters: n samples, N rows, B batch, T time, C channels, V steps ahead.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating[Any]]
Float = npt.NDArray[np.float64]
Kind = Literal["forecast", "reconstruction"]
Combine = Literal["mean", "max"]

_NORMAL = 1.4826
"""Standard deviation of a normal distribution whose median absolute deviation is 1."""


def errors(output: Values, truth: Values, kind: Kind) -> Values:
    """Errors of the answers that speak of each row; NaN where nothing does, or the row has no value.

    Args:
        output: ``(B, T, C, V)``; of forecasts, value k at step t is of row ``t + 1 + k``.
        truth: ``(B, T, C)``, in model scale as well.
        kind: what the net was trained to do.

    Returns:
        ``(B, T, V, C)``: of a row, what the steps 1 to V before it said of it (Malhotra et al. 2015); or what a
        reconstruction says (V = 1).
    """
    if kind == "reconstruction":
        return (truth - output[..., 0])[:, :, None]
    ahead = output.shape[3]
    found = np.full((*truth.shape[:2], ahead, truth.shape[2]), np.nan, dtype=output.dtype)
    for k in range(min(ahead, truth.shape[1] - 1)):
        found[:, k + 1 :, k] = truth[:, k + 1 :] - output[:, : -k - 1, :, k]
    return found


def center_and_scale(found: Values) -> tuple[Float, Float]:
    """Median and scaled median absolute deviation of errors ``(N, V, C)``, each ``(V, C)``.

    Where more than half of the errors are the same, the standard deviation stands in; where all are, 1.
    """
    exact = found.astype(np.float64)
    known = np.isfinite(exact).any(axis=0)
    center, spread, deviation = np.zeros(known.shape), np.ones(known.shape), np.ones(known.shape)
    some = exact[:, known]
    center[known] = np.nanmedian(some, axis=0)
    spread[known] = _NORMAL * np.nanmedian(np.abs(some - center[known]), axis=0)
    deviation[known] = np.nanstd(some, axis=0)
    spread = np.where(spread > 0, spread, deviation)
    return center, np.where(spread > 0, spread, 1.0)


def row_scores(found: Values, center: Values, scale: Values) -> Float:
    """``(N,)`` root mean square of the standardised errors ``(N, V, C)`` of each row; 0 where nothing is known."""
    squares = ((found.astype(np.float64) - center) / scale) ** 2
    known = np.isfinite(squares)
    count = known.sum(axis=(1, 2))
    total: Float = np.where(known, squares, 0).sum(axis=(1, 2))
    score: Float = np.sqrt(total / np.maximum(count, 1))
    return score


def sequence_scores(score: Float, counts: npt.NDArray[np.int64], combine: Combine) -> Float:
    """``(n,)`` from the scores ``(N,)`` of their rows, ``counts[i]`` of sample i (1 or more)."""
    starts = np.cumsum(counts) - counts
    if not len(counts):
        return np.zeros(0)
    found: Float = np.maximum.reduceat(score, starts) if combine == "max" else np.add.reduceat(score, starts) / counts
    return found


def threshold_of(score: Values, share: float) -> float:
    """The score that all but ``share`` of usual scores ``(n,)`` stay at or below.

    It has the rank ``(n + 1)(1 - share)``, as in split conformal prediction (Vovk et al. 2005). With too few scores for
    that share it is the largest one.
    """
    rank = int(np.ceil((len(score) + 1) * (1 - share)))
    return float(np.sort(score)[min(rank, len(score)) - 1])


def point_adjusted(alarm: npt.NDArray[np.bool_], label: npt.NDArray[np.bool_], fresh: npt.NDArray[np.bool_]) -> Any:
    """Alarms ``(N,)`` after every anomalous stretch with one alarm counts as found altogether (Xu et al. 2018).

    It flatters: random alarms gain most (Kim et al. 2022). Only shown beside the plain figures.

    Args:
        alarm, label: of each row.
        fresh: where another sequence begins.
    """
    begins = label & (fresh | ~np.concatenate([[False], label[:-1]]))
    stretch = np.cumsum(begins)
    hit = np.zeros(int(stretch.max(initial=0)) + 1, dtype=bool)
    np.logical_or.at(hit, stretch[label], alarm[label])
    return np.where(label, hit[stretch], alarm)
