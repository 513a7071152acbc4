"""Kernels over NumPy arrays, and the interpreter of programs as their oracle.

Letters: B batch, T time, D input, H hidden, W width of a part of the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.native import NOTHING, Kernel, View, Weights
from unrolled.program import derive, trace
from unrolled.program.equations import Equations
from unrolled.program.interpret import parameters, run_backward, run_forward

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """A kernel with the weights of its cell."""

    cell: Equations
    kernel: Kernel
    weights: Mapping[str, Array]

    def addresses(self, arrays: Mapping[str, Array]) -> Weights:
        """Of weights, or of their gradients."""
        own = parameters(self.cell, arrays)
        bias = arrays["bias_ih"].ctypes.data if "bias_ih" in arrays else 0
        products, vectors = (
            tuple(own[name].ctypes.data for name in names) for names in (self.kernel.products, self.kernel.vectors)
        )
        return Weights(arrays["weight_ih"].ctypes.data, bias, products, vectors)


def make_layer(
    cell: Equations,
    inputs: int,
    hidden: int,
    dtype: str = "float64",
    *,
    bias: bool = True,
    training: bool = False,
    seed: int = 0,
) -> Layer:
    """A layer with random weights, small enough that no state explodes."""
    random = np.random.default_rng(seed)
    shapes = cell.shapes(inputs, hidden, bias=bias)
    scale = 0.8 / np.sqrt(hidden)
    weights = {name: (random.standard_normal(shape) * scale).astype(dtype) for name, shape in shapes.items()}
    program = trace(cell, hidden, bias=bias, training=training)
    heads = {name: len(v) for name, v in parameters(cell, weights).items() if v.ndim == 3}
    kernel = Kernel(program, derive(program), gates=cell.gates, input_size=inputs, dtype=dtype, heads=heads)
    return Layer(cell, kernel, weights)


def view(array: Array) -> View:
    """Of ``(B, T, W)``, whatever its memory order."""
    assert array.strides[2] == array.itemsize or array.size == 0
    return View(array.ctypes.data, array.strides[0] // array.itemsize, array.strides[1] // array.itemsize)


@dataclass
class Job:
    """One call forward and backward with everything that goes in; memory for results is poisoned with NaN."""

    layer: Layer
    x: Array
    initial: tuple[Array, ...]
    dy: Array
    dfinal: tuple[Array, ...]
    masks: dict[str, Array]
    lengths: npt.NDArray[np.int64] | None = None
    reverse: bool = False
    threads: int = 1
    time_major: bool = False
    used: list[Array] = field(default_factory=list)
    """All arrays whose address a call is given, from before the call."""

    @property
    def size(self) -> tuple[int, int]:
        return self.x.shape[0], self.x.shape[1]

    def run(self) -> dict[str, Array]:
        """Results by name, as :func:`expected` gives them."""
        kernel, weights = self.layer.kernel, self.layer.addresses(self.layer.weights)
        batch, time = self.size
        x, dy = self._order(self.x), self._order(self.dy)
        states = [self._order(np.zeros((batch, time, width), self.x.dtype)) for width in kernel.widths]
        final = [np.full((batch, width), np.nan, self.x.dtype) for width in kernel.widths]
        saved = np.full((time, batch, max(kernel.saved, 1)), np.nan, self.x.dtype)
        masks = [self._order(self.masks[name]) for name in kernel.extras]
        given: dict[str, Any] = {
            "initial": [part.ctypes.data for part in self.initial],
            "states": [view(part) for part in states],
            "saved": saved.ctypes.data,
            "extras": [view(mask) for mask in masks],
            "lengths": self.lengths,
            "reverse": self.reverse,
            "threads": self.threads,
        }
        down = {name: np.zeros_like(weight) for name, weight in self.layer.weights.items()}
        for name, gradient in parameters(self.layer.cell, down).items():
            if name in {*kernel.products, *kernel.vectors}:
                gradient[:] = np.nan
        back = [np.full_like(part, np.nan) for part in final]
        dx = self._order(np.zeros_like(self.x))
        self.used[:] = [x, dy, dx, saved, *states, *final, *masks, *down.values(), *back, *self.initial, *self.dfinal]
        self.used += [*self.layer.weights.values(), *([] if self.lengths is None else [self.lengths])]
        kernel.forward(self.size, view(x), weights, final=[part.ctypes.data for part in final], **given)
        kernel.backward(
            self.size,
            view(x),
            weights,
            dy=view(dy),
            dfinal=[part.ctypes.data for part in self.dfinal],
            dx=view(dx),
            dweights=self.layer.addresses(down),
            dinitial=[part.ctypes.data for part in back],
            **given,
        )
        return _named(states[0], final, dx, down, back)

    def predict(self) -> tuple[Array, list[Array]]:
        """Forward only, keeping nothing: y and the final state."""
        kernel = self.layer.kernel
        x, masks = self._order(self.x), [self._order(self.masks[name]) for name in kernel.extras]
        y = self._order(np.zeros((*self.size, kernel.widths[0]), self.x.dtype))
        final = [np.full((self.size[0], width), np.nan, self.x.dtype) for width in kernel.widths]
        kernel.forward(
            self.size,
            view(x),
            self.layer.addresses(self.layer.weights),
            initial=[part.ctypes.data for part in self.initial],
            states=[view(y), *[NOTHING] * (len(final) - 1)],
            final=[part.ctypes.data for part in final],
            extras=[view(mask) for mask in masks],
            lengths=self.lengths,
            reverse=self.reverse,
            threads=self.threads,
        )
        return y, final

    def expected(self) -> dict[str, Array]:
        """By NumPy, in float64."""

        def wide(array: Array) -> Array:
            return array.astype(np.float64)

        weights = {name: wide(weight) for name, weight in self.layer.weights.items()}
        masks = {name: wide(mask) for name, mask in self.masks.items()} or None
        tape = run_forward(
            self.layer.cell,
            wide(self.x),
            weights,
            tuple(map(wide, self.initial)),
            self.lengths,
            self.reverse,
            masks,
        )
        dx, down, back = run_backward(tape, wide(self.dy), tuple(map(wide, self.dfinal)))
        return _named(tape.y, tape.state, dx, down, back)

    def check(self, rtol: float = 1e-9, atol: float = 1e-10) -> None:
        """Hold the results against the oracle."""
        self.compare(self.run(), rtol, atol)

    def compare(self, found: Mapping[str, Array], rtol: float, atol: float) -> None:
        """Hold these results against the oracle."""
        for name, value in self.expected().items():
            np.testing.assert_allclose(
                found[name], value, rtol, atol * max(1.0, float(np.abs(value).max(initial=0))), err_msg=name
            )

    def _order(self, array: Array) -> Array:
        return (
            np.ascontiguousarray(array.swapaxes(0, 1)).swapaxes(0, 1)
            if self.time_major
            else np.ascontiguousarray(array)
        )


def make_job(layer: Layer, batch: int, time: int, *, seed: int = 1, **options: Any) -> Job:
    """Random data for a layer."""
    random = np.random.default_rng(seed)
    dtype = layer.weights["weight_ih"].dtype

    def draw(*shape: int) -> Array:
        return random.standard_normal(shape).astype(dtype)

    widths, inputs = layer.kernel.widths, layer.weights["weight_ih"].shape[1]
    hidden = len(layer.weights["weight_ih"]) // len(layer.cell.gates)
    # states are positive where a cell divides by one of them
    initial = tuple(np.abs(draw(batch, width)) + 0.5 for width in widths)
    masks = {name: (random.random((batch, time, hidden)) < 0.7).astype(dtype) for name in layer.kernel.extras}
    return Job(
        layer,
        draw(batch, time, inputs),
        tuple(part.astype(dtype) for part in initial),
        draw(batch, time, widths[0]),
        tuple(draw(batch, width) for width in widths),
        masks,
        **options,
    )


def _named(
    y: Array, final: Sequence[Array], dx: Array, down: Mapping[str, Array], back: Sequence[Array]
) -> dict[str, Array]:
    named = {"y": y, "dx": dx, **{f"d {name}": gradient for name, gradient in down.items()}}
    named |= {f"final {part}": value for part, value in enumerate(final)}
    return named | {f"d initial {part}": value for part, value in enumerate(back)}
