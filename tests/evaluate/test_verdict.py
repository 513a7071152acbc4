"""One honest sentence, in both languages."""

from __future__ import annotations

import re

import numpy as np
import pytest

from unrolled.core.records import Verdict
from unrolled.evaluate import Resampler
from unrolled.evaluate.verdict import gain_over, verdict
from unrolled.tasks.numbers import root_mean_square
from unrolled.tasks.statistic import Statistic, mean

RNG = np.random.default_rng(0)
ERROR = RNG.normal(size=(300, 1, 1))
RESAMPLER = Resampler(np.arange(300), resamples=500)


def rmse(factor: float) -> tuple[Statistic, ...]:
    return (root_mean_square("rmse", factor * ERROR),)


def elsewhere(factor: float) -> tuple[Statistic, ...]:
    """Errors of the same size, at other samples."""
    return (root_mean_square("rmse", factor * RNG.permutation(ERROR)),)


def judge(model: tuple[Statistic, ...], task: str = "forecast", *, copies: bool = False) -> Verdict:
    rivals = {"persistence": rmse(2.0), "linear": rmse(1.0)}
    return verdict(task, "rmse", model, rivals, RESAMPLER, copies=copies)


@pytest.mark.parametrize(
    "model, task, level, code",
    [
        (rmse(0.7), "forecast", "good", "beats_baseline"),
        (rmse(0.9), "regress", "fair", "barely_better"),
        (rmse(0.7), "regress", "good", "beats_baseline"),
        (elsewhere(0.97), "forecast", "fair", "unproven"),
        (rmse(1.0), "forecast", "poor", "no_better"),
        (rmse(1.5), "forecast", "poor", "no_better"),
    ],
)
def test_levels(model: tuple[Statistic, ...], task: str, level: str, code: str) -> None:
    found = judge(model, task)
    assert (found.level, found.code) == (level, code)
    assert "a linear model" in found.en and "线性模型" in found.zh  # the best of the baselines
    assert f"{model[0].value:.4g}" in found.en and f"{model[0].value:.4g}" in found.zh
    assert not re.search(r"[{}]", found.en + found.zh)


def test_a_copy_is_compared_with_the_last_value_and_named() -> None:
    found = judge(elsewhere(1.98), copies=True)
    assert (found.level, found.code) == ("poor", "copies_last_value")
    assert "copies the last value" in found.en and "复制最后一个值" in found.zh
    assert f"{rmse(2.0)[0].value:.4g}" in found.en


def test_a_forecast_that_is_proven_better_than_the_last_value_is_not_said_to_copy_it() -> None:
    found = judge(rmse(1.9), copies=True)
    assert found.code == "no_better" and "a linear model" in found.en


def test_the_gain_is_the_share_of_the_error_that_is_gone_with_its_interval() -> None:
    gain = gain_over(rmse(0.7)[0], rmse(1.0)[0], RESAMPLER)
    assert gain.value == pytest.approx(0.3) and gain.low == pytest.approx(0.3) and gain.high == pytest.approx(0.3)
    assert "the error is 30.0% smaller (95 % interval 30.0% to 30.0%)" in judge(rmse(0.7)).en


def test_scores_are_measured_by_the_gap_to_perfection() -> None:
    right = (np.arange(300) % 10 != 0).astype(float)  # 0.9
    base = (np.arange(300) % 2 == 0).astype(float)  # 0.5
    model, rival = (mean("accuracy", values, "higher") for values in (right, base))
    assert gain_over(model, rival, RESAMPLER).value == pytest.approx(0.8)
    found = verdict("classify", "accuracy", (model,), {"majority": (rival,)}, RESAMPLER)
    assert found.code == "beats_baseline" and "closes 80.0% of the gap to a perfect score" in found.en
    worse = verdict("classify", "accuracy", (rival,), {"majority": (model,)}, RESAMPLER)
    assert worse.code == "no_better"


def test_without_groups_nothing_is_proven() -> None:
    alone = Resampler(np.zeros(300, np.int64))
    assert verdict("forecast", "rmse", rmse(0.5), {"linear": rmse(1.0)}, alone).code == "unproven"


def test_a_perfect_baseline_cannot_be_beaten() -> None:
    assert verdict("forecast", "rmse", rmse(0.5), {"linear": rmse(0.0)}, RESAMPLER).code == "no_better"


def test_without_a_rival_there_is_no_comparison() -> None:
    assert verdict("forecast", "rmse", rmse(0.5), {}, RESAMPLER).code == "no_comparison"
