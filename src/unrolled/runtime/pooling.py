"""Pooling as steps arrive: after each of them what pooling gives for all steps so far.

Letters: B streams, T steps of the input, S slower steps of what is pooled, D columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.program.ops import OPS
from unrolled.program.ops.types import Pool

Array = npt.NDArray[Any]


def pool_so_far(x: Array, like: Array, /, *state: Array, kind: Pool, every: int) -> tuple[Array, ...]:
    """``program.ops.time.pool`` of the first step, the first two, ...

    Args:
        x: ``(B, S, D)``, the steps 0, ``every``, 2 ``every``, ... of those of ``like``.
        like: ``(B, T, _)``.
        state: what the call before returned after the first array.
        kind: "last", "mean" or "max".
        every: steps of the input in one of ``x``; each is held until the next.

    Returns:
        ``(B T, D)``, the steps folded into the batch, and the state.
    """
    so_far, *own = (x,) if kind == "last" else _running(x, *state[2:], kind=kind)
    held, passed, last = OPS["hold"](so_far, like, *state[:2], every=every)
    return held.reshape(-1, x.shape[2]), passed, last, *own


def _running(x: Array, /, *state: Array, kind: Pool) -> tuple[Array, ...]:
    """Mean or maximum of the steps up to each of ``(B, S, D)``; the last of them, and how many steps there were."""
    steps, count = x.shape[1], state[1] if state else np.zeros(len(x))
    if not steps:
        return x, *state
    if kind == "max":
        best = np.concatenate([state[0][:, None], x], axis=1) if state else x
        highest: Array = np.maximum.accumulate(best, axis=1)[:, -steps:]
        return highest, highest[:, -1], count + steps
    before = state[0] if state else np.zeros((len(x), x.shape[2]))
    total = (before * count[:, None])[:, None] + x.cumsum(axis=1, dtype=np.float64)
    average = total / (count[:, None] + np.arange(1, steps + 1))[..., None]
    return average.astype(x.dtype), average[:, -1], count + steps
