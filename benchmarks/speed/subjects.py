"""Shapes and calls that several scripts time.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import unrolled

Shape = tuple[int, int, int, int]
"""(B, T, D, H)."""

KINDS = ("LSTM", "GRU", "RNN")
COMMON: tuple[Shape, ...] = (
    (32, 30, 8, 32),
    (128, 60, 4, 32),
    (16, 500, 1, 32),
    (64, 96, 1, 64),
    (32, 200, 32, 64),
    (128, 30, 64, 64),
    (64, 100, 64, 128),
    (16, 500, 8, 128),
    (128, 50, 128, 128),
    (32, 200, 128, 256),
    (64, 30, 64, 256),
)
"""H 32 to 256, B 16 to 128, T 30 to 500."""


def pair(kind: str, shape: Shape, **options: Any) -> tuple[nn.Module, nn.Module]:
    """torch's layer and ours with the same weights, batch first."""
    _, _, inputs, hidden = shape
    theirs = getattr(nn, kind)(inputs, hidden, batch_first=True, **options)
    ours = getattr(unrolled, kind)(inputs, hidden, batch_first=True, **options)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def x_of(shape: Shape) -> Tensor:
    """``(B, T, D)``."""
    return torch.randn(*shape[:3], generator=torch.Generator().manual_seed(0))


def training(layer: nn.Module, x: Any, **options: Any) -> Callable[[], object]:
    """One forward and backward, to the weights and to x."""
    if isinstance(x, Tensor):
        x = x.clone().requires_grad_()
    parameters = list(layer.parameters())

    def step() -> object:
        y = layer(x, **options)[0]
        y = y if isinstance(y, Tensor) else y.data
        return torch.autograd.grad(y, [v for v in (x, *parameters) if isinstance(v, Tensor)], torch.ones_like(y))

    return step


def inference(layer: nn.Module, x: Tensor) -> Callable[[], object]:
    """One forward without gradients."""

    def call() -> object:
        with torch.no_grad():
            return layer(x)[0]

    return call


def operations(kind: str, shape: Shape) -> float:
    """Multiplications and additions of the products of a training step, a third of them in the forward part."""
    batch, time, inputs, hidden = shape
    gates = {"GRU": 3, "gru_before": 3, "RNN": 1}.get(kind, 4)
    return 6.0 * batch * time * gates * hidden * (inputs + hidden)
