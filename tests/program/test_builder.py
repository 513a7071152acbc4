"""What the builder makes shorter."""

from __future__ import annotations

from unrolled.program.builder import Builder


def test_a_sum_leaves_what_is_the_same_in_all_columns_outside() -> None:
    graph = Builder()
    a, b, c = (graph.leaf("state", name, 8) for name in "abc")
    n, m = graph.leaf("noise", "n", 1), graph.leaf("noise", "m", 1)
    scaled = [graph.pointwise("mul", v, n) for v in (a, b)]
    whole = graph.pointwise("sub", graph.pointwise("add", *scaled), graph.pointwise("div", c, m))
    program = graph.program([("total", graph.total(whole))])
    sums = [program.nodes[node.args[0]] for node in program.nodes if node.op == "sum"]
    assert sorted((node.op, node.name) for node in sums) == [("add", ""), ("state", "c")]
    assert all(node.width == 1 for node in program.nodes if node.op in ("mul", "div", "sub"))


def test_a_plain_sum_stays_as_it_is() -> None:
    graph = Builder()
    a, b = (graph.leaf("state", name, 8) for name in "ab")
    program = graph.program([("total", graph.total(graph.pointwise("sub", a, b)))])
    assert [node.op for node in program.nodes] == ["state", "state", "sub", "sum"]


def test_a_quotient_by_a_value_with_a_known_reciprocal_is_a_product() -> None:
    graph = Builder()
    a, b = (graph.leaf("state", name, 8) for name in "ab")
    before = graph.pointwise("div", a, b)
    reciprocal = graph.pointwise("div", graph.constant(1.0), b)
    assert graph.nodes[before].op == "div"
    assert graph.pointwise("div", graph.constant(1.0), b) == reciprocal
    c = graph.leaf("state", "c", 8)
    assert graph.nodes[graph.pointwise("div", c, b)].args == (c, reciprocal)
