"""A cell over time in NumPy: the loop that the base install runs.

Letters: B batch, T time, D input, H hidden, G gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.program.bind import Step, check, check_lengths
from unrolled.program.equations import Equations

_Array = npt.NDArray[Any]

_BLOCK = 1 << 20
"""Gate values projected at a time: keeps the memory of long sequences bounded and in the cache."""


def run_numpy(
    cell: Equations,
    x: _Array,
    weights: Mapping[str, _Array],
    hx: tuple[_Array, ...] | None = None,
    lengths: npt.ArrayLike | None = None,
    reverse: bool = False,
) -> tuple[_Array, tuple[_Array, ...]]:
    """Run a cell over whole sequences, forward or from the end to the start.

    Args:
        cell: the equations.
        x: ``(B, T, D)``.
        weights: by parameter name, as ``cell.shapes`` lists them.
        hx: initial state, one ``(B, H)`` for each part, zeros when absent.
        lengths: ``(B,)`` true lengths; beyond them the state stands still and y is zero.
        reverse: start at the last true step.

    Returns:
        y ``(B, T, H)`` in the order of x, and the final state, one ``(B, H)`` for each part.

    Raises:
        ConfigError: a shape or a length does not fit.
    """
    states = check(cell, x, weights, hx)
    batch, time, _ = x.shape
    dtype = np.result_type(x, *weights.values())
    state = hx if hx is not None else tuple(np.zeros(shape, dtype) for shape in states)
    y = np.zeros((batch, time, states[0][1]), dtype)
    alive = _alive(lengths, x.shape)
    step = Step(cell, weights, _linear)
    order = range(time)[::-1] if reverse else range(time)
    span = max(1, _BLOCK // max(1, batch * weights["weight_ih"].shape[0]))
    for block in (order[start : start + span] for start in range(0, time, span)):
        projected = _linear(x[:, block].swapaxes(0, 1), weights["weight_ih"], weights.get("bias_ih"))
        for t, gates in zip(block, projected, strict=True):
            new = step(gates, state)
            if alive is not None and not alive[t].all():
                new = tuple(np.where(alive[t], n, old) for n, old in zip(new, state, strict=True))
                y[:, t] = np.where(alive[t], new[0], 0)
            else:
                y[:, t] = new[0]
            state = new
    return y, state


def _linear(v: _Array, weight: _Array, bias: _Array | None) -> _Array:
    out: _Array = (v.reshape(-1, v.shape[-1]) @ weight.T).reshape(*v.shape[:-1], len(weight))
    if bias is not None:
        out += bias
    return out


def _alive(lengths: npt.ArrayLike | None, x: tuple[int, ...]) -> npt.NDArray[np.bool_] | None:
    """``(T, B, 1)``, true inside each length; None when every step is."""
    true = None if lengths is None else check_lengths(lengths, x)
    return None if true is None else np.arange(x[1])[:, None, None] < true[:, None]
