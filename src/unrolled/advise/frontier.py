"""Who is on the frontier: nothing else is better in one respect without being worse in another (Pareto)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from unrolled.core.trial import Trial


def frontier(trials: Mapping[str, Trial]) -> frozenset[str]:
    """Names of the trials that are not dominated in accuracy, size and latency."""
    points = {name: _point(trial) for name, trial in trials.items() if trial.cost is not None}
    return frozenset(
        name
        for name, own in points.items()
        if not any(_dominates(other, own) for rival, other in points.items() if rival != name)
    )


def _point(trial: Trial) -> tuple[float, float, float]:
    """Cost, parameters, microseconds; what was not measured is the worst."""
    assert trial.cost is not None
    size = math.inf if trial.parameters is None else float(trial.parameters)
    return trial.cost, size, math.inf if trial.predict_us is None else trial.predict_us


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other
