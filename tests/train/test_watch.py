"""Sums over the steps of an epoch, and the watch for values that are not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.train.watch import NotFinite, Watch

steps = st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 5), st.integers(1, 9)), min_size=1, max_size=30)


def record(watch: Watch, loss: float, norm: float, samples: int = 1, batch: int = 0) -> None:
    watch.record(torch.tensor(loss, dtype=torch.float64), torch.tensor(norm, dtype=torch.float64), samples, batch)


@given(steps, st.integers(1, 7))
def test_figures_equal_numpy_however_often_they_are_read(taken: list[tuple[float, float, int]], every: int) -> None:
    watch = Watch(every, clip_norm=1.0)
    for number, (loss, norm, samples) in enumerate(taken):
        record(watch, loss, norm, samples, number)
    watch.read()
    losses, norms, samples_ = (np.array(column) for column in zip(*taken, strict=True))
    assert watch.loss == pytest.approx(np.average(losses, weights=samples_), abs=1e-12)
    row = watch.row()
    assert row["grad_norm"] == pytest.approx(norms.mean())
    assert row["grad_norm_max"] == norms.max()
    assert row["clip_rate"] == pytest.approx((norms > 1.0).mean())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_not_finite_names_the_first_bad_batch(bad: float) -> None:
    watch = Watch(every=5, clip_norm=None)
    for number, loss in enumerate([1.0, 2.0, bad, bad]):
        record(watch, loss, 1.0, batch=number)
    with pytest.raises(NotFinite) as caught:
        watch.read()
    assert caught.value.batch == 2
    assert list(watch.recent) == [(1.0, 1.0), (2.0, 1.0)]


def test_infinite_gradient_is_an_error_unless_gradients_are_scaled() -> None:
    with pytest.raises(NotFinite):
        record(Watch(1, clip_norm=1.0), 1.0, math.inf)
    watch = Watch(1, clip_norm=1.0, scaled=True)
    record(watch, 1.0, 3.0)
    for _ in range(20):
        record(watch, 1.0, math.inf)
    assert watch.row() == {"grad_norm": 3.0, "grad_norm_max": 3.0, "clip_rate": 1.0}


def test_scaling_that_never_recovers_is_an_error() -> None:
    watch = Watch(1, clip_norm=1.0, scaled=True)
    with pytest.raises(NotFinite):
        for _ in range(30):
            record(watch, 1.0, math.inf)


def test_continues_from_its_saved_state() -> None:
    whole, first, rest = Watch(1, 1.0), Watch(1, 1.0), Watch(1, 1.0)
    for step in range(6):
        record(whole, step, step / 3, 2)
        if step == 3:
            rest.load_state_dict(first.state_dict())
        record(first if step < 3 else rest, step, step / 3, 2)
    assert rest.state_dict() == whole.state_dict()
