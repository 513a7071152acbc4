"""Figures of merit of numeric predictions, for forecasts and regressions.

Letters: n samples, S steps, M targets, Q probability levels. Truth is ``(n, S, M)``; NaN is left out everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.tasks.statistic import Additive, Float, Statistic, mean, ratio

Values = npt.NDArray[np.floating[Any]]


def errors(truth: Values, prediction: Values) -> tuple[Statistic, ...]:
    """RMSE and MAE, pooled over steps and targets."""
    error = prediction.astype(np.float64) - truth
    return root_mean_square("rmse", error), mean("mae", np.abs(error))


def root_mean_square(name: str, error: Values) -> Additive:
    """Square root of the mean square of all entries that are not NaN."""
    squares = mean(name, error.astype(np.float64) ** 2)
    return Additive(name, "lower", squares.amounts, lambda sums: np.sqrt(ratio(sums)))


def percentages(truth: Values, prediction: Values) -> tuple[Statistic, ...]:
    """MAPE and sMAPE, in percent.

    MAPE leaves out where the truth is 0. sMAPE is ``200 |F - Y| / (|F| + |Y|)`` as in the M4 competition
    (Makridakis et al. 2020), 0 where both are 0.
    """
    truth = truth.astype(np.float64)
    error = np.abs(prediction - truth)
    size = np.abs(truth) + np.abs(prediction)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(truth == 0, np.nan, 100 * error / np.abs(truth))
        symmetric = np.where(size == 0, 0.0, 200 * error / size)
    return mean("mape", relative), mean("smape", symmetric)


def scaled(truth: Values, prediction: Values, naive: Values) -> Statistic:
    """MASE: the mean over samples and targets of the absolute error over ``naive`` ``(n, M)``.

    ``naive`` is the in-sample mean absolute error of the seasonal naive forecast of the sample's series
    (Hyndman & Koehler 2006); where it is 0 or NaN the sample is left out.
    """
    error = np.abs(prediction.astype(np.float64) - truth)
    counted = np.isfinite(error).sum(1)
    per_sample = np.nansum(error, axis=1) / np.where(counted > 0, counted, np.nan)
    return mean("mase", per_sample / np.where(naive > 0, naive, np.nan))


def interval_figures(truth: Values, quantiles: Values, levels: Sequence[float]) -> tuple[Statistic, ...]:
    """CRPS from quantiles ``(n, S, M, Q)``, and the share of truths between the outermost two.

    The CRPS is the integral over the probability of twice the pinball loss (Laio & Tamea 2007); each level
    stands for the probabilities nearest to it.
    """
    inside = (truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1])
    covered = np.where(np.isfinite(truth), inside, np.nan)
    return mean("crps", crps(truth, quantiles, levels)), mean("coverage", covered, "nominal")


def crps(truth: Values, quantiles: Values, levels: Sequence[float]) -> Float:
    """Continuous ranked probability score of each entry of ``truth`` from its quantiles."""
    level = np.asarray(levels)
    borders = np.concatenate([[0.0], (level[1:] + level[:-1]) / 2, [1.0]])
    total: Float = np.zeros(truth.shape)
    for at, share in enumerate(np.diff(borders)):
        gap = truth.astype(np.float64) - quantiles[..., at]
        total += 2 * share * np.maximum(level[at] * gap, (level[at] - 1) * gap)
    return total


def r_squared(truth: Values, prediction: Values) -> Statistic:
    """Coefficient of determination, the mean over targets (scikit-learn's "uniform_average")."""
    n, _, targets = truth.shape
    error = (prediction.astype(np.float64) - truth).reshape(n, targets)
    flat = truth.astype(np.float64).reshape(n, targets)
    center = np.nanmean(flat, axis=0) if n else 0.0  # shifting the truth keeps the variance and saves digits
    shifted = flat - center
    valid = np.isfinite(error)
    parts = np.stack([error**2, shifted, shifted**2, valid], axis=-1)
    parts = np.where(valid[..., None], parts, 0.0).reshape(n, -1)
    return Additive("r2", "higher", parts, lambda sums: _r2(sums.reshape(-1, targets, 4)))


def _r2(sums: Float) -> Float:
    squares, first, second, count = np.moveaxis(sums, -1, 0)
    total = second - first**2 / count
    result: Float = np.where(total > 0, 1 - squares / total, np.nan).mean(-1)
    return result


def nasa_score(truth: Values, prediction: Values) -> Statistic:
    """PHM08 score, a sum over samples: late predictions cost more than early ones.

    ``exp(-d / 13) - 1`` for d < 0 and ``exp(d / 10) - 1`` otherwise, d = prediction - truth in cycles
    (Saxena et al. 2008, section 5).
    """
    d = (prediction.astype(np.float64) - truth).reshape(len(truth), -1)
    with np.errstate(over="ignore"):
        cost = np.where(d < 0, np.expm1(-d / 13), np.expm1(d / 10))
    return Additive("nasa_score", "lower", np.nansum(cost, axis=1, keepdims=True), lambda sums: sums[:, 0, 0])
