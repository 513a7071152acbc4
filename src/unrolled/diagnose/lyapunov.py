"""Lyapunov exponents of a cell driven by data: how fast states that lie close come together or part.

By the QR method (Benettin et al. 1980, Meccanica 15:9-20; for recurrent nets Vogt et al. 2022, arXiv 2006.14123),
carried back through time by the transposed Jacobians, whose product has the same exponents.

Letters: B batch, T time, S numbers in the whole state, K exponents.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import linear

from unrolled.core.diagnosis import Finding, Level
from unrolled.core.records import CurvePicture
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding
from unrolled.program.bind import Step

_SEQUENCES = 4
_WARM_UP = 0.1  # share of the steps until the axes have turned to the directions that count
_EDGE, _CHAOS = 0.02, 0.2  # per step


def exponents(run: Recorded, count: int = 8, seed: int = 0) -> npt.NDArray[np.float64]:
    """The ``count`` largest exponents, in natural logarithms a step, averaged over a few sequences.

    Args:
        run: what was recorded.
        count: K; at most the numbers in the state.
        seed: of the first axes.
    """
    inside = run.inside()[:, :_SEQUENCES]
    batch, size = inside.shape[1], sum(part.shape[1] for part in run.states[0])
    count = min(count, size)
    random = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(batch, size, count, generator=random, dtype=torch.float64)).Q
    sums, steps, warm = torch.zeros(count, dtype=torch.float64), 0, int((1 - _WARM_UP) * run.steps)
    pull_back = _PullBack(run, batch)
    for t in range(run.steps)[::-1]:
        moved, stretch = torch.linalg.qr(pull_back(t, axes))
        axes = torch.where(inside[t, :, None, None], moved, axes)  # the state stands still in the padding
        if t < warm:
            logs = torch.diagonal(stretch, dim1=1, dim2=2).abs().clamp_min(1e-300).log()
            sums += logs[inside[t]].sum(0)
            steps += int(inside[t].sum())
    found: npt.NDArray[np.float64] = (sums / max(steps, 1)).numpy()
    return np.sort(found)[::-1]


class _PullBack:
    """Gradients ``(B, S, K)`` to the state after a step, made those to the state before it."""

    def __init__(self, run: Recorded, batch: int) -> None:
        request = run.request
        weights = {name: weight.detach().double() for name, weight in request.weights.items()}
        x = run.inputs()[:, :batch].double()
        self._projected = linear(torch.nan_to_num(x), weights["weight_ih"], weights.get("bias_ih"))
        self._step = Step(request.cell, weights, linear)
        self._states = [tuple(part[:batch].detach().double() for part in state) for state in run.states[:-1]]

    def __call__(self, t: int, axes: Tensor) -> Tensor:
        count = axes.shape[2]  # each gradient is a row of its own batch: one way back for all
        rows = axes.mT.reshape(-1, axes.shape[1])
        state = [part.repeat_interleave(count, 0).requires_grad_() for part in self._states[t]]
        with torch.enable_grad():
            after = torch.cat(self._step(self._projected[t].repeat_interleave(count, 0), tuple(state)), 1)
            found = torch.autograd.grad(after, state, rows, allow_unused=True, materialize_grads=True)
        return torch.cat(found, 1).reshape(-1, count, axes.shape[1]).mT


def lyapunov(run: Recorded) -> Finding:
    """Contracting, at the edge, or chaotic."""
    found = exponents(run)
    first = float(found[0])
    picture = CurvePicture(
        name="lyapunov_exponents",
        x_label="rank",
        y_label="per_step",
        x=tuple(map(float, range(1, len(found) + 1))),
        lines={run.place: tuple(found.tolist())},
    )
    say = partial(finding, probe="lyapunov", place=run.place, pictures=[picture])
    figures = {"exponent": first}
    if first > _EDGE:
        level: Level = "broken" if first > _CHAOS else "watch"
        return say("chaotic", level, figures=figures | {"doubling": math.log(2) / first})
    if first > -_EDGE:
        return say("edge_of_chaos", "fine", figures=figures)
    return say("contracting", "fine", figures=figures | {"constant": -1 / first})
