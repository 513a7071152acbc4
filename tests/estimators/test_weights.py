"""Sample weights: from the estimator's argument to the training loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import Classifier, Regressor
from unrolled.core.errors import DataError
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

NET = [{"gru": {"size": 4}}]


def regressor(**changes: Any) -> Regressor:
    return Regressor(NET, **{"epochs": 3, "batch_size": 8, "learning_rate": 0.05, "random_state": 0, **changes})


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=16, max_size=16))
def test_weight_zero_is_no_sequence(drawn: list[float]) -> None:
    random = np.random.default_rng(0)
    X, y, weights = random.normal(size=(20, 5)), random.normal(size=20), np.array([*drawn, 1.0, 2.0, 3.0, 4.0])
    kept = weights > 0
    whole = regressor().fit(X, y, weights).predict(X)
    part = regressor().fit(X[kept], y[kept], sample_weight=weights[kept]).predict(X)
    np.testing.assert_array_equal(whole, part)


def test_equal_weights_are_none() -> None:
    random = np.random.default_rng(1)
    X, y = random.normal(size=(20, 5)), random.normal(size=20)
    plain = regressor().fit(X, y).predict(X)
    np.testing.assert_allclose(regressor().fit(X, y, np.full(20, 7.0)).predict(X), plain, rtol=1e-4)
    assert not np.allclose(regressor().fit(X, y, np.linspace(0.1, 3, 20)).predict(X), plain)


def test_the_heavier_truth_wins_where_two_contradict() -> None:
    X = np.repeat([[0.0, 1.0], [1.0, 0.0]], 20, axis=0)
    y = np.arange(40) % 2
    model = Classifier(NET, epochs=200, batch_size=40, learning_rate=0.05, random_state=0)
    for heavy in (0, 1):
        probability = model.fit(X, y, np.where(y == heavy, 9.0, 1.0)).predict_proba(X)
        np.testing.assert_allclose(probability[:, heavy], 0.9, atol=0.01)  # the loss's minimum: 9 / (9 + 1)


def test_weights_belong_to_the_sequences_of_the_training_part() -> None:
    """The validation part is drawn from among them; its weights must not shift the others."""
    X = np.repeat([[0.0, 0.1], [1.0, 0.9]], 60, axis=0) + np.random.default_rng(0).normal(0, 0.01, (120, 2))
    y = np.tile([0.0, 1.0], 60)
    weights = np.where((X[:, 0] > 0.5) == (y > 0.5), 100.0, 0.01)
    predicted = regressor(epochs=20, valid=0.3).fit(X, y, weights).predict(X)
    assert np.abs(predicted - (X[:, 0] > 0.5)).max() < 0.2


@pytest.mark.parametrize(
    "weights, message",
    [
        (np.ones(5), "shape"),
        (np.ones((6, 1)), "shape"),
        (-np.ones(6), "[Nn]egative"),
        ([1, 1, 1, 1, 1, np.nan], "NaN"),
        (np.zeros(6), "non-zero"),
    ],
)
def test_wrong_weights_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regressor().fit(np.eye(6), np.arange(6.0), weights)


def test_the_job_refuses_weights_of_another_number() -> None:
    config = Config.parse({"task": {"name": "regress"}, "net": NET, "train": {"epochs": 1}})
    with pytest.raises(DataError, match="there are 6 sequences"):
        train(config, data=(np.eye(6), np.arange(6.0)), weights=np.ones(5))
