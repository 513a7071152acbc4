"""One update of each optimiser against its published formula, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.train.optimizer import build_optimizer
from unrolled.train.settings import TrainSettings

RATE, DECAY = 0.1, 0.01
WEIGHT = np.array([0.5, -2.0, 3.0])
FIRST, SECOND = np.array([1.0, -0.2, 0.05]), np.array([-0.3, 0.4, 0.0])


def updated(**options: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The weight after two steps with given gradients."""
    parameter = torch.nn.Parameter(torch.tensor(WEIGHT))
    optimizer = build_optimizer(
        [[parameter]], TrainSettings(learning_rate=RATE, weight_decay=DECAY, clip_norm=None, **options)
    )
    for gradient in (FIRST, SECOND):
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    return parameter.detach().numpy()


@pytest.mark.parametrize(("given", "momentum"), [(None, 0.9), (0.5, 0.5)])
def test_sgd(given: float | None, momentum: float) -> None:
    w, v = WEIGHT, np.zeros(3)
    for gradient in (FIRST, SECOND):
        v = momentum * v + gradient + DECAY * w
        w = w - RATE * v
    np.testing.assert_allclose(updated(optimizer="sgd", momentum=given), w, rtol=1e-12)


def test_rmsprop() -> None:
    w, s = WEIGHT, np.zeros(3)
    for gradient in (FIRST, SECOND):
        g = gradient + DECAY * w
        s = 0.99 * s + 0.01 * g**2
        w = w - RATE * g / (np.sqrt(s) + 1e-8)
    np.testing.assert_allclose(updated(optimizer="rmsprop"), w, rtol=1e-12)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_and_adamw(decoupled: bool) -> None:
    w, m, s = WEIGHT, np.zeros(3), np.zeros(3)
    for step, gradient in enumerate((FIRST, SECOND), start=1):
        g = gradient if decoupled else gradient + DECAY * w
        w = w * (1 - RATE * DECAY) if decoupled else w
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
        w = w - RATE * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8)
    np.testing.assert_allclose(updated(optimizer="adamw" if decoupled else "adam"), w, rtol=1e-9)
