"""Makes programs: equal values become one node, constants are folded, what nobody uses is dropped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from unrolled.program.program import BINARY, POINTWISE, Node, Program

_FOLD: dict[str, Callable[..., float]] = {
    "neg": lambda a: -a,
    "tanh": math.tanh,
    "sigmoid": lambda a: 0.5 + 0.5 * math.tanh(0.5 * a),
    "relu": lambda a: max(a, 0.0),
    "exp": math.exp,
    "log": math.log,
    "softplus": lambda a: max(a, 0.0) + math.log1p(math.exp(-abs(a))),
    "abs": abs,
    "sqrt": math.sqrt,
    "positive": lambda a: float(a > 0),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "max": max,
    "min": min,
}
_COMMUTES = ("add", "mul", "max", "min")


class Builder:
    """Grows a list of nodes; every method returns the place of a node, old or new."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._places: dict[Node, int] = {}

    def leaf(self, op: str, name: str, width: int) -> int:
        """A value from outside."""
        return self._add(Node(op, name=name, width=width))

    def constant(self, value: float, width: int = 1) -> int:
        """A number, in every column."""
        return self._add(Node("constant", value=value, width=width))

    def product(self, op: str, name: str, v: int, width: int) -> int:
        """``weight v`` or ``weight^T v``."""
        return self._add(Node(op, (v,), name, width=width))

    def total(self, v: int) -> int:
        """The sum over the columns; a value of width 1 is itself. What is the same in all columns is left outside."""
        if self.width(v) == 1:
            return v
        one = self.constant(1.0)
        terms: dict[int, list[tuple[str, int]]] = {}
        self._linear(v, "add", one, terms)
        if [*terms] == [one] and terms[one][0][0] == "add":
            return self._add(Node("sum", (v,)))
        result = self.constant(0.0)
        for factor, wide in terms.items():
            (sign, total), *rest = sorted(wide)
            for op, each in rest:
                total = self.pointwise(op if sign == "add" else "add", total, each)
            result = self.pointwise(sign, result, self.pointwise("mul", factor, self._add(Node("sum", (total,)))))
        return result

    def _linear(self, v: int, sign: str, factor: int, terms: dict[int, list[tuple[str, int]]]) -> None:
        """``v`` as a sum of factors that are the same in all columns, each with what is added to or taken from it."""
        node = self.nodes[v]
        if node.op == "neg" or (node.op in ("add", "sub") and all(self.width(arg) > 1 for arg in node.args)):
            opposite = "sub" if sign == "add" else "add"
            for first in node.args[:-1]:
                self._linear(first, sign, factor, terms)
            self._linear(node.args[-1], sign if node.op == "add" else opposite, factor, terms)
        elif node.op in ("mul", "div") and self.width(node.args[1]) == 1:
            self._linear(node.args[0], sign, self.pointwise(node.op, factor, node.args[1]), terms)
        elif node.op == "mul" and self.width(node.args[0]) == 1:
            self._linear(node.args[1], sign, self.pointwise("mul", factor, node.args[0]), terms)
        else:
            terms.setdefault(factor, []).append((sign, v))

    def pointwise(self, op: str, *args: int) -> int:
        """An operation column by column.

        Raises:
            ValueError: widths that differ, or constants for which it has no value.
        """
        widths = {self.width(arg) for arg in args} - {1} or {1}
        if len(widths) > 1:
            raise ValueError(f"widths {' and '.join(str(self.width(arg)) for arg in args)} do not fit")
        width = widths.pop()
        numbers = [self.nodes[arg].value for arg in args if self.nodes[arg].op == "constant"]
        if len(numbers) == len(args):
            return self.constant(_FOLD[op](*numbers), width)
        if op == "div" and (reciprocal := self._reciprocal(args[1])) is not None and self.nodes[args[0]].value != 1:
            return self.pointwise("mul", args[0], reciprocal)
        short = self._simple(op, *args) if op in BINARY or op == "neg" else None
        if short is not None and self.width(short) == width:
            return short
        return self._add(Node(op, args, width=width))

    def copy(self, node: Node, args: tuple[int, ...]) -> int:
        """A node of another program, with its arguments in this one."""
        if node.op in POINTWISE:
            return self.pointwise(node.op, *args)
        return (
            self.total(*args) if node.op == "sum" else self._add(Node(node.op, args, node.name, node.value, node.width))
        )

    def width(self, place: int) -> int:
        """Columns of a value."""
        return self.nodes[place].width

    def program(self, outputs: Iterable[tuple[str, int]]) -> Program:
        """What the outputs need, in order."""
        outputs = tuple(outputs)
        needed = {place for _, place in outputs}
        for place in range(len(self.nodes))[::-1]:
            if place in needed:
                needed.update(self.nodes[place].args)
        kept = sorted(needed)
        at = {place: index for index, place in enumerate(kept)}
        nodes = (self.nodes[place] for place in kept)
        moved = (Node(n.op, tuple(at[arg] for arg in n.args), n.name, n.value, n.width) for n in nodes)
        return Program(tuple(moved), tuple((name, at[place]) for name, place in outputs))

    def _reciprocal(self, v: int) -> int | None:
        """``1 / v`` if it is there already."""
        one = self._places.get(Node("constant", value=1.0))
        return None if one is None else self._places.get(Node("div", (one, v), width=self.width(v)))

    def _simple(self, op: str, a: int, b: int = -1) -> int | None:
        """A value that is already there, or a shorter way to it; None where there is none."""
        left, right = self.nodes[a], self.nodes[b]
        one, other = (node.value if node.op == "constant" else None for node in (left, right))
        match op:
            case "neg" if left.op == "neg":
                return left.args[0]
            case "neg" if left.op == "sub":
                return self.pointwise("sub", *left.args[::-1])
            case "neg" if left.op == "mul":
                return self._scaled(-1.0, *left.args)
            case "mul" | "div" if left.op == "neg":
                return self.pointwise("neg", self.pointwise(op, *left.args, b))
            case "mul" | "div" if right.op == "neg":
                return self.pointwise("neg", self.pointwise(op, a, *right.args))
            case "add" if one == 0:
                return b
            case "add" | "sub" if other == 0:
                return a
            case "add" if right.op == "neg":
                return self.pointwise("sub", a, *right.args)
            case "add" if left.op == "neg":
                return self.pointwise("sub", b, *left.args)
            case "sub" if right.op == "neg":
                return self.pointwise("add", a, *right.args)
            case "sub" if one == 0:
                return self.pointwise("neg", b)
            case "mul" if one == 1:
                return b
            case "mul" | "div" if other == 1:
                return a
            case "mul" if one == -1:
                return self.pointwise("neg", b)
            case "mul" | "div" if other == -1:
                return self.pointwise("neg", a)
            case "div" if other is not None and other != 0:
                return self.pointwise("mul", a, self.constant(1 / other, right.width))
            case "mul" if one is not None and right.op == "mul":
                return self._scaled(one, *right.args)
            case "mul" if other is not None and left.op == "mul":
                return self._scaled(other, *left.args)
            case "max" | "min" if a == b:
                return a
        return None

    def _scaled(self, factor: float, a: int, b: int) -> int | None:
        """``factor * (a * b)`` where one of both is a number itself."""
        for number, v in ((a, b), (b, a)):
            if self.nodes[number].op == "constant":
                return self.pointwise("mul", v, self.constant(factor * self.nodes[number].value))
        return None

    def _add(self, node: Node) -> int:
        key = (
            Node(node.op, tuple(sorted(node.args)), node.name, node.value, node.width) if node.op in _COMMUTES else node
        )
        if key not in self._places:
            self._places[key] = len(self.nodes)
            self.nodes.append(node)
        return self._places[key]
