"""Programs as text: it is Python, and means what the program means."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells
from unrolled.program import Program, derive, trace
from unrolled.program import functions as F
from unrolled.program.equations import CELLS, cell
from unrolled.program.interpret import evaluate, parameters
from unrolled.testing import RandomPrograms

NAMES: dict[str, Any] = {
    **{
        name: getattr(F, name)
        for name in ("tanh", "sigmoid", "relu", "exp", "log", "softplus", "sqrt", "positive", "mean")
    },
    **{"abs": abs, "max": np.maximum, "min": np.minimum, "sum": lambda v: v.sum(-1, keepdims=True)},
}


def run_text(text: str, leaves: dict[tuple[str, str], Any], own: dict[str, Any]) -> dict[str, Any]:
    """Execute the lines, letters made into Python names."""

    def plain(source: str) -> str:
        source = re.sub(r"\b(R|x|d)\.", r"\1_", source.replace("bias_hh.", "bias_hh_"))
        return source.replace("'", "_new")

    def times(weight: Any) -> Any:
        return lambda v: v @ weight.T if weight.ndim == 2 else blocks(weight, v)

    def blocks(weight: Any, v: Any) -> Any:
        parts = zip(weight, np.split(v, len(weight), -1), strict=True)
        return np.concatenate([part @ block.T for block, part in parts], -1)

    prefix = {"input": "x_", "noise": "x_", "vector": "R_"}
    scope = {
        plain(f"{prefix.get(op, '')}{name}").replace("R_bias", "bias"): value for (op, name), value in leaves.items()
    }
    scope |= {f"R_{name}": times(weight) for name, weight in own.items() if weight.ndim > 1}
    for line in text.splitlines():
        exec(plain(line), NAMES, scope)
    return scope


def means_the_program(made: Any, hidden: int) -> None:
    program = trace(made, hidden, training=True)
    random = np.random.default_rng(0)
    own = parameters(made, {n: random.normal(size=shape) for n, shape in made.shapes(2, hidden).items()})
    leaves = {("vector", name): own[name] for name in program.leaves("vector")}
    leaves |= {
        (n.op, n.name): random.normal(size=(3, n.width)) for n in program.nodes if n.op in ("input", "state", "noise")
    }
    values, scope = evaluate(program, leaves, own), run_text(str(program), leaves, own)
    for name, place in program.outputs:
        np.testing.assert_allclose(scope[f"{name}_new"], values[place], 1e-4, 1e-5)  # numbers are shown with 6 digits


@pytest.mark.parametrize("name", sorted(CELLS))
def test_cells(name: str) -> None:
    means_the_program(cell(name, **({"projection": 3} if name == "lstm_projected" else {})), 8)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_random_programs(seed: int) -> None:
    means_the_program(RandomPrograms().cell(seed), 4)


def shown(step: Any) -> str:
    return str(trace(type("Made", (cells.Cell,), {"name": "made", "gates": ("a",), "step": step})(), 4))


def test_brackets_stand_where_they_must_and_only_there() -> None:
    assert (
        shown(lambda self, x, R, h: (x.a - (h - x.a) * (h + 1) / (h * h),)) == "h' = x.a - (h - x.a) * (h + 1) / h**2"
    )
    assert shown(lambda self, x, R, h: ((x.a + h) ** 2 - (-h - 1),)) == "h' = (x.a + h)**2 - (-h - 1)"
    assert shown(lambda self, x, R, h: (x.a / (h / (x.a * h)),)) == "h' = x.a / (h / (x.a * h))"


def test_a_part_that_stays_and_names_that_meet() -> None:
    def step(self: Any, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        m = x.a + c
        return m, c

    made = type("Made", (cells.Cell,), {"name": "made", "gates": ("a",), "state": ("h", "c"), "step": step})()
    assert str(trace(made, 4)) == "h' = x.a + c\nc' = c"


def test_a_derivative_is_shown_too() -> None:
    program: Program = derive(trace(cells.LSTM(), 8)).program
    assert "R.o.T(input.o)" in str(program) and "product.3 = input.o" in str(program)
