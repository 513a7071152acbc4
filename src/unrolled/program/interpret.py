"""Programs run by NumPy, node by node, forward and backward: slow, plain, and the oracle of every backend.

Letters: B batch, T time, D input, H hidden, G gates, N heads, W width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.program import functions
from unrolled.program.bind import check, check_lengths
from unrolled.program.derive import Derivative, derive
from unrolled.program.equations import Equations
from unrolled.program.program import Program
from unrolled.program.trace import trace

_Array = npt.NDArray[Any]
_Leaves = Mapping[tuple[str, str], _Array]
_Gradients = tuple[_Array, dict[str, _Array], tuple[_Array, ...]]

_UNARY = {
    "neg": np.negative,
    "abs": np.abs,
    **{
        name: getattr(functions, name)
        for name in ("tanh", "sigmoid", "relu", "exp", "log", "softplus", "sqrt", "positive")
    },
}
_BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}


def evaluate(program: Program, leaves: _Leaves, weights: Mapping[str, _Array]) -> list[_Array]:
    """The value of every node.

    Args:
        program: forward or backward.
        leaves: ``(rows, W)`` by op and name; a vector is ``(W,)``.
        weights: of the products, by name, as :func:`parameters` gives them.
    """
    dtype = np.result_type(*leaves.values())
    values: list[_Array] = []
    for node in program.nodes:
        args = [values[arg] for arg in node.args]
        if node.op == "constant":
            values.append(np.full(node.width, node.value, dtype))
        elif node.op == "product":
            values.append(_times(weights[node.name], *args))
        elif node.op == "transposed":
            values.append(_times(weights[node.name].swapaxes(-1, -2), *args))
        elif node.op == "sum":
            values.append(args[0].sum(-1, keepdims=True))
        elif args:
            values.append((_UNARY if len(args) == 1 else _BINARY)[node.op](*args))
        else:
            values.append(leaves[node.op, node.name])
    return values


def parameters(cell: Equations, weights: Mapping[str, _Array]) -> dict[str, _Array]:
    """Views of a cell's weights by the names in programs: ``<gate>``, ``bias_hh.<gate>``, ``<matrix>``, vectors."""
    gates = cell.gates if cell.recurrent is None else cell.recurrent
    found = {matrix: weights[f"weight_{matrix}"] for matrix in cell.matrices}
    found |= {vector: weights[vector] for vector in cell.vectors}
    for prefix, name in (("", "weight_hh"), ("bias_hh.", "bias_hh")):
        if name in weights:
            parts = np.split(weights[name], len(gates))
            found |= {f"{prefix}{gate}": part for gate, part in zip(gates, parts, strict=True)}
    return found


def projected(cell: Equations, x: _Array, weights: Mapping[str, _Array]) -> dict[tuple[str, str], _Array]:
    """The leaves ``W x + b`` ``(..., H)`` of every gate, of x ``(..., D)``."""
    gates = np.split(_times(weights["weight_ih"], x) + weights.get("bias_ih", 0), len(cell.gates), -1)
    return {("input", gate): part for gate, part in zip(cell.gates, gates, strict=True)}


@dataclass(frozen=True)
class Tape:
    """What a run leaves to its way back."""

    y: _Array
    """``(B, T, H)``, zero beyond each length."""
    state: tuple[_Array, ...]
    """After the last true step, one ``(B, W)`` a part."""
    cell: Equations
    program: Program
    x: _Array
    weights: Mapping[str, _Array]
    steps: Sequence[tuple[int, _Leaves, list[_Array]]]
    """Of each step in order of running: t, its leaves, and all values."""
    alive: _Array
    """``(T, B, 1)``, true inside each length."""


def run_forward(
    cell: Equations,
    x: _Array,
    weights: Mapping[str, _Array],
    hx: tuple[_Array, ...] | None = None,
    lengths: npt.ArrayLike | None = None,
    reverse: bool = False,
    noise: Mapping[str, _Array] | None = None,
) -> Tape:
    """Whole sequences through the cell's program; arguments as in ``program.loop.run_numpy``.

    Args:
        noise: a mask ``(B, T, H)`` for each of the cell's noises; None for their means.
    """
    states = check(cell, x, weights, hx)
    batch, time, _ = x.shape
    true = None if lengths is None else check_lengths(lengths, x.shape)
    alive = np.arange(time)[:, None, None] < (np.full(batch, time) if true is None else true)[:, None]
    x = np.where(alive.swapaxes(0, 1), x, 0)
    hidden = len(weights["weight_ih"]) // len(cell.gates)
    program = trace(cell, hidden, bias="bias_ih" in weights, training=noise is not None)
    own = parameters(cell, weights)
    inputs = projected(cell, x, weights)
    state = hx if hx is not None else tuple(np.zeros(shape, x.dtype) for shape in states)
    y, steps = np.zeros((batch, time, states[0][1]), np.result_type(x, *weights.values())), []
    for t in range(time)[:: -1 if reverse else 1]:
        leaves = {("vector", name): own[name] for name in program.leaves("vector")}
        leaves |= {name: value[:, t] for name, value in inputs.items()}
        leaves |= {("noise", name): mask[:, t] for name, mask in (noise or {}).items()}
        leaves |= {("state", part): value for part, value in zip(cell.state, state, strict=True)}
        values = evaluate(program, leaves, own)
        new = [values[place] for _, place in program.outputs]
        state = tuple(np.where(alive[t], n, old) for n, old in zip(new, state, strict=True))
        y[:, t] = np.where(alive[t], new[0], 0)
        steps.append((t, leaves, values))
    return Tape(y, state, cell, program, x, weights, steps, alive)


def run_backward(tape: Tape, dy: _Array, dstate: tuple[_Array, ...]) -> _Gradients:
    """Gradients of a loss through a run.

    Args:
        tape: of the run.
        dy: ``(B, T, H)``, the gradient of the loss to y.
        dstate: to the final state, one ``(B, W)`` a part.

    Returns:
        The gradients to x ``(B, T, D)``, to each weight by name, and to each part of the initial state.
    """
    cell, derivative, own = tape.cell, derive(tape.program), parameters(tape.cell, tape.weights)
    dweights = {name: np.zeros_like(weight) for name, weight in tape.weights.items()}
    down, dx, back = parameters(cell, dweights), np.zeros_like(tape.x), list(dstate)
    unread = np.zeros((len(dy), len(tape.weights["weight_ih"]) // len(cell.gates)))
    for t, leaves, values in tape.steps[::-1]:
        alive = tape.alive[t]
        back[0] = back[0] + np.where(alive, dy[:, t], 0)
        found = _step_back(tape.program, derivative, leaves, values, own, [np.where(alive, g, 0) for g in back])
        back = [np.where(alive, found[f"state.{part}"], g) for part, g in zip(cell.state, back, strict=True)]
        dgates = np.concatenate([found.get(f"input.{gate}", unread) for gate in cell.gates], -1)
        dx[:, t] = dgates @ tape.weights["weight_ih"]
        dweights["weight_ih"] += dgates.T @ tape.x[:, t]
        if "bias_ih" in dweights:
            dweights["bias_ih"] += dgates.sum(0)
        for k, (name, operand) in enumerate(derivative.products):
            down[name] += _outer(found[f"product.{k}"], values[operand], own[name].shape)
        for name in tape.program.leaves("vector"):
            if f"vector.{name}" in found:
                down[name] += found[f"vector.{name}"].sum(0)
    return dx, dweights, tuple(back)


def _step_back(
    program: Program,
    derivative: Derivative,
    leaves: _Leaves,
    values: list[_Array],
    weights: Mapping[str, _Array],
    gradients: list[_Array],
) -> dict[str, _Array]:
    """The outputs of one step backward, from what it may know: parts of the state, masks, vectors and saved values."""
    known = {key: value for key, value in leaves.items() if key[0] != "input"}
    known |= {("output", part): values[place] for part, place in program.outputs}
    known |= {("saved", str(place)): values[place] for place in derivative.saved}
    known |= {("gradient", part): g for (part, _), g in zip(program.outputs, gradients, strict=True)}
    found, rows = evaluate(derivative.program, known, weights), len(gradients[0])
    return {
        name: np.broadcast_to(found[place], (rows, found[place].shape[-1]))
        for name, place in derivative.program.outputs
    }


def _times(weight: _Array, v: _Array) -> _Array:
    """``weight v`` for each row of v; a weight ``(N, out/N, in/N)`` has N blocks on its diagonal."""
    if weight.ndim == 2:
        y: _Array = v @ weight.T
        return y
    parts = v.reshape(*v.shape[:-1], len(weight), weight.shape[2])
    y = np.einsum("noi,...ni->...no", weight, parts)
    return y.reshape(*v.shape[:-1], weight.shape[0] * weight.shape[1])


def _outer(d: _Array, v: _Array, shape: tuple[int, ...]) -> _Array:
    """``d^T v`` summed over the rows, in the shape of the weight."""
    if len(shape) == 2:
        y: _Array = d.T @ v
        return y
    blocks, out, size = shape
    y = np.einsum("bno,bni->noi", d.reshape(-1, blocks, out), v.reshape(-1, blocks, size))
    return y
