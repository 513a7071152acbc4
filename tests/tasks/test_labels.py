"""Figures of predicted classes against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from unrolled.tasks.labels import (
    calibration_error,
    class_figures,
    confusion,
    confusion_figures,
    detection_figures,
    probability_figures,
    ranking_figures,
)

codes = hnp.arrays(np.int64, 20, elements=st.integers(0, 3))
flags = hnp.arrays(np.int64, 20, elements=st.integers(0, 1))


@given(codes, codes)
def test_the_overall_figures_are_scikit_learns(truth: Any, predicted: Any) -> None:
    found = {statistic.name: statistic.value for statistic in confusion_figures(truth, predicted, 4)}
    recall = metrics.recall_score(truth, predicted, labels=np.unique(truth), average="macro")
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert found["balanced_accuracy"] == pytest.approx(recall)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    expected = metrics.confusion_matrix(truth, predicted, labels=range(4))
    np.testing.assert_array_equal(confusion(truth, predicted, 4), expected)


@given(codes, codes)
def test_the_figures_of_each_class_are_scikit_learns(truth: Any, predicted: Any) -> None:
    names = ["N", "S", "V", "F"]
    expected = metrics.precision_recall_fscore_support(truth, predicted, labels=range(4), zero_division=0)
    found = {statistic.name: statistic.value for statistic in class_figures(truth, predicted, names)}
    for figure, values in zip(("precision", "recall", "f1"), expected, strict=False):
        for name, value in zip(names, values, strict=True):
            assert found[f"{figure}:{name}"] == pytest.approx(value)


@given(flags, flags)
def test_the_figures_of_alarms_are_scikit_learns(truth: Any, alarm: Any) -> None:
    found = {statistic.name: statistic.value for statistic in detection_figures(truth == 1, alarm == 1)}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, alarm, average="binary", zero_division=0)
    assert (found["precision"], found["recall"], found["f1"]) == pytest.approx((precision, recall, f1))


def test_probabilities_are_judged_as_by_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probability, truth = rng.dirichlet(np.ones(4), 60), rng.integers(0, 4, 60)
    loss, _ = probability_figures(truth, probability)
    assert loss.value == pytest.approx(metrics.log_loss(truth, probability, labels=range(4)))
    precision, area = ranking_figures(truth == 1, probability[:, 1])
    assert precision.value == pytest.approx(metrics.average_precision_score(truth == 1, probability[:, 1]))
    assert area.value == pytest.approx(metrics.roc_auc_score(truth == 1, probability[:, 1]))


def test_the_calibration_error_by_hand() -> None:
    """Confidence 0.8 (bin 12 of 15), right in one of two; 0.6 (bin 9), right in one of one."""
    probability = np.array([[0.8, 0.2], [0.2, 0.8], [0.6, 0.4]])
    error = calibration_error(np.array([0, 0, 0]), probability)
    assert error.value == pytest.approx((2 * abs(0.8 - 0.5) + 1 * abs(0.6 - 1)) / 3)


def test_calibrated_probabilities_have_a_small_error_and_sharpened_ones_a_large_one() -> None:
    rng = np.random.default_rng(1)
    probability = rng.dirichlet([2, 1, 1], 50_000)
    truth = np.array([rng.choice(3, p=row) for row in probability])
    assert calibration_error(truth, probability).value < 0.01
    sharp = probability**3 / (probability**3).sum(1, keepdims=True)
    assert calibration_error(truth, sharp).value > 0.1
