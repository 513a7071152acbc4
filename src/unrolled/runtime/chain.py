"""Recurrent layers one after another that keep their state between calls.

Letters: B independent streams, T time, D inputs, H hidden, W width of a part of a state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unrolled import native
from unrolled.core.errors import ConfigError, DataError
from unrolled.native.bound import Form, bound
from unrolled.program.bind import check
from unrolled.program.equations import Equations
from unrolled.program.loop import run_numpy
from unrolled.runtime.lazy import LazyLayer

Array = npt.NDArray[Any]
State = tuple[tuple[Array, ...], ...]
"""Of each layer each part, ``(B, W)``."""


class Layer(NamedTuple):
    """A cell and its parameters by name, as ``cell.shapes`` lists them."""

    cell: Equations
    weights: Mapping[str, Array]


class Chain:
    """Layers in one direction, and the state of ``batch`` independent streams, zeros at first.

    Args:
        layers: each reads what the one before gives.
        batch: B.
        lazy: keep the products of the step before and multiply only with what has changed since, in NumPy. It pays
            in large layers (1000 units and more) whose inputs or told states mostly stand still, as of ``gru_delta``.

    Raises:
        ConfigError: weights do not fit their cell, or one layer does not fit the next.

    Example:
        >>> stream = Recurrent("gru", 3, 16).stream()
        >>> stream.step(np.zeros(3)).shape
        (16,)
    """

    def __init__(self, layers: Sequence[Layer], batch: int = 1, *, lazy: bool = False) -> None:
        if batch < 1 or not layers:
            raise ConfigError(f"must have layers and streams; {len(layers)} and {batch} were given", where="stream")
        self.batch = batch
        self._layers = [
            Layer(layer.cell, {name: np.array(weight, order="C") for name, weight in layer.weights.items()})
            for layer in layers
        ]
        self.input_size = self._layers[0].weights["weight_ih"].shape[1]
        self.dtype = self._layers[0].weights["weight_ih"].dtype
        self._sizes, size = [], self.input_size
        for cell, weights in self._layers:
            shapes = check(cell, np.empty((batch, 0, size), self.dtype), weights, None)
            self._sizes.append(shapes)
            size = shapes[0][1]
        self.output_size = size
        self._lazy = [LazyLayer(*layer) for layer in self._layers] if lazy else []
        self._native = None if lazy else _native(self._layers, batch, self.dtype)
        self._state: State = ()
        self.reset()

    def step(self, x: npt.ArrayLike) -> Array:
        """One time step: ``(B, D)`` to ``(B, H)``, or ``(D,)`` to ``(H,)`` where B is 1.

        Raises:
            DataError: x has another shape.
        """
        shape = x.shape if isinstance(x, np.ndarray) else np.shape(x)
        alone = shape == (self.input_size,) and self.batch == 1
        if not alone and shape != (self.batch, self.input_size):
            raise self._misfit(shape, f"({self.batch}, {self.input_size})")
        if self._native is not None:
            y = self._native.step(x)
        else:
            y = self._run(np.asarray(x, self.dtype).reshape(self.batch, 1, self.input_size))[:, 0]
        return y[0] if alone else y

    def process(self, x: npt.ArrayLike) -> Array:
        """A chunk: ``(B, T, D)`` to ``(B, T, H)``, or ``(T, D)`` to ``(T, H)`` where B is 1; as T steps would.

        Raises:
            DataError: x has another shape.
        """
        given = np.asarray(x, self.dtype)
        if given.ndim == 2 and given.shape[1] == self.input_size and self.batch == 1:
            y: Array = self._run(given[None])[0]
            return y
        if given.ndim != 3 or (given.shape[0], given.shape[2]) != (self.batch, self.input_size):
            raise self._misfit(given.shape, f"({self.batch}, T, {self.input_size})")
        return self._run(given)

    def advance(self, x: Array) -> Array:
        """``process`` of an array ``(B, T, D)`` of the right shape and dtype, without a question."""
        if self._native is not None and x.shape[1] == 1:
            return self._native.step(x[:, 0])[:, None]
        return self._run(x)

    def snapshot(self) -> State:
        """A copy of the state, for :meth:`restore`."""
        if self._native is None:
            return tuple(tuple(part.copy() for part in layer) for layer in self._state)
        flat, state, start = self._native.snapshot(), [], 0
        for shapes in self._sizes:
            parts = []
            for rows, width in shapes:
                parts.append(flat[start : start + rows * width].reshape(rows, width))
                start += rows * width
            state.append(tuple(parts))
        return tuple(state)

    def restore(self, state: State) -> None:
        """Go on from a state that :meth:`snapshot` gave, here or in a stream of the same layers.

        Raises:
            DataError: it belongs to other layers, or another number of streams.
        """
        try:
            found = tuple(tuple(np.shape(part) for part in layer) for layer in state)
        except TypeError as error:
            raise DataError(f"it is no state: {error}", where="state", mend="give what snapshot() gave") from error
        if found != tuple(self._sizes):
            raise DataError(f"it has the shapes {found}, these layers {tuple(self._sizes)}", where="state")
        if self._native is not None:
            self._native.restore(np.concatenate([np.ravel(part) for layer in state for part in layer]))
        else:
            self._state = tuple(tuple(np.array(part, self.dtype) for part in layer) for layer in state)

    def reset(self) -> None:
        """Start anew, from zeros."""
        self.restore(tuple(tuple(np.zeros(shape, self.dtype) for shape in shapes) for shapes in self._sizes))

    @property
    def state(self) -> tuple[Array, ...]:
        """Of the last layer, a copy."""
        return self.snapshot()[-1]

    @property
    def multiplications(self) -> tuple[int, int]:
        """Of a lazy chain: multiplications with weights so far, and what they would have been with every column."""
        products = [layer.products for layer in self._lazy]
        return sum(each.multiplied for each in products), sum(each.dense for each in products)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are chains of their own, that go on from the same state."""
        return _restored, (self._layers, self.batch, bool(self._lazy), self.snapshot())

    def _run(self, x: Array) -> Array:
        """``(B, T, D)`` to ``(B, T, H)``."""
        if self._native is not None:
            return self._native.process(x.swapaxes(0, 1)).swapaxes(0, 1)
        states = []
        for number, ((cell, weights), state) in enumerate(zip(self._layers, self._state, strict=True)):
            if self._lazy:
                x, state = self._lazy[number].process(x, state)
            else:
                x, state = run_numpy(cell, x, weights, state)
            states.append(state)
        self._state = tuple(states)
        return x

    def _misfit(self, shape: tuple[int, ...], expected: str) -> DataError:
        return DataError(f"x has the shape {shape}, expected {expected}", where="stream")


def _restored(layers: Sequence[Layer], batch: int, lazy: bool, state: State) -> Chain:
    chain = Chain(layers, batch, lazy=lazy)
    chain.restore(state)
    return chain


def _native(layers: Sequence[Layer], batch: int, dtype: np.dtype[Any]) -> native.Stream | None:
    """The same chain in the native library, where it can run every layer."""
    chain = []
    for cell, weights in layers:
        found = bound(Form.of(cell, weights, dtype.name))
        if isinstance(found, str):
            return None
        pointers = tuple(weights[name].ctypes.data for name in found.names)
        chain.append(native.Layer(found.kernel, found.addresses(pointers)))
    return native.Stream(chain, batch=batch)
