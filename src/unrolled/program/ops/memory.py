"""A recurrent layer with an external memory (Graves, Wayne & Danihelka 2014, neural Turing machine, arXiv 1410.5401).

The equations stand here once, for NumPy arrays and torch tensors. Letters: B batch, T time, D inputs, H units of the
controller, N slots, M width of a slot, R heads of each kind, K shifts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from unrolled.program import equations
from unrolled.program.bind import Linear, Step
from unrolled.program.functions import Array, exp, log, sigmoid, softplus, split, sqrt, tanh

Slots = Annotated[int, Field(ge=2, le=4096)]
Width = Annotated[int, Field(ge=1, le=4096)]
Heads = Annotated[int, Field(ge=1, le=64)]
Reach = Annotated[int, Field(ge=0, le=64)]

_TINY = 1e-4
"""Under the root of a norm, so that an empty slot is like nothing, and has a gradient."""


def memory(
    x: Array, /, *state: Array, slots: Slots, width: Width, heads: Heads, reach: Reach, **weights: Array
) -> tuple[Array, ...]:
    """``(B, T, D)`` to the controller's outputs and what was read, ``(B, T, H + R M)``, and the state after that.

    ``weights`` are those of an LSTM on the step and what was read before it, ``weight_ih (4H, D + R M)`` and so on;
    ``weight_heads`` and ``bias_heads`` map its output to the parameters of the heads (:func:`steps`). ``state`` is the
    memory ``(B, N, M)``, the heads' weights of the slots ``(B, 2R, N)`` and the controller's state, two ``(B, H)``.
    """
    size = weights["weight_hh"].shape[1]
    if not state:
        where = np.zeros((len(x), 2 * heads, slots), x.dtype)
        where[..., 0] = 1
        state = (np.zeros((len(x), slots, width), x.dtype), where, *(np.zeros((2, len(x), size), x.dtype)))
    y = np.empty((*x.shape[:2], size + heads * width), x.dtype)
    after: list[Array] = [*state]
    for t, (*after, read) in enumerate(steps(x, state, neighbours(slots, reach), weights, _linear)):
        y[:, t, :size], y[:, t, size:] = after[2], read
    return y, *after


def neighbours(slots: int, reach: int) -> Any:
    """``(K, N)``: which slot each slot takes its weight from, for every shift from -reach to reach, in a ring."""
    return (np.arange(slots) - np.arange(-reach, reach + 1)[:, None]) % slots


def heads_parts(width: int, heads: int, reach: int) -> tuple[int, int, int]:
    """How many numbers steer the heads (of each a key, strength, gate, sharpness, shifts), erase, and are added."""
    return 2 * heads * (width + 3 + 2 * reach + 1), heads * width, heads * width


def steps(
    x: Array, state: tuple[Array, ...], ring: Any, weights: Mapping[str, Array], linear: Linear
) -> Iterator[tuple[Array, ...]]:
    """After each step the memory, the heads' weights of the slots, h_t and c_t, and what is read ``(B, R M)``.

    From h_t a linear map gives for each of R reading and R writing heads a key, a strength, a gate, a sharpness and
    shifts, and for each writing head what it erases and adds. All heads start at slot 0 of an empty memory; it is
    written to, then read.
    """
    store, where, inner = *state[:2], state[2:]
    heads, width = where.shape[1] // 2, store.shape[2]
    sizes = heads_parts(width, heads, len(ring) // 2)
    controller = {name: weight for name, weight in weights.items() if "heads" not in name and name != "weight_ih"}
    step = Step(equations.cell("lstm"), controller, linear)
    into, again = weights["weight_ih"][:, : x.shape[2]], weights["weight_ih"][:, x.shape[2] :]
    projected = linear(x, into, weights.get("bias_ih"))
    read = (where[:, :heads] @ store).reshape(len(x), -1)
    for given in projected.swapaxes(0, 1):  # a tensor is taken apart once: an index a step has a gradient of all steps
        inner = step(given + linear(read, again, None), inner)
        steered, erase, add = split(linear(inner[0], weights["weight_heads"], weights["bias_heads"]), sizes)
        where = _addresses(steered.reshape(len(x), 2 * heads, -1), store, where, ring)
        erase, add = (v.reshape(len(x), heads, 1, width) for v in (sigmoid(erase), tanh(add)))
        for head in range(heads):
            of = where[:, heads + head, :, None]
            store = store + of * (add[:, head] - erase[:, head] * store)  # eq. 3 and 4
        read = (where[:, :heads] @ store).reshape(len(x), -1)
        yield store, where, *inner, read


def _addresses(steered: Array, store: Array, before: Array, ring: Any) -> Array:
    """The weights ``(B, 2R, N)`` of the slots, by content and by place (eq. 5-9)."""
    width = store.shape[2]
    key, strength, gate, sharpness, shifts = split(steered, (width, 1, 1, 1, len(ring)))
    key = tanh(key)
    alike = key @ store.swapaxes(-1, -2) / (_norm(key) * _norm(store).swapaxes(-1, -2))
    content = _softmax(softplus(strength) * alike)
    mixed = before + sigmoid(gate) * (content - before)
    shifted = (_softmax(shifts)[..., None] * mixed[..., ring]).sum(-2)
    return _softmax((1 + softplus(sharpness)) * log(shifted + 1e-12))


def _norm(v: Array) -> Array:
    return sqrt((v * v).sum(-1, keepdims=True) + _TINY)


def _softmax(v: Array) -> Array:
    if not isinstance(v, np.ndarray):
        return v.softmax(-1)
    shares = exp(v - v.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def _linear(v: Array, weight: Array, bias: Array | None) -> Array:
    return v @ weight.T if bias is None else v @ weight.T + bias
