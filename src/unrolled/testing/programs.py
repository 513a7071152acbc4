"""Random cells: equations that nobody wrote, to hold backends against the reference.

Letters: H hidden, N heads.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from unrolled.cells import Cell
from unrolled.program import functions as F
from unrolled.program.functions import Array

_CORNER = 0.1234
"""Added before a function with a corner, so that no value stands on the corner by construction."""

_UNARY: tuple[tuple[Callable[[Array], Array], bool], ...] = (
    (F.tanh, True),
    (F.sigmoid, True),
    (lambda v: F.exp(F.tanh(v)), True),
    (lambda v: F.log(0.5 + F.softplus(-v)), False),
    (lambda v: F.sqrt(0.1 + abs(v + _CORNER)), False),
    (lambda v: F.relu(v + _CORNER), False),
    (lambda v: F.maximum(v + _CORNER, 0.0), False),
    (lambda v: F.minimum(1.0, v + _CORNER), False),
    (lambda v: F.positive(v + _CORNER) * F.sigmoid(v), True),
    (lambda v: 1 - v, False),
    (lambda v: -v / 2, False),
    (lambda v: v - F.mean(v), False),
    (lambda v: F.layer_norm(v, eps=0.1), False),
    (F.mean, False),
)
"""Functions, and whether their values are small whatever they are given."""
_BINARY: tuple[Callable[[Array, Array], Array], ...] = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * F.tanh(b),
    lambda a, b: a / (1 + abs(b + _CORNER)),
    lambda a, b: F.maximum(a, b + _CORNER),
    lambda a, b: F.minimum(b, a + _CORNER),
)


class _Value(NamedTuple):
    """What is known of a value before it has one."""

    rows: bool = True  # it depends on x or on the state
    wide: bool = True  # it has H columns, not one
    small: bool = False  # about 1 at most


class _Sketch:
    """Equations as a list of functions of ``R`` and earlier values, which run on arrays, tensors and symbols."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.values: list[_Value] = []
        self._statements: list[tuple[Callable[..., Array], tuple[int, ...]]] = []
        self._unused: list[int] = []

    def leaf(self, value: _Value) -> None:
        """A value from outside; leaves come before all others."""
        self._add(value)

    def product(self, name: str) -> None:
        """``R.<name>`` of one of the values."""
        operand = self._draw.choice([k for k, value in enumerate(self.values) if value.rows and value.wide])
        self._append(lambda R, v: getattr(R, name)(v), (operand,), _Value())

    def operation(self) -> None:
        """A function of one or two values."""
        if self._draw.random() < 0.5:
            unary, small = self._draw.choice(_UNARY)
            (a,) = self._pick(1)
            wide = self.values[a].wide and unary is not F.mean
            self._append(lambda _, v: unary(v), (a,), _Value(self.values[a].rows, wide, small))
            return
        binary, (a, b) = self._draw.choice(_BINARY), self._pick(2)
        if self.values[a].small and self.values[b].small and self._draw.random() < 0.3:
            binary = _times
        left, right = self.values[a], self.values[b]
        merged = _Value(left.rows or right.rows, left.wide or right.wide, binary is _times)
        self._append(lambda _, v, w: binary(v, w), (a, b), merged)

    def new_part(self, old: int, last: bool) -> None:
        """A new part of the state, within -1 .. 1; the last made uses all that nobody used."""
        used = self._unused if last else self._pick(2)
        total = tuple(
            dict.fromkeys((*used, self._draw.choice([k for k, v in enumerate(self.values) if v.wide and v.rows])))
        )
        gate, how = self._pick(1), self._draw.randrange(3)

        def new(_: Any, before: Array, gate: Array, *terms: Array) -> Array:
            v = sum(terms[1:], terms[0])
            if how == 0:
                return F.tanh(v)
            if how == 1:
                return v / (1 + abs(v + _CORNER))
            keep = F.sigmoid(gate)
            return keep * before + (1 - keep) * F.tanh(v)

        self._append(new, (old, *gate, *total), _Value(small=True))

    def run(self, R: Any, leaves: tuple[Array, ...], parts: int) -> tuple[Array, ...]:
        """The new state; its parts were made from the last to the first."""
        values = list(leaves)
        for function, arguments in self._statements:
            values.append(function(R, *(values[k] for k in arguments)))
        return tuple(values[: -parts - 1 : -1])

    def _append(self, function: Callable[..., Array], arguments: tuple[int, ...], value: _Value) -> None:
        self._statements.append((function, arguments))
        self._unused = [k for k in self._unused if k not in arguments]
        self._add(value)

    def _add(self, value: _Value) -> None:
        self._unused.append(len(self.values))
        self.values.append(value)

    def _pick(self, count: int) -> tuple[int, ...]:
        """Values, those not used yet more often."""
        pool = self._unused if self._unused and self._draw.random() < 0.6 else range(len(self.values))
        return tuple(self._draw.choice(pool) for _ in range(count))


def _times(a: Array, b: Array) -> Array:
    return a * b


@dataclass(frozen=True)
class RandomPrograms:
    """Draws cells: up to three parts of the state, six gates, vectors, a matrix, heads, noise, and all functions.

    A cell depends on its seed alone, takes any hidden size that its heads divide, and keeps a state within -1 .. 1
    there. Gates may lack a recurrent product, and a product may be of any expression.

    Example:
        >>> check_cell(RandomPrograms().cell(seed=7))
    """

    operations: int = 12
    """At most so many in a step, besides products and those that make the new state."""
    heads: tuple[int, ...] = (1, 2)
    """Drawn from these."""
    noise: bool = True
    """Whether cells may have it."""

    def cell(self, seed: int) -> Cell:
        """The cell of this seed; its name is ``random_<seed>``."""
        draw = random.Random(seed)
        state, gates = ("h", "c", "m")[: draw.randint(1, 3)], ("i", "f", "g", "o", "k", "z")[: draw.randint(1, 6)]
        recurrent = tuple(gate for gate in gates if draw.random() < 0.8)
        vectors, matrices = ("p", "q")[: draw.randint(0, 2)], ("w",)[: draw.randint(0, 1)]
        noise = ("d",)[: draw.randint(0, 1)] if self.noise else ()
        sketch = self._sketch(
            draw, len(gates) + len(state) + len(noise), len(vectors), (*recurrent, *matrices), len(state)
        )

        def step(cell: Cell, x: Any, R: Any, *parts: Array) -> tuple[Array, ...]:
            masked = [getattr(x, name) * parts[0] for name in noise]
            inputs = [getattr(x, gate) for gate in gates]
            return sketch.run(R, (*parts, *inputs, *masked, *(getattr(R, name) for name in vectors)), len(state))

        def shapes(cell: Cell, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
            square = (hidden_size, hidden_size)
            return Cell.shapes(cell, input_size, hidden_size, bias=bias) | {
                f"weight_{name}": square for name in matrices
            }

        members: dict[str, Any] = {
            **{"name": f"random_{seed}", "state": state, "gates": gates, "recurrent": recurrent, "vectors": vectors},
            **{"matrices": matrices, "noise": noise, "heads": draw.choice(self.heads), "step": step, "shapes": shapes},
            "rates": lambda cell: dict.fromkeys(noise, 0.75),
        }
        made: Cell = type(f"Random{seed}", (Cell,), members)()
        return made

    def _sketch(self, draw: random.Random, rows: int, vectors: int, products: tuple[str, ...], parts: int) -> _Sketch:
        """Leaves in the order of the state, the gates, the masked output, the vectors; then statements."""
        sketch = _Sketch(draw)
        for index in range(rows):
            sketch.leaf(_Value(small=index < parts))
        for _ in range(vectors):
            sketch.leaf(_Value(rows=False))
        waiting = [*products, *[""] * draw.randint(1, self.operations)]
        draw.shuffle(waiting)
        for name in waiting:
            sketch.product(name) if name else sketch.operation()
        for part in reversed(range(parts)):
            sketch.new_part(part, last=part == 0)
        return sketch
