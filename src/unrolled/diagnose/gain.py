"""The gain of recurrent weights: how much one step stretches the state before any gate or bend.

Letters: G gates, H hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from unrolled.core.diagnosis import Finding
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding

LOW = 0.3
"""Half of what torch's own start has, 1 / sqrt(3): of a plain net 1 % of the state is left after four steps."""

HIGH = 2.0
"""Twice a rotation: the products of units near 1 reach the flat ends of tanh and sigmoid."""


def gain(run: Recorded) -> float | None:
    """Root mean square norm of the rows of the recurrent weights; None where a cell has no such matrix.

    A rotation has 1, torch's uniform start 0.58.
    """
    weight = run.request.weights.get("weight_hh")
    return None if weight is None or weight.dim() < 2 else float(weight.detach().square().sum(-1).mean().sqrt())


def gains(run: Recorded, before: Recorded | None) -> Iterator[Finding]:
    """The verdict on one layer, with its gain before training where that is known."""
    now = gain(run)
    if now is None:
        return
    start = None if before is None else gain(before)
    figures = {"gain": now} | ({} if start is None else {"start": start})
    say = partial(finding, probe="gain", place=run.place, figures=figures)
    lowest, highest = min(now, start or now), max(now, start or now)
    if highest > HIGH:
        yield say("gain_high", "watch", worst=f"{highest:.2g}")
    elif lowest < LOW:
        yield say("gain_low", "watch", worst=f"{lowest:.2g}")
    else:
        yield say("gain_usual", "fine")
