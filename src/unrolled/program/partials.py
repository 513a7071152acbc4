"""The derivative of each operation, in terms of its result where that is shorter."""

from __future__ import annotations

from collections.abc import Iterator

from unrolled.program.builder import Builder


def partials(graph: Builder, place: int, g: int) -> Iterator[tuple[int, int]]:
    """Each argument of the node at ``place`` with what it gets of the node's gradient ``g``.

    That of an argument of one column may have many: their sum is meant.
    """
    node = graph.nodes[place]
    if node.op == "product":
        (v,) = node.args
        yield v, graph.product("transposed", node.name, filled(graph, g, node.width), graph.width(v))
    elif node.op == "sum":
        yield node.args[0], g
    elif len(node.args) == 1:
        yield node.args[0], _unary(graph, place, g)
    elif node.op == "mul" and node.args[0] == node.args[1]:
        yield node.args[0], graph.pointwise("mul", graph.pointwise("mul", graph.constant(2.0), g), node.args[0])
    elif node.args:
        for arg, gradient in zip(node.args, _binary(graph, place, g), strict=True):
            yield arg, _folded(graph, gradient, node.width, graph.width(arg))


def filled(graph: Builder, g: int, width: int) -> int:
    """A gradient that may have one column, meaning all alike, with all its columns."""
    return g if graph.width(g) == width else graph.pointwise("mul", g, graph.constant(1.0, width))


def _unary(graph: Builder, place: int, g: int) -> int:
    (v,), op = graph.nodes[place].args, graph.pointwise
    one = graph.constant(1.0)
    match graph.nodes[place].op:
        case "neg":
            return op("neg", g)
        case "tanh":
            return op("mul", g, op("sub", one, op("mul", place, place)))
        case "sigmoid":
            return op("mul", g, op("mul", place, op("sub", one, place)))
        case "relu":
            return op("mul", g, op("positive", place))
        case "exp":
            return op("mul", g, place)
        case "log":
            return op("div", g, v)
        case "softplus":
            return op("mul", g, op("sigmoid", v))
        case "abs":
            return op("mul", g, op("sub", op("positive", v), op("positive", op("neg", v))))
        case "sqrt":
            return op("div", op("mul", g, graph.constant(0.5)), place)
    raise AssertionError(f"no derivative of {graph.nodes[place].op}")


def _binary(graph: Builder, place: int, g: int) -> tuple[int, int]:
    (a, b), op = graph.nodes[place].args, graph.pointwise
    match graph.nodes[place].op:
        case "add":
            return g, g
        case "sub":
            return g, op("neg", g)
        case "mul":
            return op("mul", g, b), op("mul", g, a)
        case "div":
            left = op("div", g, b)  # becomes g place, where place is 1 / b
            return left, op("neg", op("mul", left, place))
        case "max":
            left = op("mul", g, _share(graph, a, b, op("sub", a, b)))
        case _:
            left = op("mul", g, _share(graph, a, b, op("sub", b, a)))
    return left, op("sub", g, left)


def _share(graph: Builder, a: int, b: int, lead: int) -> int:
    """The share of a in the gradient of ``max`` or ``min``: 1 where its lead is positive, 0 where it is negative.

    Where both are equal a half, or of a number and a value all for the value, as a bound lets pass what lies on it.
    """
    op, one = graph.pointwise, graph.constant(1.0)
    ahead, behind = op("positive", lead), op("positive", op("neg", lead))
    if graph.nodes[a].op == "constant":
        return ahead
    if graph.nodes[b].op == "constant":
        return op("sub", one, behind)
    return op("mul", graph.constant(0.5), op("add", one, op("sub", ahead, behind)))


def _folded(graph: Builder, g: int, width: int, arg: int) -> int:
    """The gradient of an argument of one column that was repeated over ``width``; of many columns, to be summed."""
    if arg == width or arg > 1:
        return g
    if graph.width(g) == width:
        return g
    return graph.pointwise("mul", g, graph.constant(float(width)))
