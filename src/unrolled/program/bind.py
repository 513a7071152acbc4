"""A cell's equations bound to weights: one step at a time, over any kind of array.

Letters: B batch, T time, D input, H hidden, G gates, N heads.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError
from unrolled.program.equations import Equations, parameters
from unrolled.program.functions import Array, chunk

Linear = Callable[[Array, Array, Array | None], Array]
"""``(v, weight, bias) -> v weight^T + bias`` over the last axis."""


class Step:
    """One time step: ``(W x_t + b of all gates (B, G*H), state) -> state``, a tuple of ``(B, H)``.

    ``noise`` gives the mask ``(B, H)`` of each of the cell's noises; without it each is its mean.
    """

    def __init__(self, cell: Equations, weights: Mapping[str, Array], linear: Linear) -> None:
        self._equations = cell.step
        self._gates, self._noise = len(cell.gates), cell.noise
        self._inputs = _named((*cell.gates, *cell.noise))
        self._means = cell.rates()
        self._recurrence = Recurrence(cell, weights, linear)

    def __call__(
        self, projected: Array, state: tuple[Array, ...], noise: Mapping[str, Array] | None = None
    ) -> tuple[Array, ...]:
        self._recurrence._restart(state[0])
        masks = self._means if noise is None else noise
        x = self._inputs(*chunk(projected, self._gates), *(masks[name] for name in self._noise))
        return self._equations(x, self._recurrence, *state)


class Recurrence:
    """What a cell's equations call ``R``.

    ``R.<gate>(v)`` is ``R_gate v + b_gate``, ``R.<matrix>(v)`` the product with ``weight_<matrix>``, and
    ``R.<vector>`` one weight for each hidden unit. A weight ``(G*N, H/N, H/N)`` is block-diagonal over N heads.
    """

    def __init__(self, cell: Equations, weights: Mapping[str, Array], linear: Linear) -> None:
        gates = cell.gates if cell.recurrent is None else cell.recurrent
        self._linear, self._count = linear, len(gates)
        self._weight, self._bias = weights.get("weight_hh"), weights.get("bias_hh")
        self._previous: Array = None
        self._together: tuple[Array, ...] | None = None
        self._alone: dict[int, tuple[Array, Array | None]] = {}
        for index, gate in enumerate(gates):
            setattr(self, gate, partial(self._product, index))
        for matrix in cell.matrices:
            setattr(self, matrix, partial(_times, linear, weights[f"weight_{matrix}"], None))
        for vector in cell.vectors:
            setattr(self, vector, weights[vector])

    def _restart(self, previous: Array) -> None:
        """Begin a step whose previous output is ``previous``."""
        self._previous, self._together = previous, None

    def _product(self, index: int, v: Array) -> Array:
        """Gates that ask for the previous output share one product; an expression such as ``r * h`` gets its own."""
        if v is not self._previous:
            if index not in self._alone:
                self._alone[index] = self._rows(index)
            return _times(self._linear, *self._alone[index], v)
        if self._together is None:
            self._together = chunk(_times(self._linear, self._weight, self._bias, v), self._count)
        return self._together[index]

    def _rows(self, index: int) -> tuple[Array, Array | None]:
        return _part(self._weight, index, self._count), _part(self._bias, index, self._count)


def _part(weight: Array, index: int, count: int) -> Array:
    """The rows of one of ``count`` gates, or None of None."""
    if weight is None:
        return None
    size = weight.shape[0] // count
    return weight[index * size : (index + 1) * size]


def check(
    cell: Equations, x: Array, weights: Mapping[str, Array], hx: tuple[Array, ...] | None
) -> tuple[tuple[int, int], ...]:
    """Hold the shapes of ``x``, weights and initial state against the cell.

    Returns:
        The shape ``(B, H)`` of each part of the state.

    Raises:
        ConfigError: a tensor is missing, unknown or of another shape, naming it.
    """
    if len(x.shape) != 3:
        raise ConfigError(f"x must be (B, T, D), it is {tuple(x.shape)}", where=f"cell {cell.name!r}")
    if "weight_ih" not in weights:
        raise ConfigError("the weight 'weight_ih' is missing", where=f"cell {cell.name!r}")
    rows, columns = map(int, (*weights["weight_ih"].shape, 0, 0)[:2])  # int: while torch traces they are symbols
    expected, sizes = _expected(cell, columns, rows // len(cell.gates), "bias_ih" in weights)
    if len(weights) != len(expected):
        raise _misfit(cell, expected, weights)
    for name, shape in expected.items():
        if name not in weights or weights[name].shape != shape:
            raise _misfit(cell, expected, weights)
    if x.shape[2] != columns:
        raise ConfigError(f"x has {x.shape[2]} columns, 'weight_ih' takes {columns}", where=f"cell {cell.name!r}")
    states = tuple((x.shape[0], size) for size in sizes)
    if hx is not None and tuple(part.shape for part in hx) != states:
        given = tuple(tuple(part.shape) for part in hx)
        raise ConfigError(f"the state has shapes {given}, expected {states}", where=f"cell {cell.name!r}")
    return states


def check_lengths(lengths: npt.ArrayLike, x: tuple[int, ...]) -> npt.NDArray[np.int64] | None:
    """True lengths ``(B,)`` held against ``x`` ``(B, T, D)``; None when every one is T.

    Raises:
        ConfigError: not one whole number a sequence, or one outside ``0 .. T``.
    """
    given = np.asarray(lengths)
    if given.shape != (x[0],) or (given.size and given.dtype.kind not in "iu"):
        raise not_lengths(x[0], given.dtype, given.shape)
    if given.size and (given.min() < 0 or given.max() > x[1]):
        raise ConfigError(f"must lie within 0 .. {x[1]}; they go from {given.min()} to {given.max()}", where="lengths")
    return None if (given == x[1]).all() else given.astype(np.int64)


def not_lengths(batch: int, dtype: Any, shape: tuple[int, ...]) -> ConfigError:
    """The error of lengths that are no whole numbers, one a sequence."""
    return ConfigError(f"must be {batch} whole numbers, one a sequence; got {dtype} of shape {shape}", where="lengths")


@lru_cache(maxsize=256)
def _expected(
    cell: Equations, size: int, hidden: int, bias: bool
) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    return parameters(cell, size, hidden, bias=bias), cell.state_sizes(hidden)


def _misfit(cell: Equations, expected: dict[str, tuple[int, ...]], weights: Mapping[str, Array]) -> ConfigError:
    given = {name: tuple(weight.shape) for name, weight in weights.items()}
    name = next(name for name in expected | given if given.get(name) != expected.get(name))
    return ConfigError(
        f"the weight {name!r} has shape {given.get(name)}, expected {expected.get(name)}",
        where=f"cell {cell.name!r}",
    )


def _times(linear: Linear, weight: Array, bias: Array | None, v: Array) -> Array:
    """``weight v + bias``; a weight ``(G*N, out/N, in/N)`` has N blocks on the diagonal of each gate."""
    if len(weight.shape) == 2:
        return linear(v, weight, bias)
    blocks, out, size = weight.shape
    heads = v.shape[-1] // size
    gates = blocks // heads
    each = weight.reshape(gates, heads, out, size).swapaxes(0, 1).reshape(heads, gates * out, size)
    y = v.reshape(-1, heads, size).swapaxes(0, 1) @ each.mT  # (N, B, G * out/N)
    y = y.reshape(heads, -1, gates, out).swapaxes(0, 2).swapaxes(0, 1).reshape(-1, gates * heads * out)
    return y if bias is None else y + bias


@cache
def _named(gates: tuple[str, ...]) -> Any:
    return namedtuple("Gates", gates)
