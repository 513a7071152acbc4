"""How far back the loss reaches: the norm of its gradient to the state, by lag (Pascanu et al. 2013, arXiv 1211.5063).

Letters: B batch, T time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from unrolled.core.diagnosis import Finding
from unrolled.core.records import CurvePicture, HeatPicture
from unrolled.diagnose.heat import edges, names, summed
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding

_FAINT = 0.01  # of the largest norm: a gradient below it moves nothing
_SHORT = 10  # steps; shorter sequences leave nothing to vanish
_LOST, _WEAK = 0.05, 0.15  # share of the steps that is reached
_FAINTEST = 1e-8  # of the largest norm, the lowest that the colours of a map tell apart
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
    pictures = [curves("gradient_by_lag", lines)]
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


def _relative(by_lag: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Logarithms to base 10 of norms over the largest of them."""
    top, smallest = by_lag.max() or 1.0, np.finfo(np.float64).tiny
    return tuple(map(float, np.log10(np.maximum(by_lag / top, smallest))))


def by_layer(runs: Sequence[Recorded]) -> Iterator[Finding]:
    """How the gradient compares from layer to layer; nothing where there is one."""
    found = {run.place: norms(run) for run in runs}
    tops = {place: float(by_lag.max()) for place, by_lag in found.items()}
    if len(runs) < 2 or not all(map(math.isfinite, tops.values())) or not max(tops.values()):
        return
    largest, least = max(tops, key=lambda place: tops[place]), min(tops, key=lambda place: tops[place])
    yield finding(
        "gradient_by_layer",
        "fine",
        probe="gradient_flow",
        figures={"ratio": tops[largest] / max(tops[least], float(np.finfo(np.float64).tiny))},
        pictures=[_map(found, tops[largest])],
        largest=largest,
        least=least,
    )


def _map(found: Mapping[str, npt.NDArray[np.float64]], top: float) -> HeatPicture:
    """log10 of the mean norm in each stretch of lags, relative to the largest of all."""
    cuts = edges(max(map(len, found.values())))
    rows: list[tuple[float | None, ...]] = []
    for by_lag in found.values():
        counts, sums = summed(np.ones(len(by_lag)), cuts).tolist(), summed(by_lag, cuts).tolist()
        means = (total / count if count else None for total, count in zip(sums, counts, strict=True))
        rows.append(tuple(None if mean is None else math.log10(max(mean / top, _FAINTEST)) for mean in means))
    return HeatPicture(
        name="gradient_by_layer",
        x_label="lag",
        y_label="layer",
        value_label="log10_gradient",
        x=names(cuts),
        y=tuple(found),
        values=tuple(rows),
    )


def curves(name: str, lines: Mapping[str, npt.NDArray[np.float64]]) -> CurvePicture:
    """Each line relative to its largest norm."""
    relatives = {key: _relative(by_lag) for key, by_lag in lines.items()}
    return CurvePicture.by_lag(name, "log10_gradient", relatives)
