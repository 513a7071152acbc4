"""Calibration against simulation, brute force and other people's solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize
from sklearn.metrics import f1_score, log_loss

from unrolled.prepare.calibrate import conformal, enough, intervals, platt, temperature, threshold
from unrolled.prepare.decode import decode, softmax
from unrolled.prepare.decoding import NumberDecoding
from unrolled.program.functions import sigmoid


def test_ranks_are_those_of_the_finite_sample_formula() -> None:
    residual = np.arange(1.0, 20.0)  # 19 samples: ranks 0.95 * 20 = 19 and 0.05 * 20 = 1 exactly
    base = np.zeros((19, 1, 1))
    truth = np.random.default_rng(0).permutation(residual).reshape(19, 1, 1)
    np.testing.assert_array_equal(conformal(base, truth, (0.05, 0.5, 0.95)).ravel(), [1, 10, 19])
    assert enough(19, (0.05, 0.95)) and not enough(18, (0.05, 0.95))


@pytest.mark.parametrize("heavy", [False, True])
def test_coverage_is_guaranteed_on_average_and_not_much_more(heavy: bool) -> None:
    """Over many calibrations of 39 samples, the share of new truths inside lies between 0.9 and 0.9 + 2 / 40."""
    rng = np.random.default_rng(3)
    draw = rng.standard_cauchy if heavy else rng.standard_exponential
    trials = 20_000
    calibration, fresh = draw((39, 1, trials)), draw(trials)  # each "target" is one trial
    low, high = conformal(np.zeros((39, 1, trials)), calibration, (0.05, 0.95))[:, 0]
    covered = np.mean((fresh >= low) & (fresh <= high))
    error = 3 * np.sqrt(0.09 / trials)
    assert 0.9 - error <= covered <= 0.9 + 2 / 40 + error


def test_a_biased_net_keeps_its_coverage_and_its_forecast_inside() -> None:
    """Residuals of one sign: the interval reaches from the forecast to them, and still holds 90 % or more."""
    rng = np.random.default_rng(4)
    truth = rng.exponential(size=(4000, 1, 1)) + 3  # the net says 0
    fitted = intervals(NumberDecoding(task="forecast", targets=("y",)), np.zeros((39, 1, 1, 1)), truth[:39], 0.9)
    answer = decode(np.zeros((3961, 1, 1, 1), np.float32), fitted)
    assert answer.quantiles is not None
    low, high = answer.quantiles[0, 0, 0, 0], answer.quantiles[0, 0, 0, -1]
    assert low == 0 and high == pytest.approx(np.sort(truth[:39].ravel())[37], rel=1e-5)  # rank 0.95 * 40
    assert np.mean((truth[39:] >= low) & (truth[39:] <= high)) >= 0.9


def test_summed_steps_get_intervals_of_their_sum() -> None:
    """A random walk forecast by its steps: the sum of h errors spreads as sqrt(h), not as h."""
    rng = np.random.default_rng(6)
    steps = rng.normal(size=(8000, 16, 1))
    decoding = NumberDecoding(task="forecast", targets=("y",), horizon=16, summed=(True,))
    fitted = intervals(decoding, np.zeros((4000, 16, 1, 1)), steps[:4000], 0.9)
    assert NumberDecoding.model_validate_json(fitted.model_dump_json()) == fitted
    answer = decode(np.zeros((4000, 16, 1, 1)), fitted, lambda values: np.cumsum(values, axis=1))
    assert answer.quantiles is not None
    walk = steps[4000:].cumsum(1)
    inside = (walk >= answer.quantiles[..., 0]) & (walk <= answer.quantiles[..., -1])
    np.testing.assert_allclose(inside.mean(0).ravel(), 0.9, atol=0.025)
    np.testing.assert_allclose(answer.quantiles[0, :, 0, -1], 1.645 * np.sqrt(np.arange(1, 17)), rtol=0.08)


def test_a_hole_leaves_the_sums_behind_it_unknown() -> None:
    truth = np.ones((9, 3, 1))
    truth[:, 1] = np.nan
    decoding = NumberDecoding(task="forecast", targets=("y",), horizon=3, summed=(True,))
    offsets = np.array(intervals(decoding, np.zeros((9, 3, 1, 1)), truth, 0.9).offsets)
    np.testing.assert_array_equal(offsets[:, :, 0], [[1, 0, 0]] * len(offsets))


def test_the_quantiles_of_a_net_are_corrected_one_by_one() -> None:
    """A net whose quantiles are far too narrow and shifted gets honest ones, step by step."""
    rng = np.random.default_rng(5)
    scale = np.array([1.0, 4.0])  # of the noise, by step
    truth = rng.normal(size=(4000, 2, 1)) * scale[:, None] + 7
    net = np.broadcast_to(np.array([-0.1, 0.0, 0.1]), (4000, 2, 1, 3))
    decoding = NumberDecoding(task="forecast", targets=("y",), horizon=2, quantiles=(0.05, 0.5, 0.95))
    fitted = intervals(decoding, net[:2000], truth[:2000], 0.5)
    assert fitted.levels == (0.05, 0.5, 0.95) and fitted.calibrated_on == 2000
    answer = decode(net[2000:], fitted)
    assert answer.quantiles is not None
    inside = (truth[2000:] >= answer.quantiles[..., 0]) & (truth[2000:] <= answer.quantiles[..., -1])
    np.testing.assert_allclose(inside.mean(0).ravel(), 0.9, atol=0.03)
    np.testing.assert_allclose(answer.quantiles[0, :, 0, -1], 7 + 1.645 * scale, rtol=0.05)


def test_missing_truth_is_left_out_and_no_truth_gives_no_offset() -> None:
    truth = np.stack([np.arange(9.0), np.full(9, np.nan)], axis=1)[:, :, None]
    truth[4] = np.nan
    offsets = conformal(np.zeros((9, 2, 1)), truth, (0.5,))
    known = np.sort(np.delete(np.arange(9.0), 4))
    assert offsets[0, 0, 0] == known[int(np.ceil(9 * 0.5)) - 1]
    assert offsets[0, 1, 0] == 0


@given(st.floats(0.3, 0.98), st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_a_point_gets_ascending_quantiles_with_the_asked_coverage(coverage: float, n: int) -> None:
    rng = np.random.default_rng(n)
    output, truth = rng.normal(size=(n, 3, 2, 1)), rng.normal(size=(n, 3, 2))
    fitted = intervals(NumberDecoding(task="forecast", targets=("a", "b"), horizon=3), output, truth, coverage)
    assert fitted.levels[-1] - fitted.levels[0] == pytest.approx(coverage, abs=1e-5)
    assert (np.diff(np.array(fitted.offsets), axis=0) >= 0).all()
    assert NumberDecoding.model_validate_json(fitted.model_dump_json()) == fitted


@given(hnp.arrays(np.float64, (30, 4), elements=st.floats(-5, 5)), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_temperature_is_that_of_a_general_optimiser(logits: Any, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, 30)
    smooth = 1 / 31
    wanted = (1 - smooth) * np.eye(4)[labels] + smooth / 4

    def cost(log_temperature: Any) -> float:
        chance = softmax(logits / np.exp(log_temperature[0]))
        return float(-(wanted * np.log(chance + 1e-300)).sum())

    best = minimize(cost, [0.0], bounds=[(np.log(0.05), np.log(20))])
    found = temperature(logits, labels)
    assert cost([np.log(found)]) <= best.fun + 1e-6


def test_overconfidence_is_undone_and_perfection_does_not_become_certainty() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(5000, 3))
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits)])
    assert temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    perfect = 4 * np.eye(2)[np.array([0, 1] * 5)]
    found = softmax(perfect / temperature(perfect, np.array([0, 1] * 5)))
    assert found.max() < 0.99
    assert temperature(np.empty((0, 3)), np.empty(0, np.int64)) == 1.0


def test_platt_recovers_the_true_logistic_curve() -> None:
    rng = np.random.default_rng(1)
    logit = rng.normal(2, 3, 40_000)
    label = (rng.random(40_000) < sigmoid(0.7 * logit - 2)).astype(np.int64)
    scale, bias = platt(logit, label)
    assert scale == pytest.approx(0.7, rel=0.05) and bias == pytest.approx(-2, rel=0.05)


@given(hnp.arrays(np.float64, 40, elements=st.floats(-50, 50)), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_platt_is_never_worse_than_the_raw_logits(logit: Any, seed: int) -> None:
    label = np.random.default_rng(seed).integers(0, 2, 40)
    label[:2] = 0, 1
    scale, bias = platt(logit, label)
    ones = label.sum()
    wanted = np.where(label == 1, (ones + 1) / (ones + 2), 1 / (40 - ones + 2))

    def cost(s: float, b: float) -> float:
        score = s * logit + b
        return float(np.sum(np.logaddexp(0, score) - wanted * score))

    assert scale > 0
    assert cost(scale, bias) <= min(cost(1, 0), cost(0, np.log(wanted.mean() / (1 - wanted.mean())))) + 0.01


def test_misleading_logits_give_everybody_the_prevalence() -> None:
    label = np.array([1] * 10 + [0] * 30)
    scale, bias = platt(np.where(label == 1, -3.0, 3.0), label)
    np.testing.assert_allclose(sigmoid(scale * np.array([-3.0, 3.0]) + bias), 0.25, atol=0.01)


def test_the_bias_undoes_the_weight_of_failing_samples() -> None:
    """Logits of a net trained with positives counted nine times come out nine times too likely."""
    rng = np.random.default_rng(2)
    logit = rng.normal(-3, 1.5, 50_000)
    label = (rng.random(50_000) < sigmoid(logit)).astype(np.int64)
    scale, bias = platt(logit + np.log(9), label)
    assert log_loss(label, sigmoid(scale * (logit + np.log(9)) + bias)) == pytest.approx(
        log_loss(label, sigmoid(logit)), rel=1e-3
    )


probabilities = hnp.arrays(np.float64, 25, elements=st.sampled_from([0.05, 0.1, 0.3, 0.30001, 0.5, 0.8, 0.99]))


@settings(deadline=None)
@given(probabilities, hnp.arrays(np.bool_, 25))
def test_the_threshold_has_the_best_f1_of_all(probability: Any, label: Any) -> None:
    if not label.any():
        assert threshold(probability, label) == 0.5
        return
    best = max(f1_score(label, probability >= cut) for cut in np.unique(probability))
    assert f1_score(label, probability >= threshold(probability, label)) == pytest.approx(best)


@settings(deadline=None)
@given(probabilities, hnp.arrays(np.bool_, 25), st.floats(0.5, 50))
def test_the_threshold_costs_least_of_all_that_give_an_alarm(probability: Any, label: Any, miss_cost: float) -> None:
    if not label.any():
        return

    def cost(cut: float) -> float:
        alarm = probability >= cut
        return float(miss_cost * (label & ~alarm).sum() + (alarm & ~label).sum())

    best = min(cost(cut) for cut in np.unique(probability))
    assert cost(threshold(probability, label, miss_cost=miss_cost)) == pytest.approx(best)
