"""Samples to look at: labels that are probably wrong, and those that the net does worst on.

Wrong labels by confident learning (Northcutt, Jiang & Chuang 2021, arXiv 1911.00068, section 3.1): a sample counts as
of class j where its probability reaches the mean probability that samples labelled j have for j.

Letters: n samples, K classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Whole = npt.NDArray[np.int64]


class Suspects(NamedTuple):
    """Samples whose label is probably wrong.

    Attributes:
        samples: their places, the most suspect first.
        margins: probability of the given label minus that of the likeliest other one.
        joint: ``(K, K)`` counts, given label by likely one.
    """

    samples: _Whole
    margins: _Floats
    joint: _Whole

    @property
    def share(self) -> float:
        """Estimated share of wrong labels."""
        total = int(self.joint.sum())
        return 1 - int(np.trace(self.joint)) / total if total else 0.0


def label_suspects(probability: _Floats, labels: _Whole) -> Suspects:
    """Confident learning, ranked by margin.

    Args:
        probability: ``(n, K)``, of samples that were not learnt from.
        labels: ``(n,)`` as given.
    """
    count, classes = probability.shape
    own = probability[np.arange(count), labels]
    present = np.array([bool((labels == code).any()) for code in range(classes)])
    limits = np.array([own[labels == code].mean() if present[code] else np.inf for code in range(classes)])
    confident = np.where(probability >= limits, probability, -np.inf)
    counted = np.isfinite(confident).any(1)
    likely = np.where(counted, confident.argmax(1), labels)
    joint = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(joint, (labels[counted], likely[counted]), 1)
    others = probability.copy()
    others[np.arange(count), labels] = -np.inf
    margin = own - others.max(1)
    found = np.flatnonzero(counted & (likely != labels))
    order = found[np.argsort(margin[found], kind="stable")]
    return Suspects(order, margin[order], joint)


def worst(losses: _Floats, count: int) -> _Whole:
    """Places of the samples with the largest finite loss, the worst first."""
    order = np.argsort(np.where(np.isfinite(losses), -losses, np.inf), kind="stable")
    return order[: min(count, int(np.isfinite(losses).sum()))]
