"""The Pareto frontier: what nothing else beats in every respect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def frontier(costs: Sequence[Sequence[float]]) -> list[int]:
    """Positions of the points that no other point dominates, in order of their first cost.

    A point dominates another when it is nowhere worse and somewhere better. Equal points are all kept.

    Args:
        costs: one row a point, one column an objective, lower being better; a NaN keeps a point out.
    """
    points = np.asarray(costs, dtype=np.float64)
    if not len(points):
        return []
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    kept = [int(at) for at in known if not _dominated(points[at], points[known])]
    return sorted(kept, key=lambda at: tuple(points[at]))


def _dominated(point: np.ndarray, others: np.ndarray) -> bool:
    """Whether one of ``others`` ``(n, k)`` is nowhere worse than ``point`` ``(k,)``, and somewhere better."""
    return bool(((others <= point).all(axis=1) & (others < point).any(axis=1)).any())
