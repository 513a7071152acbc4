"""The byte code of the native library: what ``native/src/code.h`` reads, written.

Letters: W width of a view or pass (columns).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

_MAGIC = 0x554E5231

OPS = (
    "copy", "neg", "tanh", "sigmoid", "relu", "exp", "log", "softplus", "abs", "sqrt", "positive", "tally",
    "add", "sub", "mul", "div", "max", "min", "tally_product",
    "fma", "fms", "fnma", "mul3", "slope_sigmoid", "slope_tanh",
)  # fmt: skip
"""In the order of ``native/src/kernels.h``.
The last are a b + c, a b - c, c - a b, a b c, a b (c - c c) and a b (1 - c c).
A tally adds a, or a b, of all rows to its result."""

ALIGN = 16
"""Columns of internal views begin at multiples of this: the widest vector."""


def aligned(width: int) -> int:
    """Columns that a value takes in an internal view."""
    return -(-width // ALIGN) * ALIGN


class Kind(IntEnum):
    """What memory a view names; see ``native/src/code.h``."""

    INPUT = 0
    EXTRA = 1
    PREVIOUS = 2
    NEXT = 3
    SAVED = 4
    SCRATCH = 5
    NARROW = 6
    VECTOR = 7
    CONSTANT = 8
    PROJECTED = 9
    OUTER = 10
    CARRY = 11
    CARRY_NEXT = 12
    D_OUTPUT = 13
    D_INPUT = 14
    REPEATED = 15
    TALLIED = 16


class Stage(IntEnum):
    """When a pass runs: at each step, before those of a chunk, or after."""

    STEP = 0
    PROLOGUE = 1
    EPILOGUE = 2


@dataclass(frozen=True)
class Ref:
    """Columns of a view, from ``column`` on."""

    view: int
    column: int = 0


@dataclass
class Group:
    """Products that share their factors: ``out[g] = init[g] + sum_f factor[f] weight[g][f]^T``."""

    transposed: bool
    factors: list[tuple[Ref, int]]
    """Columns of rows, and how many."""
    results: list[tuple[int, tuple[int, int], list[int]]] = field(default_factory=list)
    """Operand of the result, operands it starts from (-1: none), weight of each factor."""


@dataclass
class Pass:
    """What can be done column by column. Operands are slots (0 .. slots - 1), then refs."""

    stage: Stage
    width: int
    slots: int = 0
    refs: list[Ref] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    instructions: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    sums: list[tuple[int, int, int]] = field(default_factory=list)
    """Operand, one to multiply it by (-1: none), and the narrow view to which the columns are added."""

    def words(self) -> Iterator[int]:
        """As the library reads it."""
        yield from (self.stage, self.width, self.slots)
        yield from (len(self.refs), len(self.groups), len(self.instructions), len(self.sums))
        for ref in self.refs:
            yield from (ref.view, ref.column)
        for group in self.groups:
            yield from (len(group.results), len(group.factors), group.transposed)
            for ref, columns in group.factors:
                yield from (ref.view, ref.column, columns)
            for out, starts, weights in group.results:
                yield from (out, *starts, *weights)
        for op, *operands in self.instructions:
            yield from (OPS.index(op), *operands)
        for each in self.sums:
            yield from each


@dataclass
class Code:
    """A whole step with what belongs before and after it."""

    parts: int
    weights: tuple[tuple[int, int, int], ...]
    """Heads, rows and columns of each."""
    vectors: tuple[int, ...]
    """Width of each."""
    views: list[tuple[Kind, int, int]] = field(default_factory=list)
    """Kind, index and width."""
    constants: list[float] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    jobs: list[tuple[int, int, Ref, int, int, int]] = field(default_factory=list)
    """Gradient of a weight: column and width of the adjoints, operand and its width, weight, element it begins at."""
    vector_jobs: list[tuple[int, int, int]] = field(default_factory=list)
    """Gradient of a vector: column and width of the adjoints, vector."""

    def view(self, kind: Kind, index: int, width: int) -> int:
        """The number of a view, which is as wide as the widest wish for it."""
        for number, (known, place, wide) in enumerate(self.views):
            if (known, place) == (kind, index):
                self.views[number] = (kind, index, max(wide, width))
                return number
        self.views.append((kind, index, width))
        return len(self.views) - 1

    def constant(self, value: float) -> Ref:
        """A number as an operand."""
        if value not in self.constants:
            self.constants.append(value)
        return Ref(self.view(Kind.CONSTANT, self.constants.index(value), 1))

    def words(self) -> list[int]:
        """As the library reads it."""
        sizes = (len(self.views), len(self.weights), len(self.passes), len(self.jobs), len(self.vector_jobs))
        words = [_MAGIC, *sizes, self.parts, len(self.vectors), *self.vectors]
        for group in (self.views, self.weights):
            words += (number for row in group for number in row)
        for each in self.passes:
            words += each.words()
        for column, out, ref, inside, weight, offset in self.jobs:
            words += (column, out, ref.view, ref.column, inside, weight, offset)
        words += (number for row in self.vector_jobs for number in row)
        return words
