"""How much of a channel's variance is noise: from second differences (Gasser, Sroka & Jennen-Steinmetz 1986).

With ``e_t = (x_{t-1} - 2 x_t + x_{t+1}) / sqrt 6`` the mean of ``e_t^2`` is the variance of the noise where the signal
is nearly straight over three steps, and the noise of neighbours is independent. A signal that swings within a few
steps counts as noise, so the figure is an upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from unrolled.advise.profile.material import Float, Material
from unrolled.advise.profile.wording import fact
from unrolled.core.advice import Fact


def noise(material: Material) -> Iterator[Fact]:
    """The median over channels; nothing where no channel has three steps that differ."""
    shares = [share for column in material.channels() if (share := noise_share(material.stretches(column))) is not None]
    if shares:
        share = float(np.median(shares))
        decibels = 10 * np.log10(max(1 - share, 1e-6) / max(share, 1e-6))
        yield fact("noise", "signal", {"noise": share, "snr_db": float(decibels), "noisiest": max(shares)})


def noise_share(stretches: Iterable[Float]) -> float | None:
    """Variance of the noise over that of the values, between 0 and 1; None where values do not vary."""
    squares, spread = [], []
    for values in stretches:
        second = values[:-2] - 2 * values[1:-1] + values[2:]
        squares.append(second[np.isfinite(second)] ** 2 / 6)
        spread.append(values[np.isfinite(values)])
    everything = np.concatenate(spread) if spread else np.empty(0)
    errors = np.concatenate(squares) if squares else np.empty(0)
    if len(errors) == 0 or everything.std() == 0:
        return None
    return float(min(1.0, errors.mean() / everything.var()))
