"""Lyapunov exponents against cases that are known, and against finite differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from unrolled.cells import Cell, cell
from unrolled.diagnose import Recorded, exponents
from unrolled.engine import Request
from unrolled.program.bind import Step
from unrolled.program.equations import Equations


class Linear(Cell):
    """h = R h + W x: the exponents are the logarithms of the moduli of R's eigenvalues."""

    name = "linear_map"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (x.h + R.h(h),)


class Tent(Cell):
    """h = 1 - 2 |h| + W x: every step stretches by 2, so the exponent is log 2."""

    name = "tent"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (1 - 2 * abs(h) + x.h,)


def recorded(kind: Equations, weights: dict[str, torch.Tensor], x: torch.Tensor, first: torch.Tensor) -> Recorded:
    state = tuple(first.clone() for _ in kind.state)
    request = Request(kind, x, weights, state)
    step, states = Step(kind, weights, torch.nn.functional.linear), [state]
    for t in range(x.shape[1]):
        gates = torch.nn.functional.linear(x[:, t], weights["weight_ih"], weights.get("bias_ih"))
        states.append(step(gates, states[-1]))
    return Recorded("here", request, tuple(states))


def random_weights(kind: Equations, inputs: int, hidden: int, gain: float) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(3)
    shapes = kind.shapes(inputs, hidden)
    return {
        name: gain * torch.randn(shape, generator=random, dtype=torch.float64) / math.sqrt(hidden)
        for name, shape in shapes.items()
    }


def test_a_linear_map() -> None:
    kind, size = Linear(), 5
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(size, size, generator=random, dtype=torch.float64) / 2
    weights = {"weight_ih": torch.zeros(size, 1).double(), "weight_hh": weight}
    run = recorded(kind, weights, torch.zeros(2, 1500, 1).double(), torch.ones(2, size).double())
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(weight.numpy()))))[::-1]
    np.testing.assert_allclose(exponents(run, size), expected, atol=4e-3)


def test_a_tent_map_is_chaotic_by_log_2() -> None:
    weights = {"weight_ih": torch.zeros(1, 1).double(), "weight_hh": torch.zeros(1, 1).double()}
    run = recorded(Tent(), weights, torch.zeros(1, 40, 1).double(), torch.full((1, 1), 0.3, dtype=torch.float64))
    np.testing.assert_allclose(exponents(run, 1), [math.log(2)], rtol=1e-12)


@pytest.mark.parametrize(("name", "gain"), [("lstm", 1.0), ("gru", 4.0), ("rnn", 2.5), ("slstm", 1.0), ("lru", 1.0)])
def test_all_exponents_equal_those_of_finite_differences(name: str, gain: float) -> None:
    run, step = driven(name, gain, time=60)
    size = sum(part.shape[1] for part in run.states[0])
    drawn = torch.randn(1, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    axes, logs = np.linalg.qr(drawn[0].numpy())[0], []
    for t in range(run.steps)[::-1]:
        axes, stretch = np.linalg.qr(jacobian(run, step, t).T @ axes)
        if t < 54:  # a tenth is left out
            logs.append(np.log(np.maximum(np.abs(np.diag(stretch)), 1e-300)))
    expected = np.sort(np.mean(logs, 0))[::-1][:3]
    np.testing.assert_allclose(exponents(run, size)[:3], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "gain"), [("gru", 1.0), ("rnn", 2.5)])
def test_the_first_exponent_equals_that_of_two_trajectories(name: str, gain: float) -> None:
    """Forward in time by finite differences, another way to the same number."""
    run, step = driven(name, gain, time=1000)
    size, sums = 1e-7, 0.0
    shift = torch.full_like(run.states[0][0], size / math.sqrt(run.states[0][0].shape[1]))
    for t in range(run.steps):
        moved = step(project(run, t), (run.states[t][0] + shift,))[0] - run.states[t + 1][0]
        norm = float(moved.norm())
        sums += math.log(norm / size)
        shift = moved * size / norm
    assert exponents(run, 1)[0] == pytest.approx(sums / run.steps, abs=0.02)


def driven(name: str, gain: float, time: int) -> tuple[Recorded, Step]:
    kind, hidden = cell(name), 8
    weights = random_weights(kind, 2, hidden, gain)
    x = torch.randn(1, time, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    first = torch.full((1, hidden), 0.5, dtype=torch.float64)  # an sLSTM bends where its normaliser is 0
    return recorded(kind, weights, x, first), Step(kind, weights, torch.nn.functional.linear)


def project(run: Recorded, t: int) -> torch.Tensor:
    weights = run.request.weights
    return torch.nn.functional.linear(run.request.x[:, t], weights["weight_ih"], weights["bias_ih"])


def jacobian(run: Recorded, step: Step, t: int) -> np.ndarray[Any, Any]:
    """Central differences, all displaced states as one batch."""
    sizes = [part.shape[1] for part in run.states[t]]
    here, by = run.states[t], 1e-6
    shifts = torch.split(by * torch.eye(sum(sizes), dtype=torch.float64), sizes, 1)
    gates = project(run, t).expand(sum(sizes), -1)
    ahead, behind = (
        torch.cat(step(gates, tuple(part + sign * shift for part, shift in zip(here, shifts, strict=True))), 1)
        for sign in (1, -1)
    )
    found: np.ndarray[Any, Any] = ((ahead - behind) / (2 * by)).T.numpy()
    return found
