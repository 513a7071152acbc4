"""Random cells: always the same for a seed, of every kind, and cells like any other."""

from __future__ import annotations

import pytest

from unrolled.program import trace
from unrolled.program.program import BINARY, UNARY
from unrolled.testing import RandomPrograms, check_cell


def test_a_seed_is_a_cell() -> None:
    first, again, other = (RandomPrograms().cell(seed) for seed in (3, 3, 4))
    assert trace(first, 8) == trace(again, 8)
    assert str(trace(first, 8)) != str(trace(other, 8))


def test_everything_occurs() -> None:
    drawn = [RandomPrograms().cell(seed) for seed in range(60)]
    programs = [trace(cell, 4, training=True) for cell in drawn]
    ops = {node.op for program in programs for node in program.nodes}
    assert ops >= {*UNARY, *BINARY, "product", "sum", "noise", "vector", "input", "state", "constant"}
    assert {len(cell.state) for cell in drawn} == {1, 2, 3}
    assert {len(cell.gates) for cell in drawn} == {1, 2, 3, 4, 5, 6}
    assert {cell.heads for cell in drawn} == {1, 2}
    assert any(cell.matrices for cell in drawn) and any(cell.recurrent != cell.gates for cell in drawn)
    operands = {
        program.nodes[node.args[0]].op for program in programs for node in program.nodes if node.op == "product"
    }
    assert operands > {"state"}


def test_what_is_asked_for() -> None:
    plain = RandomPrograms(operations=1, heads=(3,), noise=False)
    assert all(cell.heads == 3 and not cell.noise for cell in map(plain.cell, range(20)))
    long = [len(trace(RandomPrograms(operations=40).cell(seed), 4).nodes) for seed in range(20)]
    short = [len(trace(RandomPrograms(operations=1).cell(seed), 4).nodes) for seed in range(20)]
    assert sum(long) > 2 * sum(short)


@pytest.mark.parametrize("seed", range(3))
def test_they_are_cells_like_any_other(seed: int) -> None:
    check_cell(RandomPrograms().cell(seed))
