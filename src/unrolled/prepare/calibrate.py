"""What is fitted on the validation part, after training: intervals, probabilities, the alarm threshold.

Letters: n validation samples, S steps, M targets, K classes, Q probability levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.decode import softmax
from unrolled.prepare.decoding import NumberDecoding
from unrolled.program.functions import sigmoid

Values = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]

_SMALLEST, _LARGEST = 0.05, 20.0  # of a temperature
_FLAT = 1e-6  # scale that says nothing and still keeps the order


def conformal(base: Values, truth: Values, levels: Sequence[float]) -> npt.NDArray[np.float64]:
    """Offsets that turn a forecast into calibrated quantiles (split conformal, one side at a time).

    Between two levels a < b, a new exchangeable truth lies with probability at least b - a: the offsets are the
    order statistics of rank ceil((n + 1) b) above and floor((n + 1) a) below the median (Vovk et al. 2005; for
    a net that gives quantiles, the asymmetric form of Romano, Patterson & Candes 2019). Ranks that n does not
    reach are cut to the smallest or largest residual: see ``enough``.

    Args:
        base: ``(n, S, M)`` points, or ``(n, S, M, Q)`` the net's own quantiles.
        truth: ``(n, S, M)``; NaN is left out.
        levels: Q ascending probabilities.

    Returns:
        ``(Q, S, M)`` offsets, 0 where there was no truth at all.
    """
    residual = truth[..., None] - (base if base.ndim == 4 else base[..., None])
    ordered = np.sort(residual, axis=0)  # NaN last
    count = np.isfinite(truth).sum(0)
    offsets = np.zeros((len(levels), *truth.shape[1:]))
    for at, level in enumerate(levels):
        exact = (count + 1) * level
        # a rank such as 0.95 * 20 must not be lifted to the next one by a rounding error
        rank = np.ceil(exact - 1e-9) if level >= 0.5 else np.floor(exact + 1e-9)
        index = np.clip(rank, 1, np.maximum(count, 1)).astype(np.int64) - 1
        chosen = np.take_along_axis(ordered[..., min(at, ordered.shape[-1] - 1)], index[None], axis=0)[0]
        offsets[at] = np.where(count > 0, chosen, 0.0)
    return offsets


def enough(count: int, levels: Sequence[float]) -> bool:
    """Whether ``count`` samples suffice for the guarantee of ``conformal`` at the outermost levels."""
    return (count + 1) * min(levels[0], 1 - levels[-1]) >= 1 - 1e-9


def intervals(decoding: NumberDecoding, output: Values, truth: Values, coverage: float) -> NumberDecoding:
    """The decoding with offsets fitted to the validation part.

    Args:
        decoding: of the net; its own quantiles are corrected, a point gets a grid of quantiles around it.
        output: ``(n, S, M, V)`` in model scale.
        truth: ``(n, S, M)`` or ``(n, M)`` in model scale.
        coverage: share of truths between the outermost quantiles around a point.

    Where the decoding sums steps up, so do the residuals: errors of single steps partly cancel in the sum, and
    quantiles of each step, summed, would be far too wide.
    """
    tails = (round((1 - coverage) / 2, 6), round((1 + coverage) / 2, 6))
    inner = (0.1, 0.25, 0.5, 0.75, 0.9)
    levels = decoding.quantiles or (tails[0], *(p for p in inner if tails[0] < p < tails[1]), tails[1])
    base = output if decoding.quantiles else output[..., 0]
    full = truth if truth.ndim == 3 else truth[:, None]
    if any(decoding.summed):
        base, full = _summed(base, decoding.summed), _summed(full, decoding.summed)
    # six digits: an offset is a sample's residual, and the manifest should stay small
    offsets = [[[float(f"{v:.6g}") for v in row] for row in level] for level in conformal(base, full, levels)]
    changed = {"levels": levels, "offsets": offsets, "calibrated_on": len(truth)}
    return NumberDecoding.model_validate(decoding.model_dump() | changed)


def _summed(values: Values, targets: Sequence[bool]) -> Values:
    """``(n, S, M)`` or ``(n, S, M, Q)``, the running sum over steps of some targets; unknown from a hole on."""
    chosen = np.reshape(targets, (-1, *[1] * (values.ndim - 3)))
    return np.where(chosen, np.cumsum(values, axis=1, dtype=np.float64), values)


def temperature(logits: Values, labels: Labels) -> float:
    """The temperature that makes ``softmax(logits / temperature)`` likeliest (Guo et al. 2017).

    The labels are smoothed by one count, spread over the classes, so that a validation part without a single error
    does not ask for certainty. The likelihood is concave in 1 / temperature: its slope is bisected.

    Args:
        logits: ``(n, K)``.
        labels: ``(n,)`` codes below K.
    """
    n, classes = logits.shape
    if n == 0 or classes < 2:
        return 1.0
    smooth = 1 / (n + 1)
    wanted = (1 - smooth) * logits[np.arange(n), labels] + smooth * logits.mean(-1)
    low, high = 1 / _LARGEST, 1 / _SMALLEST
    for _ in range(60):
        middle = np.sqrt(low * high)
        expected = (softmax(middle * logits) * logits).sum(-1)
        low, high = (middle, high) if np.mean(expected - wanted) < 0 else (low, middle)
    return float(1 / middle)


def platt(logits: Values, labels: Labels) -> tuple[float, float]:
    """Scale and bias that make ``sigmoid(scale * logit + bias)`` likeliest (Platt 1999; Lin, Lin & Weng 2007).

    Where the logits say nothing, or the opposite, the scale is nearly 0: every case gets the prevalence.

    Args:
        logits: ``(n,)``.
        labels: ``(n,)`` of 0 and 1.
    """
    positive = labels.astype(bool)
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if ones == 0 or zeros == 0:
        return 1.0, 0.0
    wanted = np.where(positive, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    center, spread = float(logits.mean()), float(logits.std()) or 1.0
    design = np.stack([(logits.astype(np.float64) - center) / spread, np.ones(len(logits))], axis=1)
    scale, bias = _newton(design, wanted)
    if scale <= 0:
        return _FLAT, float(np.log(ones / zeros)) - _FLAT * center
    return float(scale / spread), float(bias - scale * center / spread)


def _newton(design: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Coefficients ``(2,)`` of a logistic regression on soft labels; steps are halved until they gain."""

    def cost(beta: npt.NDArray[np.float64]) -> float:
        score = design @ beta
        return float(np.sum(np.logaddexp(0, score) - wanted * score))

    beta = np.array([0.0, np.log(wanted.mean() / (1 - wanted.mean()))])
    for _ in range(100):
        chance = sigmoid(design @ beta)
        slope = design.T @ (chance - wanted)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        while cost(beta - step) > cost(beta) and np.abs(step).max() > 1e-10:
            step = step / 2
        beta = beta - step
        if np.abs(step).max() < 1e-10:
            break
    return beta


def threshold(probability: Values, labels: Labels, *, miss_cost: float | None = None) -> float:
    """The probability from which on an alarm is given: midway between two validation cases.

    Args:
        probability: ``(n,)``.
        labels: ``(n,)`` of 0 and 1.
        miss_cost: cost of a failure without alarm, in false alarms; None looks for the highest F1.

    Returns:
        0.5 where the validation part has no failure.
    """
    positive = labels.astype(bool)
    if not positive.any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    score = np.asarray(probability, dtype=np.float64)[order]
    hits = np.cumsum(positive[order])
    alarms = np.arange(1, len(score) + 1)
    if miss_cost is None:
        gain = 2 * hits / (alarms + positive.sum())
    else:
        gain = -((positive.sum() - hits) * miss_cost + (alarms - hits))
    last_of_tie = np.append(score[1:] < score[:-1], True)
    at = int(np.argmax(np.where(last_of_tie, gain, -np.inf)))
    below = score[at + 1] if at + 1 < len(score) else 0.0
    return float((score[at] + below) / 2)
