"""Averaged weights against their formulas, written out in plain numbers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from unrolled.train.averaging import Average
from unrolled.train.settings import TrainSettings


class _One(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.frozen = nn.Parameter(torch.full((1,), 9.0), requires_grad=False)

    def put(self, value: float) -> None:
        nn.init.constant_(self.weight, value)


def applied(average: Average, net: _One) -> float:
    with average.applied():
        return net.weight.item()


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_ema(values: list[float], decay: float) -> None:
    net = _One()
    average = Average(net, TrainSettings(averaging="ema", ema_decay=decay))
    mean = values[0]
    for step, value in enumerate(values):
        net.put(value)
        average.after_step()
        if step:
            keep = min(decay, (1 + step) / (10 + step))
            mean = keep * mean + (1 - keep) * value
    assert applied(average, net) == pytest.approx(mean, abs=1e-12)
    assert net.weight.item() == values[-1] and net.frozen.item() == 9.0


def test_swa_is_the_mean_of_the_late_epochs() -> None:
    net = _One()
    average = Average(net, TrainSettings(averaging="swa", epochs=8, swa_start=0.5))
    for epoch in range(1, 9):
        net.put(epoch**2)
        average.after_epoch(epoch)
        average.after_step()
    assert applied(average, net) == pytest.approx((25 + 36 + 49 + 64) / 4)


def test_without_averaging_the_weights_stay() -> None:
    net = _One()
    average = Average(net, TrainSettings())
    net.put(4.0)
    average.after_step()
    average.after_epoch(100)
    assert applied(average, net) == 4.0


def test_weights_come_back_after_an_error() -> None:
    net = _One()
    average = Average(net, TrainSettings(averaging="ema"))
    average.after_step()
    net.put(7.0)
    with pytest.raises(ZeroDivisionError), average.applied():
        assert net.weight.item() == 0.0
        raise ZeroDivisionError
    assert net.weight.item() == 7.0


def test_continues_from_its_saved_state() -> None:
    settings = TrainSettings(averaging="ema", ema_decay=0.5)
    net = _One()
    one, two = Average(net, settings), Average(net, settings)
    for value in (1.0, 2.0):
        net.put(value)
        one.after_step()
    two.load_state_dict(one.state_dict())
    net.put(5.0)
    one.after_step()
    two.after_step()
    assert applied(one, net) == applied(two, net)
