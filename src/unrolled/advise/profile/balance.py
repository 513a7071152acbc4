"""How often each class occurs.

Letters: n samples, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.advise.profile.enough import LEAST_OF_A_CLASS
from unrolled.advise.profile.material import Material
from unrolled.advise.profile.wording import fact
from unrolled.core.advice import Fact

_SKEWED = 10.0  # times that the most frequent class is more frequent than the rarest
_SAMPLES = 20_000


def balance(material: Material) -> Iterator[Fact]:
    """Of the first target; nothing where it is no class."""
    if not material.classes:
        return
    samples = material.samples
    chosen = samples[np.unique(np.linspace(0, len(samples) - 1, min(_SAMPLES, len(samples))).astype(np.int64))]
    truth = material.preprocessor.truth(material.series, chosen)
    codes = truth.reshape(len(truth), -1)[:, 0]
    counts = np.bincount(codes[np.isfinite(codes)].astype(np.int64))
    counts = counts[counts > 0]
    shares = counts / counts.sum()
    entropy = float(-(shares * np.log(shares)).sum() / np.log(len(shares))) if len(shares) > 1 else 0.0
    ratio = float(counts.max() / counts.min())
    figures = {
        "classes": float(len(counts)),
        "largest_class": float(shares.max()),
        "rarest": float(counts.min()),
        "imbalance": ratio,
        "balance": entropy,
        "learnable": float((counts >= LEAST_OF_A_CLASS).sum()),
    }
    scarce = figures["learnable"] < figures["classes"]
    yield fact("skewed" if ratio > _SKEWED else "balanced", "classes", figures, level="watch" if scarce else "fine")
