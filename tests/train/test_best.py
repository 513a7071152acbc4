"""The best epoch and early stopping."""

from __future__ import annotations

import math
from typing import Literal

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from unrolled.core.records import Metric
from unrolled.train.best import Best

figures = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=20)


def metric(value: float, better: Literal["lower", "higher"] = "lower") -> Metric:
    return Metric(name="m", value=value, better=better)


@given(figures, st.sampled_from(["lower", "higher"]))
def test_keeps_the_first_of_the_best_epochs(values: list[float], better: Literal["lower", "higher"]) -> None:
    best, net = Best(None, 0.0), nn.Linear(1, 1)
    for epoch, value in enumerate(values, start=1):
        nn.init.constant_(net.weight, epoch)
        best.observe(metric(value, better), epoch, net)
    wanted = min(values) if better == "lower" else max(values)
    assert best.value == wanted
    assert best.epoch == values.index(wanted) + 1
    assert best.weights is not None and float(best.weights["weight"]) == best.epoch


@given(figures, st.integers(1, 4))
def test_is_exhausted_after_patience_epochs_without_improvement(values: list[float], patience: int) -> None:
    best, net = Best(patience, 0.0), nn.Linear(1, 1)
    for epoch, value in enumerate(values, start=1):
        best.observe(metric(value), epoch, net)
        seen = values[:epoch]
        assert best.exhausted == (epoch - (seen.index(min(seen)) + 1) >= patience)


def test_small_changes_are_no_improvement() -> None:
    best, net = Best(2, 0.1), nn.Linear(1, 1)
    assert [best.observe(metric(v), e, net) for e, v in enumerate([1.0, 0.95, 0.85])] == [True, False, True]


def test_nan_is_no_improvement() -> None:
    best, net = Best(1, 0.0), nn.Linear(1, 1)
    assert not best.observe(metric(math.nan), 1, net)
    assert best.value is None and best.weights is None and best.exhausted


def test_weights_are_a_copy() -> None:
    best, net = Best(1, 0.0), nn.Linear(1, 1)
    nn.init.constant_(net.weight, 2.0)
    best.observe(metric(1.0), 1, net)
    with torch.no_grad():
        net.weight.zero_()
    assert best.weights is not None and float(best.weights["weight"]) == 2.0


def test_epochs_before_the_first_are_neither_best_nor_waited_for() -> None:
    best, net = Best(1, 0.0, first=3), nn.Linear(1, 1)
    found = [best.observe(metric(value), epoch, net) for epoch, value in enumerate([1.0, 2.0, 5.0, 4.0, 6.0], start=1)]
    assert found == [False, False, True, True, False]
    assert (best.epoch, best.value, best.exhausted) == (4, 4, True)
