"""Programs that are linear in their state, and the scan over all steps at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells
from unrolled.core.errors import ConfigError
from unrolled.program import functions as F
from unrolled.program import linear_form, trace
from unrolled.program.equations import CELLS, cell
from unrolled.program.loop import run_numpy
from unrolled.program.parallel import run_parallel, scan

LINEAR = {"lru", "min_gru", "min_lstm"}


def made(step: Any, **members: Any) -> Any:
    return type("Made", (cells.Cell,), {"name": "made", "gates": ("a", "b"), "step": step, **members})()


def equal_to_the_loop(drawn: Any, sizes: tuple[int, int, int, int], seed: int, started: bool = True) -> None:
    batch, time, inputs, hidden = sizes
    random = np.random.default_rng(seed)
    weights = {name: random.normal(size=shape) for name, shape in drawn.shapes(inputs, hidden).items()}
    hx = tuple(random.normal(size=(batch, size)) for size in drawn.state_sizes(hidden)) if started else None
    x = random.normal(size=(batch, time, inputs))
    (y, state), (expected, final) = run_parallel(drawn, x, weights, hx), run_numpy(drawn, x, weights, hx)
    for ours, theirs in zip((y, *state), (expected, *final), strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-9, 1e-10)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(LINEAR)),
    sizes=st.tuples(st.integers(0, 3), st.integers(0, 70), st.integers(1, 3), st.integers(1, 5)),
    seed=st.integers(0, 99),
    started=st.booleans(),
)
def test_all_steps_at_once_equal_the_loop(
    name: str, sizes: tuple[int, int, int, int], seed: int, started: bool
) -> None:
    equal_to_the_loop(cell(name), sizes, seed, started)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_which_cells_are_linear(name: str) -> None:
    drawn = cell(name, **({"projection": 3} if name == "lstm_projected" else {}))
    assert (linear_form(trace(drawn, 4)) is not None) == (name in LINEAR)


def test_coefficients_of_every_linear_operation() -> None:
    def step(self: Any, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        h = x.a - (-(h / (2 + abs(x.b))) + h * F.mean(x.a) - 3 * (1 - h))
        return h, R.p * F.tanh(x.b) + 0.5 * c

    drawn = made(step, state=("h", "c"), vectors=("p",))
    form = linear_form(trace(drawn, 4))
    assert form is not None and not form.leaves("state")
    assert [name for name, _ in form.outputs] == ["a.h", "b.h", "a.c", "b.c"]
    equal_to_the_loop(drawn, (2, 9, 3, 4), 0)


@pytest.mark.parametrize(
    "step",
    [
        lambda self, x, R, h, c: (h * h, c),
        lambda self, x, R, h, c: (F.tanh(x.a) / h, c),
        lambda self, x, R, h, c: (R.a(h), c),
        lambda self, x, R, h, c: (h + c, c),
        lambda self, x, R, h, c: (h * F.mean(h), c),
        lambda self, x, R, h, c: (x.a + 0 * F.mean(h), c),
        lambda self, x, R, h, c: (abs(h), c),
    ],
)
def test_what_is_not_linear_unit_by_unit(step: Any) -> None:
    drawn = made(step, state=("h", "c"))
    assert linear_form(trace(drawn, 4)) is None
    weights = {name: np.zeros(shape) for name, shape in drawn.shapes(2, 4).items()}
    with pytest.raises(ConfigError, match="not linear in its state"):
        run_parallel(drawn, np.zeros((1, 2, 2)), weights)


def test_the_scan_writes_into_nothing() -> None:
    random = np.random.default_rng(0)
    a, b, initial = random.normal(size=(5, 2, 3)), random.normal(size=(5, 2, 3)), random.normal(size=(2, 3))
    before = a.copy(), b.copy()
    found, h = scan(a, b, initial), initial
    assert np.array_equal(a, before[0]) and np.array_equal(b, before[1])
    for t in range(5):
        h = a[t] * h + b[t]
        np.testing.assert_allclose(found[t], h, 1e-12)
