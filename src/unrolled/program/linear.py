"""Programs that are linear in the state, unit by unit, and so run parallel in time.

``h_t = a_t h_{t-1} + b_t``, with a_t and b_t of the input only, is an associative scan (Martin & Cundy 2018, arXiv
1709.04057; Blelloch 1990). minGRU, minLSTM and the LRU are of this form.
"""

from __future__ import annotations

from typing import TypeAlias

from unrolled.program.builder import Builder
from unrolled.program.program import Program

_Terms: TypeAlias = dict[str, int]
"""A value as a sum: the factor of each part of the state, and under "" what is left."""


def linear_form(program: Program) -> Program | None:
    """The coefficients of a program that is linear in its state; None for another.

    Returns:
        A program without ``state`` leaves and products, whose outputs are ``a.<part>`` and ``b.<part>`` for each part.
    """
    builder, found = Builder(), list[_Terms | None]()
    for node in program.nodes:
        arguments = [found[arg] for arg in node.args]
        terms = None
        if node.op == "state":
            terms = {node.name: builder.constant(1.0)}
        elif not node.args:
            terms = {"": builder.copy(node, ())}
        elif node.op != "product" and None not in arguments:
            terms = _combined(builder, node.op, [terms for terms in arguments if terms is not None])
        found.append(terms)
    outputs = []
    for part, place in program.outputs:
        terms = found[place]
        if terms is None or not terms.keys() <= {part, ""}:
            return None
        zero = builder.constant(0.0)
        outputs += [(f"a.{part}", terms.get(part, zero)), (f"b.{part}", terms.get("", zero))]
    return builder.program(outputs)


def _combined(builder: Builder, op: str, arguments: list[_Terms]) -> _Terms | None:
    """An operation on sums; None where the result is no such sum."""
    if not any(terms.keys() - {""} for terms in arguments):
        return {"": _applied(builder, op, [terms[""] for terms in arguments])}
    if op == "neg":
        return {part: builder.pointwise("neg", place) for part, place in arguments[0].items()}
    if op in ("add", "sub"):
        return _added(builder, op, *arguments)
    if op in ("mul", "div"):
        left, right = arguments
        if right.keys() <= {""}:
            return {part: builder.pointwise(op, place, right[""]) for part, place in left.items()}
        if op == "mul" and left.keys() <= {""}:
            return {part: builder.pointwise(op, left[""], place) for part, place in right.items()}
    return None


def _added(builder: Builder, op: str, left: _Terms, right: _Terms) -> _Terms:
    zero = builder.constant(0.0)
    parts = dict.fromkeys((*left, *right))
    return {part: builder.pointwise(op, left.get(part, zero), right.get(part, zero)) for part in parts}


def _applied(builder: Builder, op: str, places: list[int]) -> int:
    return builder.total(*places) if op == "sum" else builder.pointwise(op, *places)
