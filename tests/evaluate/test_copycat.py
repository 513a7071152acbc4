"""Copies of the last value are found, honest forecasts are not accused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.evaluate import Copying, Part, Resampler, clusters, copying


def judged(part: Part, forecast: Any) -> Copying:
    return copying(part, forecast, Resampler(clusters(part.samples, part.truth.shape[1]), resamples=400))


@pytest.fixture
def walk(make_part: Any) -> Part:
    """A random walk: nothing can be known about the next step."""
    part: Part = make_part([np.cumsum(np.random.default_rng(0).normal(size=600))], horizon=1)
    return part


def test_the_last_value_itself(walk: Part) -> None:
    found = judged(walk, walk.last()[:, None])
    assert found.copies and found.moves == 0 and found.skill == 0
    assert found.follows_past == pytest.approx(1)


@pytest.mark.parametrize("noise, bias", [(0.3, 0.0), (0.5, 0.0), (0.3, 4.0)])
def test_a_noisy_or_biased_copy(walk: Part, noise: float, bias: float) -> None:
    """What a net trained on prices usually is: one step behind, with some noise and drift."""
    rng = np.random.default_rng(1)
    forecast = walk.last()[:, None] + noise * rng.normal(size=walk.truth.shape) + bias
    assert judged(walk, forecast).copies


def test_a_forecast_with_insight(walk: Part) -> None:
    rng = np.random.default_rng(2)
    last = walk.last()[:, None]
    forecast = last + 0.3 * (walk.truth - last) + 0.2 * rng.normal(size=walk.truth.shape)
    found = judged(walk, forecast)
    assert not found.copies and found.skill_low > 0.2


def test_a_good_forecast_of_a_smooth_series_moves_with_it(make_part: Any) -> None:
    part = make_part([np.sin(np.arange(500) / 8)], horizon=1)
    forecast = part.truth + 0.01 * np.random.default_rng(3).normal(size=part.truth.shape)
    assert not judged(part, forecast).copies


def test_a_bad_forecast_is_bad_but_no_copy(walk: Part) -> None:
    rng = np.random.default_rng(4)
    noise = judged(walk, 5 * rng.normal(size=walk.truth.shape))
    flat = judged(walk, np.full(walk.truth.shape, walk.truth.mean()))
    assert not noise.copies and not flat.copies and noise.skill < 0 and flat.skill < 0


def test_several_steps_and_targets_of_different_size(make_part: Any) -> None:
    rng = np.random.default_rng(5)
    part = make_part([np.cumsum(rng.normal(size=(400, 2)) * [1, 1000], axis=0)], horizon=5)
    last = part.last()[:, None]
    assert judged(part, np.repeat(last, 5, axis=1) * (1 + 1e-4 * rng.normal(size=part.truth.shape))).copies
    assert not judged(part, last + 0.5 * (part.truth - last)).copies


def test_without_consecutive_origins_only_standing_still_is_a_copy(make_part: Any) -> None:
    walks = np.cumsum(np.random.default_rng(6).normal(size=(60, 30)), axis=1)
    every = make_part(list(walks), window=10, horizon=3, first=27)
    assert len(every) == 60
    still = judged(every, np.repeat(every.last()[:, None], 3, axis=1))
    assert np.isnan(still.follows_past) and still.copies
    assert not judged(every, every.truth + 0.1).copies


def test_a_copy_is_found_in_every_second_or_third_window_too(walk: Part) -> None:
    rng = np.random.default_rng(7)
    for stride in (2, 3):
        thinned = walk[slice(None, None, stride)]
        noisy = thinned.last()[:, None] + 0.4 * rng.normal(size=thinned.truth.shape)
        assert judged(thinned, noisy).copies
