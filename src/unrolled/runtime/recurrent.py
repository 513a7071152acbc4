"""The plan's recurrent operation on the native library; in NumPy where it cannot run.

Letters: B batch, T time, D inputs, H hidden, W width of a part of the state.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.native.bound import Bound, Form, bound
from unrolled.native.kernel import NOTHING, View
from unrolled.program import equations
from unrolled.program.bind import check, check_lengths
from unrolled.program.ops import time as plain

Array = npt.NDArray[Any]
Lengths = npt.NDArray[np.int64] | None


def recurrent(
    x: Array,
    lengths: Lengths,
    /,
    *state: Array,
    cell: str,
    reverse: bool,
    settings: dict[str, bool | int | float | str] | None = None,
    **weights: Array,
) -> tuple[Array, ...]:
    """``program.ops.time.recurrent``, faster.

    Raises:
        ConfigError: a shape or a length does not fit.
    """
    kind = equations.cell(cell, **(settings or {}))
    sizes = check(kind, x, weights, state or None)
    same = all(part.dtype == x.dtype for part in (*state, *weights.values()))
    found = (
        bound(Form.of(kind, weights, x.dtype.name))
        if same and x.size
        else "only arrays of one type, with something in them"
    )
    if isinstance(found, str):
        return plain.recurrent(x, lengths, *state, cell=cell, reverse=reverse, settings=settings, **weights)
    true = None if lengths is None else check_lengths(lengths, x.shape)
    initial = state or tuple(np.zeros(size, x.dtype) for size in sizes)
    if true is None:
        return _run(found, x, initial, weights, None, reverse)
    order = np.argsort(-true, kind="stable")
    results = _run(found, x[order], tuple(part[order] for part in initial), weights, true[order], reverse)
    back = np.argsort(order)
    return tuple(part[back] for part in results)


def _run(
    found: Bound,
    x: Array,
    initial: tuple[Array, ...],
    weights: dict[str, Array],
    lengths: Lengths,
    reverse: bool,
) -> tuple[Array, ...]:
    """y ``(B, T, W)`` and each part of the final state; sequences are in descending order of their lengths."""
    batch, time, _ = x.shape
    x, *initial_parts = (np.ascontiguousarray(array) for array in (x, *initial))
    tensors = [np.ascontiguousarray(weights[name]) for name in found.names]
    y = np.zeros((batch, time, found.kernel.widths[0]), x.dtype)
    final = [np.empty_like(part) for part in initial_parts]
    found.kernel.forward(
        (batch, time),
        _view(x),
        found.addresses(tuple(tensor.ctypes.data for tensor in tensors)),
        initial=[part.ctypes.data for part in initial_parts],
        states=[_view(y), *[NOTHING] * (len(final) - 1)],
        final=[part.ctypes.data for part in final],
        lengths=lengths,
        reverse=reverse,
        threads=_threads(),
    )
    return y, *final


def _view(array: Array) -> View:
    """Strides in numbers."""
    return View(array.ctypes.data, array.strides[0] // array.itemsize, array.strides[1] // array.itemsize)


def _threads() -> int:
    """As many as this process may use, or as OMP_NUM_THREADS says."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    # not every system tells which cores a process may use
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
