"""Second biases that the first can take over: ``(W x + b) + (R h + b')`` needs one bias, ``b + b'``."""

from __future__ import annotations

from unrolled.program.builder import Builder
from unrolled.program.program import Program


def fold_biases(program: Program) -> tuple[Program, tuple[str, ...]]:
    """A program without the second biases that are only ever added to their gate's input.

    Returns:
        The program, and the gates whose ``input`` leaf must now hold ``W x_t + b + b'``. The gradient of b' is that of
        b. A bias that stands elsewhere (inside ``r * (R h + b')``, or a norm) stays.
    """
    folded = {gate: place for gate in program.leaves("input") if (place := _spare(program, gate)) is not None}
    builder, moved = Builder(), list[int]()
    for place, node in enumerate(program.nodes):
        spare = place in folded.values()
        moved.append(builder.constant(0.0) if spare else builder.copy(node, tuple(moved[arg] for arg in node.args)))
    return builder.program((name, moved[place]) for name, place in program.outputs), tuple(folded)


def _spare(program: Program, gate: str) -> int | None:
    """The place of the gate's second bias, if it is a term of the same sum as the gate's input, and no more."""
    bias, first = f"bias_hh.{gate}", {(node.op, node.name): place for place, node in enumerate(program.nodes)}
    if ("vector", bias) not in first:
        return None
    place = first["vector", bias]
    return place if _sums(program, place) & _sums(program, first["input", gate]) else None


def _sums(program: Program, place: int) -> set[int]:
    """The sums that a value is a term of, as long as each has one use."""
    uses, found = program.uses(), set[int]()
    while uses[place] == 1:
        user = next((at for at, node in enumerate(program.nodes) if place in node.args), None)
        if user is None or not _adds(program, user, place):
            break
        found.add(user)
        place = user
    return found


def _adds(program: Program, user: int, place: int) -> bool:
    node = program.nodes[user]
    return node.op == "add" or (node.op == "sub" and node.args[0] == place)
