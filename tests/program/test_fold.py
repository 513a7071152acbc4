"""Biases that one bias can take over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells
from unrolled.program import derive, fold_biases, trace
from unrolled.program.equations import CELLS, cell
from unrolled.program.interpret import evaluate, parameters
from unrolled.testing import RandomPrograms

FOLDED = {
    "lstm": "ifgo",
    "lstm_peephole": "ifgo",
    "lstm_projected": "ifgo",
    "gru": "rz",  # r * (R_n h + b') keeps its own
    "gru_before": "rzn",
    "rnn": "h",
    "min_gru": "",
    "lstm_layer_norm": "",
}


@pytest.mark.parametrize("name", FOLDED)
def test_which(name: str) -> None:
    made = cell(name, **({"projection": 3} if name == "lstm_projected" else {}))
    program, gates = fold_biases(trace(made, 8))
    assert gates == tuple(FOLDED[name])
    assert not {f"bias_hh.{gate}" for gate in gates} & {*program.leaves("vector")}
    vectors = [name for name, _ in derive(program).program.outputs if name.startswith("vector.bias_hh")]
    assert len(vectors) == sum(name.startswith("bias_hh") for name in program.leaves("vector"))


def same(made: Any, hidden: int) -> None:
    """The folded program with the sum of both biases gives what the program gives."""
    program = trace(made, hidden, training=True)
    folded, gates = fold_biases(program)
    random = np.random.default_rng(0)
    own = parameters(made, {n: random.normal(size=shape) for n, shape in made.shapes(2, hidden).items()})
    leaves = {("vector", name): own[name] for name in program.leaves("vector")}
    leaves |= {
        (n.op, n.name): random.normal(size=(3, n.width)) for n in program.nodes if n.op in ("input", "state", "noise")
    }
    shifted = leaves | {("input", gate): leaves["input", gate] + own[f"bias_hh.{gate}"] for gate in gates}
    values, others = evaluate(program, leaves, own), evaluate(folded, shifted, own)
    for (_, place), (_, other) in zip(program.outputs, folded.outputs, strict=True):
        np.testing.assert_allclose(others[other], values[place], 1e-10, 1e-12)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_every_cell_stays_the_same(name: str) -> None:
    same(cell(name, **({"projection": 3} if name == "lstm_projected" else {})), 8)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_random_programs_stay_the_same(seed: int) -> None:
    same(RandomPrograms().cell(seed), 4)


def test_signs_and_second_uses_are_seen() -> None:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        return ((x.a - R.a(h)) + (R.b(h) - h + x.b) + (x.c + R.c(h)) * x.c,)

    made = type("Signs", (cells.Cell,), {"name": "signs", "gates": ("a", "b", "c"), "step": step})()
    assert fold_biases(trace(made, 4))[1] == ("b",)
    same(made, 4)
