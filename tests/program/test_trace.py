"""A cell's equations as a program: what comes out, and what is refused."""

from __future__ import annotations

import math
import operator
import re
import sys
from typing import Any

import numpy as np
import pytest
import torch

from unrolled import cells
from unrolled.core.errors import ConfigError
from unrolled.program import Program, trace
from unrolled.program import functions as F
from unrolled.program.interpret import run_forward
from unrolled.program.loop import run_numpy
from unrolled.program.program import POINTWISE

LSTM_TEXT = """\
i = sigmoid(x.i + R.i(h) + bias_hh.i)
f = sigmoid(x.f + R.f(h) + bias_hh.f)
g = tanh(x.g + R.g(h) + bias_hh.g)
o = sigmoid(x.o + R.o(h) + bias_hh.o)
c' = f * c + i * g
h' = o * tanh(c')"""


def made(step: Any, **members: Any) -> Any:
    """A cell with these equations; gates "a" and "b" unless it says otherwise."""
    return type("Made", (cells.Cell,), {"name": "made", "gates": ("a", "b"), "step": step, **members})()


def names(program: Program, op: str) -> list[str]:
    return [node.name for node in program.nodes if node.op == op]


def test_the_lstm_reads_as_it_is_written() -> None:
    assert str(trace(cells.LSTM(), 8)) == LSTM_TEXT
    assert str(trace(cells.LSTM(), 8, bias=False)) == re.sub(r" \+ bias_hh\.\w", "", LSTM_TEXT)


def test_names_of_the_equations_need_no_profiler_and_leave_one_alone() -> None:
    def profiler(*_: Any) -> None: ...

    sys.setprofile(profiler)
    try:
        unnamed = trace(cells.GRU(), 4)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    named = trace(cells.GRU(), 4)
    assert str(unnamed) != str(named)
    assert [(n.op, n.args, n.width) for n in unnamed.nodes] == [(n.op, n.args, n.width) for n in named.nodes]
    assert sys.getprofile() is None


def test_leaves_widths_and_products_of_a_projection() -> None:
    program = trace(cells.LSTMProjected(3), 8)
    widths = {(node.op, node.name): node.width for node in program.nodes if node.name}
    assert widths["state", "h"] == widths["product", "hr"] == 3
    assert widths["state", "c"] == widths["product", "i"] == widths["vector", "bias_hh.o"] == 8
    assert [name for name, _ in program.outputs] == ["h", "c"]
    assert names(program, "input") == ["i", "f", "g", "o"]


def test_noise_is_a_leaf_in_training_and_its_mean_elsewhere() -> None:
    cell = made(lambda self, x, R, h: (F.tanh(x.a + R.a(x.d * h)) * x.b,), noise=("d",), rates=lambda self: {"d": 0.75})
    assert names(trace(cell, 4, training=True), "noise") == ["d"]
    still = trace(cell, 4)
    assert names(still, "noise") == []
    assert 0.75 in [node.value for node in still.nodes if node.op == "constant"]


def test_equal_values_are_one_numbers_are_folded_and_the_useless_goes() -> None:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        F.exp(x.b)  # nobody reads it
        first = F.tanh(x.a + R.a(h))
        second = F.tanh(R.a(h) + x.a)
        return ((first + second) * (2 * 3 - 5.0) + 0 * 1 - -(first / 1),)

    program = trace(made(step), 4, bias=False)
    ops = [node.op for node in program.nodes]
    assert ops.count("tanh") == ops.count("product") == 1
    assert "constant" not in ops and "exp" not in ops and "b" not in names(program, "input")
    assert [op for op in ops if op in POINTWISE] == ["add", "tanh", "add", "add"]


def test_every_operator_and_function_is_that_of_numpy() -> None:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        v = +x.a - 1 / (2 + abs(x.b)) + h**3 * R.p - (-h) ** 1
        v = F.maximum(0.1, F.minimum(v, x.b)) + F.minimum(x.a, 0.2) + F.maximum(x.a, h) + F.mean(v)
        return (F.log_sigmoid(v) + (2 - F.softplus(v)) * F.exp(-v) + F.log(v**2 + 1) + (v**2 + 1) ** 0.5 / 3,)

    cell, random = made(step, vectors=("p",)), np.random.default_rng(0)
    weights = {name: random.normal(size=shape) for name, shape in cell.shapes(2, 5).items()}
    x, hx = random.normal(size=(3, 1, 2)), (random.normal(size=(3, 5)),)
    np.testing.assert_allclose(run_forward(cell, x, weights, hx).y, run_numpy(cell, x, weights, hx)[0], rtol=1e-12)


def test_a_step_that_draws_or_remembers_is_refused() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="draw random numbers, or remember"):
        trace(made(lambda self, x, R, h: (x.a * float(random.random()),)), 4)


# Each on its own line, for the test of line numbers.
REFUSED: dict[str, tuple[Any, str]] = {
    "branch": (lambda self, x, R, h: (x.a if h > 0 else x.b,), "compares values or branches"),
    "truth": (lambda self, x, R, h: (h or x.a,), "compares values or branches"),
    "equality": (lambda self, x, R, h: (x.a * (h == x.a),), "compares values"),
    "index": (lambda self, x, R, h: (h[:, :2],), "looks inside a value"),
    "loop": (lambda self, x, R, h: (sum(v for v in h),), "looks inside a value"),
    "length": (lambda self, x, R, h: (x.a * len(h),), "looks inside a value"),
    "math": (lambda self, x, R, h: (math.tanh(h),), "makes a number of a value"),
    "numpy": (lambda self, x, R, h: (np.tanh(h),), "TypeError"),
    "array": (lambda self, x, R, h: (h * np.ones(4),), "mixes in a numpy.ndarray"),
    "torch": (lambda self, x, R, h: (torch.tanh(h),), "TypeError"),
    "tensor": (lambda self, x, R, h: (h * torch.ones(4),), "mixes in a torch.Tensor"),
    "method": (lambda self, x, R, h: (h.clamp(0, 1),), "values have no 'clamp'"),
    "matmul": (lambda self, x, R, h: (h @ h,), "multiplies matrices"),
    "power": (lambda self, x, R, h: (h**2.5,), "takes the power 2.5"),
    "exponent": (lambda self, x, R, h: (h**h,), "takes the power"),
    "list": (lambda self, x, R, h: [h], r"must return the tuple \(h,\)"),
    "bare": (lambda self, x, R, h: h, r"must return the tuple \(h,\)"),
    "count": (lambda self, x, R, h: (h, h), r"must return the tuple \(h,\)"),
    "number": (lambda self, x, R, h: (1.0,), "depends neither on x nor on the state"),
    "vector": (lambda self, x, R, h: (R.p,), "depends neither on x nor on the state"),
    "narrow": (lambda self, x, R, h: (F.mean(h),), "returns 1 columns for h, which has 4"),
    "product of nothing": (lambda self, x, R, h: (R.a(1.0),), "multiplies R.a with a float"),
    "product of a vector": (lambda self, x, R, h: (R.a(R.p),), "depends neither on x nor on the state"),
    "product of one column": (lambda self, x, R, h: (R.a(F.mean(h)),), "takes 4 columns, with a value of 1"),
    "unknown gate": (lambda self, x, R, h: (x.c,), "asks for 'c', which the cell does not declare"),
    "unknown product": (lambda self, x, R, h: (R.c(h),), "asks for 'c', which the cell does not declare"),
    "in place": (lambda self, x, R, h: (operator.iadd(h, x.a),), "changes a value in place"),  # type: ignore[no-untyped-call]
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_name_file_line_and_reason(what: str) -> None:
    step, reason = REFUSED[what]
    with pytest.raises(ConfigError, match=reason) as caught:
        trace(made(step, vectors=("p",)), 4)
    assert f"({__file__}, line {step.__code__.co_firstlineno})" in str(caught.value)
    assert "'made'" in str(caught.value)


def test_widths_that_do_not_fit_are_refused() -> None:
    step = lambda self, x, R, h, c: (h, c * h)  # noqa: E731
    cell = made(step, state=("h", "c"), state_sizes=lambda self, hidden: (3, hidden))
    with pytest.raises(ConfigError, match="combines values whose widths 4 and 3 do not fit"):
        trace(cell, 4)


def test_the_line_is_that_of_the_offence() -> None:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        v = F.tanh(x.a)
        return (helper(v),)

    def helper(v: Any) -> Any:
        return v[0]

    with pytest.raises(ConfigError, match=f"line {helper.__code__.co_firstlineno + 1}\\)"):
        trace(made(step), 4)
