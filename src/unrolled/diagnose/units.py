"""Units that never change, repeat another, or sit at the ends of their range.

Letters: H hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from unrolled.core.diagnosis import Finding
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding

_STILL = 1e-4  # standard deviation of a unit that is dead
_ALIKE = 0.999  # correlation of twins
_DEAD_BROKEN, _DEAD_WATCH, _TWINS_WATCH = 0.3, 0.1, 0.5
_AT_THE_END, _SATURATED = 0.99, 0.9


def outputs(run: Recorded) -> Tensor:
    """``(rows, H)`` outputs over all true steps and samples."""
    return torch.stack([state[0] for state in run.states[1:]]).detach()[run.inside()].double()


def units(run: Recorded) -> Iterator[Finding]:
    """One finding, or two, on the units of a layer."""
    h = outputs(run)
    alive = h.std(0, correction=0) > _STILL
    dead, twins = 1 - float(alive.double().mean()), _twins(h[:, alive]) / h.shape[1]
    saturated = float((h.abs() > _AT_THE_END).double().mean()) if float(h.abs().max()) <= 1 else 0.0
    figures = {"units": float(h.shape[1]), "dead": dead, "alive": 1 - dead, "twins": twins, "share": saturated}
    say = partial(finding, probe="units", place=run.place, figures=figures)
    healthy = True
    if dead >= _DEAD_WATCH:
        yield say("dead_units", "broken" if dead >= _DEAD_BROKEN else "watch")
        healthy = False
    if twins >= _TWINS_WATCH:
        yield say("units_alike", "watch")
        healthy = False
    if saturated >= _SATURATED:
        yield say("state_saturated", "broken")
        healthy = False
    if healthy:
        yield say("units_alive", "fine")


def _twins(h: Tensor) -> int:
    """Units that follow an earlier one."""
    if h.shape[1] < 2:
        return 0
    standard = (h - h.mean(0)) / h.std(0, correction=0)
    alike = (standard.T @ standard / len(h)).abs() > _ALIKE
    return int(alike.tril(-1).any(1).sum())
