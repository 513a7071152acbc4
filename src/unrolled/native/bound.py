"""A cell with its sizes, bound to a kernel: which parameter lies where.

Letters: D input, H hidden, G gates, N heads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from unrolled.core.errors import ConfigError
from unrolled.native import library
from unrolled.native.kernel import DTYPES, KNOWN, Kernel, Weights, refusal
from unrolled.program import derive, trace
from unrolled.program.equations import Equations

_BYTES = {"float32": 4, "float64": 8}


class Shaped(Protocol):
    """A NumPy array or a torch tensor."""

    @property
    def shape(self) -> Sequence[int]: ...


class Form(NamedTuple):
    """All that decides how a cell is lowered; ``noise`` keeps its masks, ``training`` asks for the derivative too."""

    cell: Equations
    inputs: int
    hidden: int
    bias: bool
    dtype: str
    noise: bool = False
    training: bool = False

    @classmethod
    def of(
        cls, cell: Equations, weights: Mapping[str, Shaped], dtype: str, *, noise: bool = False, training: bool = False
    ) -> Form:
        """That of these parameters, by name, as ``cell.shapes`` lists them."""
        rows, inputs = weights["weight_ih"].shape
        return cls(cell, int(inputs), int(rows) // len(cell.gates), "bias_ih" in weights, dtype, noise, training)


class Bound:
    """A kernel, and the order in which a cell's parameters are handed to it.

    Attributes:
        kernel: of the form's program.
        names: parameters in the order of ``cell.shapes``.
    """

    def __init__(self, form: Form, kernel: Kernel) -> None:
        cell, self.kernel = form.cell, kernel
        shapes = cell.shapes(form.inputs, form.hidden, bias=form.bias)
        self.names = tuple(shapes)
        places = {name: index for index, name in enumerate(self.names)}
        self._ih, self._bias = places["weight_ih"], places.get("bias_ih")
        gates, size = _recurrent(cell), _BYTES[form.dtype]
        rows = math.prod(shapes.get("weight_hh", ())) // max(1, len(gates)) * size
        self._products = [
            (places["weight_hh"], gates.index(name) * rows) if name in gates else (places[f"weight_{name}"], 0)
            for name in kernel.products
        ]
        self._vectors = []
        for name in kernel.vectors:
            gate = name.removeprefix("bias_hh.")
            place = (places[name], 0) if gate == name else (places["bias_hh"], gates.index(gate) * form.hidden * size)
            self._vectors.append(place)
        self.addresses = lru_cache(maxsize=KNOWN)(self._addresses)

    def _addresses(self, pointers: tuple[int, ...]) -> Weights:
        """What the kernel takes, from the address of each parameter (0 of one that is not wanted)."""
        return Weights(
            pointers[self._ih],
            0 if self._bias is None else pointers[self._bias],
            tuple(pointers[place] and pointers[place] + offset for place, offset in self._products),
            tuple(pointers[place] and pointers[place] + offset for place, offset in self._vectors),
        )


def bound(form: Form) -> Bound | str:
    """The cell bound to a kernel, or why the library cannot run it."""
    return library.reason() or _bound(form)


@lru_cache(maxsize=512)
def _bound(form: Form) -> Bound | str:
    if form.dtype not in DTYPES:
        return f"the native library does not compute {form.dtype}"
    try:
        program = trace(form.cell, form.hidden, bias=form.bias, training=form.noise)
    except ConfigError as error:
        return error.what
    derivative = derive(program) if form.training else None
    if why := refusal(program, derivative, form.dtype):
        return why
    kernel = Kernel(
        program,
        derivative,
        gates=form.cell.gates,
        input_size=form.inputs,
        dtype=form.dtype,
        heads=_heads(form),
    )
    return Bound(form, kernel)


def _recurrent(cell: Equations) -> tuple[str, ...]:
    return tuple(cell.gates if cell.recurrent is None else cell.recurrent)


def _heads(form: Form) -> dict[str, int]:
    """Blocks along the diagonal of each product that has more than one."""
    cell = form.cell
    heads = dict.fromkeys(_recurrent(cell), cell.heads) if cell.heads > 1 else {}
    shapes = cell.shapes(form.inputs, form.hidden, bias=form.bias)
    blocks = {name: shapes[f"weight_{name}"] for name in cell.matrices}
    return heads | {name: shape[0] for name, shape in blocks.items() if len(shape) == 3}
