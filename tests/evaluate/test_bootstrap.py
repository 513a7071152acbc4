"""Intervals against theory and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.evaluate import Resampler, clusters
from unrolled.prepare.samples import Samples
from unrolled.tasks.labels import confusion_figures
from unrolled.tasks.statistic import Opaque, mean


def samples_of(series: list[int], ends: list[int]) -> Samples:
    end = np.array(ends)
    return Samples(end - 1, end, np.array(series))


def test_the_interval_of_a_mean_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    amounts = rng.normal(5, 2, 400)
    metric = Resampler(np.arange(400), resamples=4000).metric(mean("m", amounts))
    half = 1.96 * amounts.std() / np.sqrt(400)
    assert metric.value == pytest.approx(amounts.mean())
    assert metric.low == pytest.approx(amounts.mean() - half, abs=0.02)
    assert metric.high == pytest.approx(amounts.mean() + half, abs=0.02)


def test_merged_groups_keep_the_variance() -> None:
    amounts = np.random.default_rng(1).exponential(size=50_000)
    resampler = Resampler(np.arange(50_000))
    assert resampler.groups == 2000
    metric = resampler.metric(mean("m", amounts))
    assert metric.low is not None and metric.high is not None
    assert metric.high - metric.low == pytest.approx(2 * 1.96 * amounts.std() / np.sqrt(50_000), rel=0.1)


@pytest.mark.parametrize("by_group, covered", [(True, 0.95), (False, 0.5)])
def test_samples_that_hang_together_need_their_groups(by_group: bool, covered: float) -> None:
    """60 groups of 20 nearly equal samples: only drawing whole groups covers the true mean 95 times in 100."""
    rng = np.random.default_rng(2)
    member = np.repeat(np.arange(60), 20)
    hits = 0
    for seed in range(200):
        amounts = rng.normal(size=60)[member] + 0.1 * rng.normal(size=1200)
        groups = member if by_group else np.arange(1200)
        metric = Resampler(groups, resamples=300, seed=seed).metric(mean("m", amounts))
        assert metric.low is not None and metric.high is not None
        hits += metric.low <= 0 <= metric.high
    assert hits / 200 >= 0.90 if covered > 0.9 else hits / 200 < covered


def test_overlapping_windows_are_covered_by_blocks() -> None:
    """Errors of a 24-step horizon are moving averages: blocks of a horizon cover, single windows do not."""
    rng = np.random.default_rng(3)
    ends = np.arange(1000)
    blocks = clusters(Samples(ends, ends + 1, np.zeros(1000, np.int64)), 24)
    assert len(np.unique(blocks)) == 42
    hits = {"blocks": 0, "single": 0}
    for seed in range(150):
        noise = np.convolve(rng.normal(size=1023), np.ones(24) / 24, mode="valid")
        for name, groups in (("blocks", blocks), ("single", ends)):
            metric = Resampler(groups, resamples=300, seed=seed).metric(mean("m", noise))
            assert metric.low is not None and metric.high is not None
            hits[name] += metric.low <= 0 <= metric.high
    assert hits["blocks"] >= 0.85 * 150 and hits["single"] <= 0.5 * 150


def test_many_sequences_are_the_groups_and_few_are_cut_into_blocks() -> None:
    many = samples_of([s for s in range(30) for _ in range(5)], list(range(1, 6)) * 30)
    assert len(np.unique(clusters(many, 2))) == 30
    few = samples_of([0] * 10 + [1] * 10, [*range(100, 110), *range(200, 210)])
    found = clusters(few, 5)
    assert found.tolist() == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    one_each = samples_of([0, 1, 2], [5, 9, 30])
    assert len(np.unique(clusters(one_each, 99))) == 3


def test_two_models_see_the_same_draws() -> None:
    rng = np.random.default_rng(4)
    hard = rng.exponential(10, 300)  # how hard each sample is, for both models
    resampler = Resampler(np.arange(300))
    difference = resampler.draws(mean("a", hard + 1)) - resampler.draws(mean("b", hard))
    low, high = resampler.interval(difference) or (0.0, 0.0)
    assert low == pytest.approx(1) and high == pytest.approx(1)


def test_no_interval_without_at_least_two_groups_or_with_undefined_draws() -> None:
    alone = Resampler(np.zeros(9, np.int64)).metric(mean("m", np.arange(9.0)))
    assert (alone.value, alone.low, alone.high) == (4, None, None)
    resampler = Resampler(np.arange(5))
    assert resampler.metric(Opaque("mine", "lower", 1.0)).low is None
    holes = np.array([np.nan, np.nan, np.nan, np.nan, 7.0])
    assert resampler.metric(mean("m", holes)).low is None  # a third of the draws have no value at all


def test_the_same_seed_gives_the_same_interval_and_a_thousand_draws_are_quick() -> None:
    rng = np.random.default_rng(5)
    truth, predicted = rng.integers(0, 10, (2, 20_000))
    groups = np.arange(20_000)
    first, again = (Resampler(groups).scores("model", confusion_figures(truth, predicted, 10)) for _ in range(2))
    assert first == again
    accuracy = first["accuracy"]
    assert accuracy.low is not None and accuracy.low < accuracy.value < (accuracy.high or 0)
