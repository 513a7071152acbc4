"""A recurrent layer with an external memory (Graves, Wayne & Danihelka 2014, neural Turing machine, arXiv 1410.5401).

The equations stand here once, for NumPy arrays and torch tensors. Letters: B batch, T time, D inputs, H units of the
controller, N slots, M width of a slot, R heads of each kind, K shifts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from unrolled.program import equations
from unrolled.program.bind import Step
from unrolled.program.functions import Array, exp, log, sigmoid, softplus, sqrt, tanh

Slots = Annotated[int, Field(ge=2, le=4096)]
Width = Annotated[int, Field(ge=1, le=4096)]
Heads = Annotated[int, Field(ge=1, le=64)]
Reach = Annotated[int, Field(ge=0, le=64)]

_TINY = 1e-4
"""Under the root of a norm, so that an empty slot is like nothing, and has a gradient."""


def memory(
    x: Array,
    /,
    weight_heads: Array,
    bias_heads: Array,
    *,
    slots: Slots,
    width: Width,
    heads: Heads,
    reach: Reach,
    **controller: Array,
) -> Array:
    """``(B, T, D)`` to the controller's outputs and what was read, ``(B, T, H + R M)``.

    ``controller`` are the weights of an LSTM on the step and what was read before it, ``(4H, D + R M)`` and so on;
    ``weight_heads`` maps its output to the parameters of the heads (:func:`steps`).
    """
    empty = np.zeros((len(x), slots, width), x.dtype)
    states = (np.zeros((len(x), controller["weight_hh"].shape[1]), x.dtype),) * 2
    first = np.zeros((len(x), 2 * heads, slots), x.dtype)
    first[..., 0] = 1
    y = np.empty((*x.shape[:2], states[0].shape[1] + heads * width), x.dtype)
    for t, parts in enumerate(
        steps(x, controller, (weight_heads, bias_heads), (empty, first, states), neighbours(slots, reach))
    ):
        y[:, t] = np.concatenate(parts, axis=-1)
    return y


def neighbours(slots: int, reach: int) -> Any:
    """``(K, N)``: which slot each slot takes its weight from, for every shift from -reach to reach, in a ring."""
    return (np.arange(slots) - np.arange(-reach, reach + 1)[:, None]) % slots


def heads_size(width: int, heads: int, reach: int) -> int:
    """How many numbers steer the heads."""
    return heads * (2 * (width + 3 + 2 * reach + 1) + 2 * width)


def steps(
    x: Array, controller: dict[str, Array], steering: tuple[Array, Array], start: tuple[Array, ...], ring: Any
) -> Iterator[tuple[Array, Array]]:
    """Step after step the controller's output h_t ``(B, H)`` and what is read ``(B, R M)``.

    From h_t a linear map, ``steering``, gives for each of R reading and R writing heads a key, a strength, a gate, a
    sharpness and shifts, and for each writing head what it erases and adds. All heads start at slot 0 of an empty
    memory; it is written to, then read.
    """
    store, where, state = start
    heads, width = where.shape[1] // 2, store.shape[2]
    each = width + 3 + len(ring)
    into, own = controller["weight_ih"][:, : x.shape[2]], controller["weight_ih"][:, x.shape[2] :]
    step = Step(equations.cell("lstm"), {k: v for k, v in controller.items() if k != "weight_ih"}, _linear)
    projected = _linear(x, into, controller.get("bias_ih"))
    read = (where[:, :heads] @ store).reshape(len(x), -1)
    for t in range(x.shape[1]):
        state = step(projected[:, t] + read @ own.T, state)
        steered = _linear(state[0], *steering)
        where = _addresses(steered[:, : 2 * heads * each].reshape(-1, 2 * heads, each), store, where, ring)
        erase, add = (
            steered[:, 2 * heads * each + k * heads * width :][:, : heads * width].reshape(-1, heads, width)
            for k in (0, 1)
        )
        store = _written(store, where[:, heads:], sigmoid(erase), tanh(add))
        read = (where[:, :heads] @ store).reshape(len(x), -1)
        yield state[0], read


def _addresses(steered: Array, store: Array, before: Array, ring: Any) -> Array:
    """The weights ``(B, 2R, N)`` of the slots, by content and by place (eq. 5-9)."""
    width = store.shape[2]
    key, (strength, gate, sharpness) = (
        tanh(steered[..., :width]),
        (steered[..., width + k : width + k + 1] for k in range(3)),
    )
    alike = key @ store.swapaxes(-1, -2) / (_norm(key) * _norm(store).swapaxes(-1, -2))
    content = _softmax(softplus(strength) * alike)
    mixed = content * sigmoid(gate) + before * (1 - sigmoid(gate))
    shifted = (_softmax(steered[..., width + 3 :])[..., None] * mixed[..., ring]).sum(-2)
    sharp = exp((1 + softplus(sharpness)) * log(shifted + 1e-12))
    return sharp / sharp.sum(-1, keepdims=True)


def _written(store: Array, where: Array, erase: Array, add: Array) -> Array:
    """The memory with parts erased and others added, head by head (eq. 3 and 4)."""
    for head in range(where.shape[1]):
        weights = where[:, head, :, None]
        store = store * (1 - weights * erase[:, head, None]) + weights * add[:, head, None]
    return store


def _norm(v: Array) -> Array:
    return sqrt((v * v).sum(-1, keepdims=True) + _TINY)


def _softmax(v: Array) -> Array:
    largest = v.max(-1, keepdims=True) if isinstance(v, np.ndarray) else v.amax(-1, keepdim=True)
    shares = exp(v - largest)
    return shares / shares.sum(-1, keepdims=True)


def _linear(v: Array, weight: Array, bias: Array | None) -> Array:
    return v @ weight.T if bias is None else v @ weight.T + bias
