"""How far back the loss reaches: the norm of its gradient to the state, by lag (Pascanu et al. 2013, arXiv 1211.5063).

Letters: B batch, T time.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from unrolled.core.diagnosis import Finding
from unrolled.core.records import CurvePicture
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding

_FAINT = 0.01  # of the largest norm: a gradient below it moves nothing
_SHORT = 10  # steps; shorter sequences leave nothing to vanish
_LOST, _WEAK = 0.05, 0.15  # share of the steps that is reached
_GREW, _EXPLODED = 100.0, 1000.0


def norms(run: Recorded) -> npt.NDArray[np.float64]:
    """``(T,)`` root mean square over samples of the gradient's norm, by lag from the last true step.

    Entry 0 is the last step. Lags that no sample has are left out at the end.
    """
    square = torch.stack(
        [sum((part.double().square().sum(1) for part in state), torch.zeros(())) for state in run.gradients]
    )
    lags, inside = run.lags()[run.inside()], run.inside()
    sums = torch.zeros(run.steps, dtype=torch.float64).index_add_(0, lags, square[inside])
    counts = torch.bincount(lags, minlength=run.steps)
    kept = int((counts > 0).sum())
    found: npt.NDArray[np.float64] = (sums[:kept] / counts[:kept]).sqrt().numpy()
    return found


def reach(by_lag: npt.NDArray[np.float64]) -> int:
    """Effective memory length: steps from the end back to the last one that feels 1 % of the largest gradient."""
    top = by_lag.max(initial=0.0)
    return int(np.flatnonzero(by_lag >= _FAINT * top)[-1]) + 1 if top > 0 else 0


def gradient_flow(run: Recorded, before: Recorded | None = None) -> Finding:
    """The verdict on one layer, with its curve, and that before training where it is known."""
    by_lag = norms(run)
    last, top = float(by_lag[0]), float(by_lag.max())
    growth = top / last if last > 0 and math.isfinite(top) else 1.0
    steps, back = len(by_lag), reach(by_lag)
    figures = {"reach": float(back), "steps": float(steps), "growth": growth}
    lines = {"after_training": by_lag}
    if before is not None:
        lines["before_training"] = norms(before)
        figures["reach_before"] = float(reach(lines["before_training"]))
    pictures = [_picture(lines)]
    say = partial(finding, probe="gradient_flow", place=run.place, figures=figures, pictures=pictures)
    if not math.isfinite(top) or growth > _EXPLODED:
        return say("exploding_gradient", "broken")
    if growth > _GREW:
        return say("exploding_gradient", "watch")
    if steps >= _SHORT and back < max(3.0, _LOST * steps):
        return say("vanishing_gradient", "broken")
    if steps >= _SHORT and back < _WEAK * steps:
        return say("vanishing_gradient", "watch")
    return say("gradient_reaches", "fine")


def relative(by_lag: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Logarithms to base 10 of norms over the largest of them."""
    top, smallest = by_lag.max() or 1.0, np.finfo(np.float64).tiny
    return tuple(map(float, np.log10(np.maximum(by_lag / top, smallest))))


def _picture(lines: dict[str, npt.NDArray[np.float64]]) -> CurvePicture:
    steps = max(map(len, lines.values()))
    return CurvePicture(
        name="gradient_by_lag",
        x_label="lag",
        y_label="log10_gradient",
        x=tuple(map(float, range(steps))),
        lines={name: relative(by_lag) for name, by_lag in lines.items()},
    )
