"""The contract check of cells finds each fault it is there to find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled import cells
from unrolled.program.functions import tanh
from unrolled.testing import check_cell


class Sound(cells.Cell):
    name = "test_sound"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (tanh(x.h + R.h(h)),)


class Remembering(Sound):
    """Keeps something between calls."""

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        (h,) = super().step(x, R, h)
        Remembering.calls += 1
        return (h + 0.01 * Remembering.calls,)

    calls = 0


class MixingTheBatch(Sound):
    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        (h,) = super().step(x, R, h)
        first = (np if isinstance(h, np.ndarray) else torch).ones_like(h) * h[:1]
        return (h + 0.1 * first,)


class WrongGradient(Sound):
    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        (h,) = super().step(x, R, h)
        return (h if isinstance(h, np.ndarray) else h + h.detach() - h.detach() * 1.0 + 0 * h - h + h.detach(),)


class OnlyOnTorch(Sound):
    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        (h,) = super().step(x, R, h)
        return (h * 1.001 if isinstance(h, np.ndarray) else h,)


class Overflowing(Sound):
    """The textbook's sigmoid: infinity by infinity."""

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        v = x.h + R.h(h)
        grown = np.exp(v) if isinstance(v, np.ndarray) else v.exp()
        return (grown / (1 + grown),)


class Deaf(Sound):
    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (tanh(0 * x.h + R.h(h)),)


class Oblivious(Sound):
    """Declares noise and does not look at it."""

    noise = ("d",)

    def rates(self) -> dict[str, float]:
        return {"d": 0.5}


class Untraceable(Sound):
    """Right wherever it is run, but nobody can make a program of it."""

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        v = x.h + R.h(h)
        return ((np.arctan(v) if isinstance(v, np.ndarray) else v.atan()),)


def test_a_sound_cell_passes() -> None:
    check_cell(Sound())


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Remembering(), "two runs differ"),
        (MixingTheBatch(), "batch permuted"),
        (WrongGradient(), "wrong gradient|does not depend on its input"),
        (OnlyOnTorch(), "NumPy against torch"),
        (Overflowing(), "not finite"),
        (Deaf(), "does not depend on its input"),
        (Oblivious(), "the noise 'd' changes nothing"),
        (Untraceable(), r"test_check_cell.py, line \d+\): its equations cannot become a program: .*'atan'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_fault_is_found(cell: cells.Cell, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_cell(cell)


def test_a_disagreeing_oracle_is_reported_with_the_place() -> None:
    def oracle(x: Any, weights: Any, hx: Any) -> Any:
        y = np.zeros((*x.shape[:2], hx[0].shape[1]))
        return y, hx

    with pytest.raises(AssertionError, match=r"against the oracle: .* values differ, worst at \("):
        check_cell(Sound(), oracle)
