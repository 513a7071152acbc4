"""Defaults for machines that run until they fail."""

from __future__ import annotations

from functools import partial
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import whole
from unrolled.prepare.pages import pieces
from unrolled.prepare.series import Column, Series
from unrolled.workflow.config import Config
from unrolled.workflow.defaults import complete


def _machines(*lives: list[float]) -> Series:
    """One sensor, and what remains of each life."""
    life = np.concatenate([np.asarray(own, dtype=np.float32) for own in lives])
    return Series(
        values=np.stack([np.zeros_like(life), life], axis=1),
        cases=np.zeros((len(lives), 0), np.float32),
        starts=np.concatenate([[0], np.cumsum([len(own) for own in lives])]),
        ids=tuple(str(at) for at in range(len(lives))),
        columns=(Column(name="u"), Column(name="life", role="target")),
        source="test",
    )


def _completed(series: Series, task: str = "regress") -> Config:
    return complete(Config(), task, series, whole(series), validated=True)[0]


def _down(rows: int, end: int = 0) -> list[float]:
    return [float(end + at) for at in range(rows)][::-1]


@given(st.integers(1, 50), st.integers(0, 399), st.sampled_from([0.0, 1.0, -1.0]))
def test_a_life_is_known_by_every_step_however_it_is_read(size: int, place: int, slip: float) -> None:
    series = _machines(_down(150), _down(1), _down(130, end=20), _down(119))
    series.values[place, 1] += slip
    alone = place == 150  # the only row of its machine: nothing falls there
    with mock.patch("unrolled.workflow.defaults.pieces", partial(pieces, size=size)):
        found = _completed(series).task.get("cap") == 125
    assert found == (slip == 0 or alone)


def test_short_lives_are_not_capped() -> None:
    assert "cap" not in _completed(_machines(_down(100), _down(126))).task
    assert _completed(_machines(_down(100), _down(127))).task["cap"] == 125


@pytest.mark.parametrize("task", ["regress", "failure"])
def test_histories_of_machines_are_disturbed_and_seen_a_few_times(task: str) -> None:
    few, many = (_completed(_machines(*[_down(200)] * count), task) for count in (10, 300))
    assert isinstance(few.net, list) and [next(iter(layer)) for layer in few.net[:2]] == ["dropout", "noise"]
    assert few.net == many.net and few.train["averaging"] == "ema"
    steps = [config.train["epochs"] * -(-count * 151 // 128) for config, count in ((few, 10), (many, 300))]
    assert 800 <= steps[0] < 820 and many.train["epochs"] == 8 and steps[1] > 2800
    assert few.train["patience"] == few.train["epochs"]  # the schedule runs to its end


def test_other_numbers_are_not_disturbed() -> None:
    series = _machines(*[list(np.random.default_rng(0).normal(size=200))] * 20)
    config = _completed(series)
    assert isinstance(config.net, list) and "conv" in config.net[0] and "averaging" not in config.train
