"""The best weights seen, and when to give up looking for better ones (early stopping)."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from unrolled.core.records import Metric


def snapshot(net: nn.Module) -> dict[str, Tensor]:
    """A copy of a net's weights, in main memory."""
    return {name: value.detach().to("cpu", copy=True) for name, value in net.state_dict().items()}


class Best:
    """Keeps the weights of the epoch with the best monitored figure.

    Args:
        patience: epochs without improvement before ``exhausted``; None never is.
        min_delta: smallest change that is an improvement.
        first: the first epoch that can be the best; those before it are not waited for either.

    Attributes:
        value: best figure so far, None before the first.
        epoch: the epoch it came from, the first being 1; 0 before the first.
        weights: the net's weights at that epoch.
    """

    def __init__(self, patience: int | None, min_delta: float, first: int = 0) -> None:
        self._patience, self._min_delta, self._first = patience, min_delta, first
        self._waited = 0
        self.value: float | None = None
        self.epoch = 0
        self.weights: dict[str, Tensor] | None = None

    @property
    def exhausted(self) -> bool:
        return self._patience is not None and self._waited >= self._patience

    def observe(self, metric: Metric, epoch: int, net: nn.Module) -> bool:
        """Take in an epoch's figure; whether it is the best so far."""
        if epoch < self._first:
            return False
        if not self._improves(metric):
            self._waited += 1
            return False
        self._waited, self.value, self.epoch = 0, metric.value, epoch
        self.weights = snapshot(net)
        return True

    def state_dict(self) -> dict[str, Any]:
        return {"waited": self._waited, "value": self.value, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._waited, self.value = state["waited"], state["value"]
        self.epoch, self.weights = state["epoch"], state["weights"]

    def _improves(self, metric: Metric) -> bool:
        if math.isnan(metric.value):
            return False
        if self.value is None:
            return True
        gain = self.value - metric.value if metric.better == "lower" else metric.value - self.value
        return gain > self._min_delta
