"""Learning rates against torch's own schedulers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from unrolled.train.schedule import Schedule
from unrolled.train.settings import TrainSettings

RATE, EPOCHS, PER_EPOCH = 0.3, 25, 7
TOTAL = EPOCHS * PER_EPOCH

Make = Callable[[torch.optim.Optimizer], Any]


def torch_rates(make: Make, steps: int, per: int = 1) -> list[float]:
    """Rate of each step, the scheduler being told every ``per`` steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler, rates = make(optimizer), []
    for step in range(1, steps + 1):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if step % per == 0 and step < steps:
            scheduler.step()
    return rates


def ours(**options: Any) -> list[float]:
    schedule = Schedule(TrainSettings(learning_rate=RATE, epochs=EPOCHS, **options), PER_EPOCH)
    return [schedule.rate(step) for step in range(TOTAL)]


def test_constant() -> None:
    assert ours() == [RATE] * TOTAL


def test_step() -> None:
    expected = torch_rates(lambda o: lr_scheduler.StepLR(o, 10, 0.9), TOTAL, per=PER_EPOCH)
    assert ours(schedule="step") == pytest.approx(expected, rel=1e-12)


def test_cosine() -> None:
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL), TOTAL)
    assert ours(schedule="cosine") == pytest.approx(expected, rel=1e-9)


def test_one_cycle() -> None:
    expected = torch_rates(lambda o: lr_scheduler.OneCycleLR(o, RATE, TOTAL, cycle_momentum=False), TOTAL)
    assert ours(schedule="one_cycle") == pytest.approx(expected, rel=1e-9)


def test_warmup() -> None:
    steps = 2 * PER_EPOCH
    expected = torch_rates(lambda o: lr_scheduler.LinearLR(o, 1 / steps, 1.0, steps - 1), TOTAL)
    assert ours(warmup=2.0) == pytest.approx(expected, rel=1e-9)


def test_warmup_multiplies_the_schedule() -> None:
    plain, warm = ours(schedule="cosine"), ours(schedule="cosine", warmup=1.0)
    assert warm[PER_EPOCH - 1 :] == plain[PER_EPOCH - 1 :]
    assert warm[0] == pytest.approx(plain[0] / PER_EPOCH)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.integers(0, 4))
def test_plateau(figures: list[float], patience: int) -> None:
    """Against ReduceLROnPlateau, which keeps its own record of what is an improvement."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, threshold=0.0, threshold_mode="abs", eps=0.0
    )
    schedule = Schedule(TrainSettings(learning_rate=RATE, schedule="plateau", plateau_patience=patience), PER_EPOCH)
    best = float("inf")
    for figure in figures:
        scheduler.step(figure)
        schedule.observe(figure < best)
        best = min(best, figure)
        assert schedule.rate(0) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)


def test_plateau_continues_from_its_saved_state() -> None:
    settings = TrainSettings(schedule="plateau", plateau_patience=1)
    one, two = Schedule(settings, PER_EPOCH), Schedule(settings, PER_EPOCH)
    for _ in range(3):
        one.observe(False)
    two.load_state_dict(one.state_dict())
    one.observe(False)
    two.observe(False)
    assert one.rate(0) == two.rate(0) == settings.learning_rate / 4
