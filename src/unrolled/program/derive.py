"""The derivative of a program, taken symbolically: a program too, with the values it wants kept.

Reverse mode (Griewank & Walther 2008, Evaluating Derivatives, section 3.2) on one step. What is kept is the smallest
set of columns from which the rest can be computed again pointwise: a minimum cut between forward and backward.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce

from unrolled.program.builder import Builder
from unrolled.program.cut import cheapest_cut
from unrolled.program.partials import filled, partials
from unrolled.program.program import POINTWISE, Node, Program

_KEPT = ("state", "noise", "vector", "constant")
"""Leaves that backward has anyway."""
_KEEPING = 20
"""Price of a column that is written forward and read backward, when plain arithmetic on a column costs 1: a training
step is bound by memory, so one tanh again is worth a column less, and two are not."""
_COMPUTING = {"tanh": 12, "sigmoid": 12, "exp": 12, "log": 12, "softplus": 24, "div": 4, "sqrt": 4}
_ENDS = ("input", "state", "vector", "product")
"""Nodes whose gradient counts by itself."""


@dataclass(frozen=True)
class Derivative:
    """One step backward.

    The leaves of ``program`` are ``gradient`` (of a new part of the state, what the output got included), ``state``
    (a part before the step), ``output`` (a part after it), ``saved`` (its name is the place of a node in the forward
    program), ``noise``, ``vector`` and ``constant`` (of width above 1: a filled row). Its outputs are the gradients
    ``input.<gate>`` of ``W x_t + b``, ``state.<part>`` of every old part, ``product.<k>`` of the result of each
    product, and ``vector.<name>``, still to be summed over rows and time.
    """

    program: Program
    saved: tuple[int, ...]
    """Forward nodes to keep from forward to backward; old and new parts of the state are kept besides."""
    products: tuple[tuple[str, int], ...]
    """Of product k its weight and the forward node of its operand: ``dweight = sum_t d_k^T operand``. An operand is
    in ``saved``, or an old or new part of the state."""


def derive(program: Program) -> Derivative:
    """The backward program of a step.

    As in torch, ``max`` and ``min`` of two values share the gradient where both are equal, and ``relu`` and ``abs``
    pass none at 0. A weight or a vector through which no gradient comes has no output.
    """
    return _Derivation(program).result()


class _Derivation:
    """Forward and backward as one graph, then cut in two."""

    def __init__(self, program: Program) -> None:
        self._forward = program
        self._graph = graph = Builder()
        self._at: list[int] = []
        for node in program.nodes:
            self._at.append(graph.copy(node, tuple(self._at[arg] for arg in node.args)))
        self._size = len(graph.nodes)
        self._node_of = {at: index for index, at in reversed(list(enumerate(self._at)))}

    def result(self) -> Derivative:
        gradients = self._gradients()
        products = [at for at in range(self._size) if self._graph.nodes[at].op == "product" and at in gradients]
        operands = [self._graph.nodes[at].args[0] for at in products]
        outputs = [*self._outputs(gradients), *((f"product.{k}", gradients[at]) for k, at in enumerate(products))]
        free = self._free()
        kept = {at for at in operands if at not in free}
        kept |= self._cut([place for _, place in outputs], free.keys() | kept)
        saved = {at: Node("saved", name=str(self._node_of[at]), width=self._graph.width(at)) for at in kept}
        return Derivative(
            _rebuilt(self._graph, outputs, free | saved),
            tuple(sorted(self._node_of[at] for at in kept)),
            tuple((self._graph.nodes[at].name, self._node_of[v]) for at, v in zip(products, operands, strict=True)),
        )

    def _gradients(self) -> dict[int, int]:
        """The gradient of every node that has one, in its full width."""
        graph, wanted = self._graph, self._wanted()
        terms: dict[int, list[int]] = {}
        for name, index in self._forward.outputs:
            at = self._at[index]
            terms.setdefault(at, []).append(graph.leaf("gradient", name, graph.width(at)))
        found = {}
        for at in sorted(wanted, reverse=True):
            if at in terms:
                g = self._collected(at, terms[at])
                found[at] = filled(graph, g, graph.width(at)) if graph.nodes[at].op in _ENDS else g
                for arg, gradient in partials(graph, at, found[at]):
                    if arg in wanted:
                        terms.setdefault(arg, []).append(gradient)
        return found

    def _collected(self, at: int, terms: list[int]) -> int:
        """The sum of what comes to a node; of wide terms to one of one column the columns are summed once."""
        graph, add = self._graph, partial(self._graph.pointwise, "add")
        fitting = [g for g in terms if graph.width(g) <= graph.width(at)]
        wide = [g for g in terms if graph.width(g) > graph.width(at)]
        return reduce(add, [*fitting, graph.total(reduce(add, wide))] if wide else fitting)

    def _wanted(self) -> set[int]:
        """Nodes through which a gradient reaches an input, an old part of the state or a parameter."""
        found: set[int] = set()
        for at, node in enumerate(self._graph.nodes):
            flows = node.op not in ("positive", "noise", "constant") and found.intersection(node.args)
            if flows or node.op in _ENDS:
                found.add(at)
        return found

    def _outputs(self, gradients: dict[int, int]) -> Iterator[tuple[str, int]]:
        """Gradients of the leaves; a part of the state that was not read has zeros."""
        nodes = self._graph.nodes[: self._size]
        leaves = {(node.op, node.name): gradients[at] for at, node in enumerate(nodes) if at in gradients}
        parts = [("state", name, self._graph.width(self._at[index])) for name, index in self._forward.outputs]
        inputs = [(node.op, node.name, node.width) for node in nodes if node.op == "input"]
        for op, name, width in (*inputs, *parts):
            gradient = leaves.get((op, name))
            yield f"{op}.{name}", self._graph.constant(0.0, width) if gradient is None else gradient
        yield from ((f"{op}.{name}", gradient) for (op, name), gradient in leaves.items() if op == "vector")

    def _free(self) -> dict[int, Node]:
        """What backward has without keeping it, and the leaf by which it has it."""
        free = {at: node for at, node in enumerate(self._graph.nodes) if node.op in _KEPT}
        for part, index in self._forward.outputs:
            free.setdefault(self._at[index], Node("output", name=part, width=self._graph.width(self._at[index])))
        return free

    def _cut(self, outputs: list[int], free: Collection[int]) -> set[int]:
        """Forward nodes to keep besides those that are free."""
        nodes, backward = self._graph.nodes, set[int]()
        for at, node in enumerate(nodes):
            if node.op == "gradient" or backward.intersection(node.args):
                backward.add(at)
        asked = {v for at in _below(nodes, outputs, backward) for v in (at, *nodes[at].args)} - backward - {*free}
        values = _below(nodes, asked, range(len(nodes)), free)
        return cheapest_cut(
            {at: _KEEPING * nodes[at].width for at in values if at in self._node_of},
            {at: _COMPUTING.get(nodes[at].op, 1) * nodes[at].width for at in values if nodes[at].op in POINTWISE},
            {at: [arg for arg in nodes[at].args if arg not in free] for at in values},
            asked,
        )


def _below(nodes: Sequence[Node], tops: Iterable[int], inside: Container[int], stop: Container[int] = ()) -> set[int]:
    """The tops and what they are computed from, as far as it is ``inside`` and not behind a stop."""
    found: set[int] = set()
    waiting = list(tops)
    while waiting:
        at = waiting.pop()
        if at in inside and at not in stop and at not in found:
            found.add(at)
            waiting += nodes[at].args
    return found


def _rebuilt(graph: Builder, outputs: list[tuple[str, int]], leaves: Mapping[int, Node]) -> Program:
    """The outputs computed from these leaves."""
    ends, fresh, moved = [place for _, place in outputs], Builder(), dict[int, int]()
    needed = _below(graph.nodes, ends, range(len(graph.nodes)), leaves)
    users = Counter([*ends, *(arg for at in needed for arg in graph.nodes[at].args)])
    for at in sorted(users):
        node = leaves.get(at, graph.nodes[at])
        factors = _factors(graph, node, users, leaves)
        if factors is None:
            moved[at] = fresh.copy(node, tuple(moved[arg] for arg in node.args))
        else:
            shared, a, b = (moved[factor] for factor in factors)
            moved[at] = fresh.pointwise("mul", shared, fresh.pointwise(node.op, a, b))
    return fresh.program((name, moved[place]) for name, place in outputs)


def _factors(
    graph: Builder, node: Node, users: Mapping[int, int], leaves: Container[int]
) -> tuple[int, int, int] | None:
    """``g, a, b`` of ``g a + g b`` or ``g a - g b``, where nobody else reads the two products."""
    if node.op not in ("add", "sub") or any(arg in leaves or users[arg] > 1 for arg in node.args):
        return None
    left, right = (graph.nodes[arg] for arg in node.args)
    shared = {*left.args} & {*right.args}
    if left.op != "mul" or right.op != "mul" or not shared:
        return None
    g = min(shared)
    a, b = (args[args.index(g) - 1] for args in (left.args, right.args))
    return g, a, b
