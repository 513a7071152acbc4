"""The gain of the recurrent weights at which the state would neither fade nor grow.

Found by halving the interval of factors on the recurrent weights until the largest Lyapunov exponent along the data is
zero: at the edge of chaos a state keeps what it is given longest (Bertschinger & Natschläger 2004; for the choice of
initial weights Pascanu et al. 2013, section 2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch.nn.functional import linear

from unrolled.core.diagnosis import Finding
from unrolled.diagnose.gain import gain
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding
from unrolled.program.bind import Step

_WIDEST = 8.0  # times as large, or as small
_HALVINGS = 6  # to 7 % of the factor
_APART = 1e-6  # distance of the two trajectories
_SETTLED = 5  # the first fifth of the steps is left out: the distance turns to the direction that grows most
_SEQUENCES, _STEPS = 2, 100


def edge(run: Recorded) -> Iterator[Finding]:
    """The hint on one layer, where there is one."""
    factor, now = edge_factor(run), gain(run)
    if factor is not None and now is not None:
        figures = {"factor": factor, "gain": factor * now}
        yield finding("edge_gain", "fine", probe="lyapunov", place=run.place, figures=figures)


def edge_factor(run: Recorded) -> float | None:
    """By how much to multiply the recurrent weights; None where no factor from 1/8 to 8 leads there."""
    if "weight_hh" not in run.request.weights:
        return None
    short = _shorter(run)
    low, high = -math.log(_WIDEST), math.log(_WIDEST)
    if _exponent(short, low) > 0 or _exponent(short, high) < 0:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _exponent(short, middle) > 0 else (middle, high)
    return math.exp((low + high) / 2)


def _shorter(run: Recorded) -> Recorded:
    """The first sequences and steps, in order of running and without padding."""
    request = run.request
    x = run.inputs()[:_STEPS, :_SEQUENCES].swapaxes(0, 1)
    if request.lengths is not None:
        x = x[:, : int(request.lengths[:_SEQUENCES].min())]
    state = tuple(part[:_SEQUENCES].detach() for part in run.states[0])
    weights = {name: weight.detach() for name, weight in request.weights.items()}
    return Recorded(
        run.place,
        request.but(x=torch.nan_to_num(x), weights=weights, initial=state, lengths=None, reverse=False, noise=None),
        run.states,
    )


@torch.no_grad()
def _exponent(run: Recorded, log_factor: float) -> float:
    """The largest exponent with recurrent weights so much larger, by two trajectories that start side by side.

    After each step the second one is put back to its first distance (Benettin et al. 1976); no derivative is needed.
    """
    request = run.request
    weights = {name: weight.double() for name, weight in request.weights.items()}
    weights["weight_hh"] = weights["weight_hh"] * math.exp(log_factor)
    step = Step(request.cell, weights, linear)
    projected = linear(request.x.double(), weights["weight_ih"], weights.get("bias_ih")).unbind(1)
    state = tuple(part.double() for part in request.state)
    size = sum(part.shape[1] for part in state)
    shift = tuple(torch.full_like(part, _APART / math.sqrt(size)) for part in state)
    logs = []
    for gates in projected:
        moved = step(gates, tuple(part + by for part, by in zip(state, shift, strict=True)))
        state = step(gates, state)
        apart = [there - here for there, here in zip(moved, state, strict=True)]
        norm = torch.cat(apart, 1).norm(dim=1, keepdim=True).clamp_min(_APART * 1e-9)
        logs.append((norm / _APART).log())
        shift = tuple(part * (_APART / norm) for part in apart)
    settled = torch.stack(logs[len(logs) // _SETTLED :])
    return float(settled.mean())
