"""Cells that are linear in their state, over all steps at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import cells, engine
from unrolled.core.errors import BackendError
from unrolled.engine.scan import Scan
from unrolled.program.equations import Equations
from unrolled.program.functions import exp, sigmoid, tanh
from unrolled.testing import check_backend

LINEAR = (cells.MinGRU(), cells.MinLSTM(), cells.LRU())


class TwoRates(cells.Cell):
    """A user's cell: two averages apart from each other, with random masks and a division."""

    name = "test_two_rates"
    state = ("fast", "slow")
    gates = ("f", "n")
    recurrent = ()
    vectors = ("u",)
    noise = ("d",)

    def step(self, x: Any, R: Any, fast: Any, slow: Any) -> tuple[Any, Any]:
        f = sigmoid(x.f)
        fast = x.d * fast / (1 + exp(R.u)) - tanh(x.n)
        slow = slow - (slow - x.n) * f
        return fast, slow

    def rates(self) -> dict[str, float]:
        return {"d": 0.8}


class Mixed(cells.Cell):
    """Linear, but one part of the state feeds the other."""

    name = "test_mixed"
    state = ("h", "c")
    gates = ("n",)
    recurrent = ()

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        return 0.5 * h + c, 0.5 * c + x.n


class Untraceable(cells.Cell):
    """Asks for a value."""

    name = "test_untraceable"
    gates = ("n",)
    recurrent = ()

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (h + x.n if (x.n > 0).all() else h - x.n,)


def _weights(cell: Equations, size: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        name: 0.3 * torch.randn(shape, generator=random, dtype=torch.float64).to(dtype)
        for name, shape in cell.shapes(3, size).items()
    }


def test_it_holds_the_contract() -> None:
    check_backend(Scan(), over=(*LINEAR, TwoRates()))


@pytest.mark.parametrize("cell", LINEAR, ids=lambda cell: cell.name)
@pytest.mark.parametrize("time", [9, 1000, 1023, 1025])
def test_long_sequences_equal_the_loop(cell: Equations, time: int) -> None:
    x = torch.randn(2, time, 3, dtype=torch.float64)
    y, state = engine.run(cell, x, _weights(cell, 4), backend="scan")
    expected, final = engine.run(cell, x, _weights(cell, 4), backend="reference")
    torch.testing.assert_close((y, *state), (expected, *final), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cell", LINEAR, ids=lambda cell: cell.name)
def test_second_derivatives_are_right(cell: Equations) -> None:
    weights = _weights(cell, 3)

    def function(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, (final,) = engine.run(cell, x, weights, (h,), backend="scan", lengths=torch.tensor([5, 3]))
        return y, final

    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    h = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(function, (x, h))


def test_it_works_inside_torch_func() -> None:
    cell = cells.MinGRU()
    weights, x = _weights(cell, 4), torch.randn(5, 2, 9, 3, dtype=torch.float64)

    def loss(backend: str) -> Callable[..., Tensor]:
        return lambda w, v: engine.run(cell, v, w, backend=backend)[0].square().sum()

    actual = torch.func.vmap(torch.func.grad(loss("scan")), (None, 0))(weights, x)
    expected = torch.func.vmap(torch.func.grad(loss("reference")), (None, 0))(weights, x)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_single(dtype: torch.dtype) -> None:
    cell, x = cells.LRU(), torch.randn(2, 500, 3, dtype=torch.float64)
    weights = _weights(cell, 4)
    weights["nu"].fill_(-5.0)  # keeps 0.993 of the state at a step
    half = {name: weight.to(dtype) for name, weight in weights.items()}
    y, (final,) = engine.run(cell, x.to(dtype), half, backend="scan")
    exact = {name: weight.double() for name, weight in half.items()}
    expected, _ = engine.run(cell, x.to(dtype).double(), exact, backend="reference")
    assert y.dtype == final.dtype == dtype
    assert (y.double() - expected).abs().max() < 0.01 * expected.abs().max()


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (cells.LSTM(), "the state of lstm does not enter linearly"),
        (cells.IndRNN(), "indrnn does not enter linearly"),
        (Mixed(), "test_mixed does not enter linearly, unit by unit"),
        (Untraceable(), "cannot become a program"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_is_not_linear_is_refused_with_the_reason(cell: Equations, reason: str) -> None:
    with pytest.raises(BackendError, match=reason):
        engine.run(cell, torch.zeros(1, 2, 3).double(), _weights(cell, 4), backend="scan")


def test_it_leaves_few_steps_to_the_loop_unless_it_is_asked() -> None:
    cell = cells.MinGRU()
    weights = _weights(cell, 4)
    answers = dict(engine.explain(cell, torch.zeros(1, 8, 3).double(), weights).answers)
    assert answers["scan"] == "the plain loop is faster over so few steps"
    answers = dict(engine.explain(cell, torch.zeros(1, 9, 3).double(), weights).answers)
    assert answers["scan"] in ("chosen", "could serve, slower")
    y, _ = engine.run(cell, torch.zeros(1, 8, 3).double(), weights, backend="scan")
    assert y.shape == (1, 8, 4)
