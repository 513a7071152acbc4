"""Programs as text: one line a value that has a name, is used often, or counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled.program.program import Node, Program

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4
"""How tightly an expression holds together."""
_BINDS = {"add": SUM, "sub": SUM, "neg": SUM, "constant": SUM, "mul": PRODUCT, "div": PRODUCT}


class Writer:
    """Writes a program in the letters of Python; another notation overrides the methods that make text."""

    quotient_binding = (PRODUCT, POWER)
    """How tightly both sides of a quotient must hold."""

    def __init__(self, program: Program) -> None:
        self._nodes = program.nodes
        self._outputs = program.outputs
        self._names = self._named(program)

    def lines(self) -> list[tuple[str, str]]:
        """Name and expression of each value that has a line, in order; the outputs too where they are leaves."""
        lines = [(name, self.expression(place)) for place, name in sorted(self._names.items())]
        same = [(self.output(name), self._value(place, SUM)) for name, place in self._outputs]
        return lines + [(name, value) for name, value in same if name != value]

    def expression(self, place: int) -> str:
        """What a node is computed by."""
        return self._operation(place, self._nodes[place])

    def leaf(self, node: Node) -> str:
        """A value from outside, or a number."""
        if node.op == "constant":
            return f"{node.value:.6g}"
        prefix = {"input": "x.", "noise": "x.", "vector": "R.", "gradient": "d.", "saved": "saved."}.get(node.op, "")
        prefix = "" if node.name.startswith("bias_hh.") else prefix
        return f"{prefix}{node.name}{chr(39) if node.op in ('gradient', 'output') else ''}"

    def output(self, name: str) -> str:
        """The name of a new part of the state, or of a gradient."""
        return name if "." in name else f"{name}'"

    def shared(self, count: int) -> str:
        """The name of a value that has none."""
        return f"v{count}"

    def label(self, name: str) -> str:
        """A name that the equations gave."""
        return name

    def product(self, node: Node, v: str) -> str:
        """A weight, or its transpose, times ``v``."""
        return f"R.{node.name}{'.T' if node.op == 'transposed' else ''}({v})"

    def function(self, op: str, *args: str) -> str:
        """A function that has a name."""
        return f"{op}({', '.join(args)})"

    def times(self, a: str, b: str, pointwise: bool) -> str:
        """``pointwise``: neither is one number for the whole row."""
        return f"{a} * {b}"

    def quotient(self, a: str, b: str) -> str:
        """``a`` divided by ``b``."""
        return f"{a} / {b}"

    def square(self, v: str) -> str:
        """``v`` times itself."""
        return f"{v}**2"

    def brackets(self, v: str) -> str:
        """``v`` held together."""
        return f"({v})"

    def _named(self, program: Program) -> dict[int, str]:
        """The nodes that get a line, and its name."""
        outputs = {place: name for name, place in reversed(program.outputs)}
        users = Counter(arg for node in program.nodes for arg in {*node.args})
        found: dict[int, str] = {}
        count = 0
        for place, node in enumerate(program.nodes):
            if not node.args:
                continue
            if place in outputs:
                found[place] = self.output(outputs[place])
            elif node.name and node.op not in ("product", "transposed"):
                found[place] = self.label(node.name)
            elif users[place] > 1 and not self._short(node, found):
                count += 1
                found[place] = self.shared(count)
        return found

    def _short(self, node: Node, named: Container[int]) -> bool:
        """Shorter than a name for it would be clear: a number and one value that has a name."""
        first, *rest = (self._nodes[arg].op == "constant" for arg in node.args)
        known = all(arg in named or not self._nodes[arg].args for arg in node.args)
        return known and (first or any(rest) or node.op == "neg")

    def _value(self, place: int, least: int) -> str:
        """A node as an argument: its name, or its expression, in brackets where it holds less tightly."""
        node = self._nodes[place]
        if place in self._names:
            return self._names[place]
        text = self.expression(place) if node.args else self.leaf(node)
        return self.brackets(text) if self.binding(node) < least else text

    def binding(self, node: Node) -> int:
        """How tightly the text of a node holds together."""
        if self._mean_of(node) is not None or (node.op == "constant" and node.value >= 0):
            return ATOM
        square = node.op == "mul" and node.args[0] == node.args[1]
        return POWER if square else _BINDS.get(node.op, ATOM)

    def _operation(self, place: int, node: Node) -> str:
        first, *rest = node.args
        if (part := self._mean_of(node)) is not None:
            mean = self.function("mean", self._value(self._nodes[part[0]].args[0], SUM))
            return mean if part[1] == 1 else self.quotient(mean, f"{part[1]}")
        match node.op:
            case "product" | "transposed":
                return self.product(node, self._value(first, SUM))
            case "add":
                return f"{self._value(first, SUM)} + {self._value(rest[0], SUM)}"
            case "sub":
                return f"{self._value(first, SUM)} - {self._value(rest[0], PRODUCT)}"
            case "neg":
                return f"-{self._value(first, PRODUCT)}"
            case "mul" if first == rest[0]:
                return self.square(self._value(first, ATOM))
            case "mul" if self._inverted(rest[0]) >= 0:
                return self._quotient(first, self._inverted(rest[0]))
            case "mul":
                wide = all(self._nodes[arg].width == node.width > 1 for arg in node.args)
                return self.times(self._value(first, PRODUCT), self._value(rest[0], PRODUCT), wide)
            case "div":
                return self._quotient(first, rest[0])
        return self.function(node.op, *(self._value(arg, SUM) for arg in node.args))

    def _quotient(self, a: int, b: int) -> str:
        left, right = self.quotient_binding
        return self.quotient(self._value(a, left), self._value(b, right))

    def _inverted(self, place: int) -> int:
        """What a node without a line is one divided by, or -1."""
        node = self._nodes[place]
        one = node.op == "div" and place not in self._names and self._nodes[node.args[0]].value == 1
        return node.args[1] if one else -1

    def _mean_of(self, node: Node) -> tuple[int, int] | None:
        """The ``sum`` in a node that is its mean divided by a whole number, and this number."""
        if node.op != "mul":
            return None
        for part, factor in (node.args, node.args[::-1]):
            if self._nodes[part].op == "sum" and self._nodes[factor].op == "constant" and part not in self._names:
                scale = self._nodes[factor].value * self._nodes[self._nodes[part].args[0]].width
                if scale > 0 and abs(1 / scale - round(1 / scale)) < 1e-9:
                    return part, round(1 / scale)
        return None
