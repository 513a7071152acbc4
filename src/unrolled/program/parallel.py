"""Cells that are linear in their state, run over all steps at once: an associative scan.

Letters: B batch, T time, D input, H hidden, W width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError
from unrolled.program.bind import check
from unrolled.program.equations import Equations
from unrolled.program.interpret import evaluate, parameters, projected
from unrolled.program.linear import linear_form
from unrolled.program.trace import trace

_Array = npt.NDArray[Any]


def run_parallel(
    cell: Equations, x: _Array, weights: Mapping[str, _Array], hx: tuple[_Array, ...] | None = None
) -> tuple[_Array, tuple[_Array, ...]]:
    """A cell that is linear in its state, over all steps at once; y and the final state as from ``run_numpy``.

    Raises:
        ConfigError: the cell is not linear in its state.
    """
    states = check(cell, x, weights, hx)
    form = linear_form(trace(cell, len(weights["weight_ih"]) // len(cell.gates), bias="bias_ih" in weights))
    if form is None:
        raise ConfigError("it is not linear in its state, unit by unit", where=f"cell {cell.name!r}")
    own = parameters(cell, weights)
    leaves = {("vector", name): own[name] for name in form.leaves("vector")} | projected(
        cell, x.swapaxes(0, 1), weights
    )
    values = evaluate(form, leaves, own)
    found = {name: values[place] for name, place in form.outputs}
    histories = []
    for index, (part, shape) in enumerate(zip(cell.state, states, strict=True)):
        initial = np.zeros(shape, x.dtype) if hx is None else hx[index]
        a, b = (np.broadcast_to(found[f"{k}.{part}"], (x.shape[1], *shape)) for k in "ab")
        histories.append(np.concatenate([initial[None], scan(a, b, initial)]))
    return histories[0][1:].swapaxes(0, 1), tuple(history[-1] for history in histories)


def scan(a: _Array, b: _Array, initial: _Array) -> _Array:
    """``h_t = a_t h_{t-1} + b_t`` for all t in log2(T) rounds over whole arrays (Hillis & Steele 1986).

    Args:
        a, b: ``(T, B, W)``.
        initial: ``(B, W)``, the h before.

    Returns:
        h ``(T, B, W)``.
    """
    a, b = a.copy(), b.copy()
    b[:1] += a[:1] * initial
    span = 1
    while span < len(b):
        b[span:] += a[span:] * b[:-span]
        a[span:] *= a[:-span].copy()
        span *= 2
    return b
