"""A recurrent layer that thinks about each step for as long as it needs (Graves 2016, arXiv 1603.08983).

The equations stand here once, for NumPy arrays and torch tensors.

Letters: B batch, T time, D inputs, H hidden, N updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from unrolled.program import equations
from unrolled.program.bind import Step
from unrolled.program.functions import Array, positive, sigmoid

Thinker = Literal["rnn", "gru", "lstm"]
Most = Annotated[int, Field(ge=1, le=256)]

_SPARE = 0.01
"""What may be missing to 1 when a step is done, so that one update can be enough (the paper's epsilon)."""


def ponder(x: Array, /, *state: Array, cell: Thinker, most: Most, **weights: Array) -> tuple[Array, ...]:
    """``(B, T, D)`` to ``(B, T, H)``, how many updates each step took and what the last had left (both ``(B, T, 1)``).

    ``weights`` are those of a cell on the step and a mark of its first update, ``weight_ih (G H, D + 1)`` and so on;
    ``weight_halt (1, H)`` and ``bias_halt (1,)`` say how likely an update is the last. ``state`` are the parts of the
    cell's before the first step side by side, zeros where absent; that after the last step is returned behind.
    """
    size, parts = weights["weight_hh"].shape[1], len(equations.cell(cell).state)
    (joined,) = state or (np.zeros((len(x), parts * size), x.dtype),)
    begin, after = tuple(np.split(joined, parts, axis=1)), [joined]
    y, counts, rests = (np.empty((*x.shape[:2], width), x.dtype) for width in (size, 1, 1))
    for t, (count, rest, *after) in enumerate(steps(x, begin, cell, most, weights)):
        y[:, t], counts[:, t], rests[:, t] = after[0], count, rest
    return y, counts, rests, np.concatenate(after, axis=1)


def steps(
    x: Array, state: tuple[Array, ...], cell: str, most: int, weights: Mapping[str, Array]
) -> Iterator[tuple[Array, ...]]:
    """After each step N(t), R(t) and the state, the mean of those of its updates (eq. 5-9 and 13)."""
    inner = {name: weight for name, weight in weights.items() if "halt" not in name and name != "weight_ih"}
    step = Step(equations.cell(cell), inner, _linear)
    into, first = weights["weight_ih"][:, :-1], weights["weight_ih"][:, -1]
    projected = _linear(x, into, weights.get("bias_ih"))
    for t in range(x.shape[1]):
        given = projected[:, t] + first
        left = state[0][:, :1] * 0 + 1  # of the shares, and as many thoughts are still going on
        running, count, rest, mean = left, left * 0, left * 0, tuple(part * 0 for part in state)
        for update in range(1, most + 1):
            state = step(given, state)
            halt = sigmoid(_linear(state[0], weights["weight_halt"], weights["bias_halt"]))
            last = positive(halt - left + _SPARE) if update < most else running * 0 + 1
            share = running * (last * left + (1 - last) * halt)
            mean = tuple(part + share * own for part, own in zip(mean, state, strict=True))
            count, rest = count + running, rest + running * last * left
            left, running = left - running * (1 - last) * halt, running * (1 - last)
            if not running.any():
                break
            given = projected[:, t]
        state = mean
        yield count, rest, *state


def _linear(v: Any, weight: Any, bias: Any) -> Any:
    return v @ weight.T if bias is None else v @ weight.T + bias
