"""One step of a cell as a small program: values in order of evaluation, each made from earlier ones.

Letters: H hidden, W width (columns of a value).
"""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.program.text import Writer

LEAVES = ("input", "noise", "state", "vector", "constant", "gradient", "saved", "output")
"""Given from outside; the last three occur in backward programs only."""
PRODUCTS = ("product", "transposed")
UNARY = ("neg", "tanh", "sigmoid", "relu", "exp", "log", "softplus", "abs", "sqrt", "positive")
BINARY = ("add", "sub", "mul", "div", "max", "min")
POINTWISE = UNARY + BINARY


@dataclass(frozen=True)
class Node:
    """One value ``(rows, width)``.

    Leaves: ``input`` (a gate, ``W_gate x_t + b_gate``), ``noise`` (a random mask), ``state`` (a part before the step),
    ``vector`` (one row, the same for all: a parameter of the cell, or ``bias_hh.<gate>``), ``constant``. In a backward
    program also ``gradient`` (of a new part), ``output`` (a part after the step) and ``saved``; see ``derive``.
    Products: ``product`` (``weight v``) and ``transposed`` (``weight^T v``). ``sum`` adds the columns of a row.
    ``positive`` is 1 where its argument is above 0, elsewhere 0. The others are pointwise, and mean what they say;
    an argument of width 1 there is repeated over the columns.
    """

    op: str
    args: tuple[int, ...] = ()
    """Places of earlier nodes."""
    name: str = ""
    """Of a leaf; of a product its weight: a gate (these rows of ``weight_hh``), or a matrix (``weight_<matrix>``). Of
    other nodes what the equations call it, for readers only."""
    value: float = 0.0
    """Of a constant."""
    width: int = 1


@dataclass(frozen=True)
class Program:
    """Nodes in order of evaluation, no two the same and none without use, and the values that count."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]
    """Name and node: the new parts of the state, in order (in a backward program the gradients)."""

    def leaves(self, op: str) -> tuple[str, ...]:
        """Names of the leaves of one kind, in order."""
        return tuple(node.name for node in self.nodes if node.op == op)

    def uses(self) -> tuple[int, ...]:
        """How often each node is an argument or an output."""
        counts = [0] * len(self.nodes)
        for place in (*(arg for node in self.nodes for arg in node.args), *(place for _, place in self.outputs)):
            counts[place] += 1
        return tuple(counts)

    def __str__(self) -> str:
        return "\n".join(f"{name} = {expression}" for name, expression in Writer(self).lines())
