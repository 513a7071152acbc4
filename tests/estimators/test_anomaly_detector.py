"""The detector: real recordings that it never heard stand out, and its threshold keeps what was asked of it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from unrolled import AnomalyDetector
from unrolled.core.errors import ConfigError, DataError
from unrolled.workflow.demo import shipped

SMALL: dict[str, Any] = {"net": [{"gru": {"size": 16}}], "epochs": 10, "learning_rate": 0.01, "random_state": 0}
WAVE = np.sin(np.arange(400) / 4) + np.random.default_rng(0).normal(0, 0.05, 400)


def spoken(part: str, *digits: str) -> list[Any]:
    with np.load(shipped(f"digits_{part}.npz")) as archive:
        sequences = np.split(archive["values"].astype(np.float32), archive["starts"][1:-1])
        return [x for x, label in zip(sequences, archive["y"], strict=True) if label in digits]


def test_other_digits_stand_out() -> None:
    model = AnomalyDetector(**SMALL).fit(spoken("train", "0"))
    usual, other = spoken("test", "0"), spoken("test", "6", "8")
    found = model.score_samples(usual + other)
    assert model.n_features_in_ == 20
    assert roc_auc_score([1] * len(usual) + [0] * len(other), found) > 0.8
    np.testing.assert_array_equal(model.predict(usual + other), np.where(found < model.offset_, -1, 1))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(usual + other), found - model.offset_)


def test_the_threshold_lets_the_share_through_that_was_asked() -> None:
    X = np.stack([WAVE[at : at + 30] for at in range(0, 370, 3)])
    for share in (0.05, 0.3):
        model = AnomalyDetector(**{**SMALL, "epochs": 3}, false_alarms=share, valid=0).fit(X)
        assert np.mean(model.predict(X) == -1) == pytest.approx(share, abs=0.02)


def test_a_table_has_an_answer_for_each_row(tmp_path: Path) -> None:
    later = WAVE.copy()
    later[200:204] += 3
    model = AnomalyDetector(**SMALL).fit(pl.DataFrame({"sensor": WAVE}))
    model.save(tmp_path / "model.unrolled")
    found = AnomalyDetector.load(tmp_path / "model.unrolled").predict(pl.DataFrame({"sensor": later}))
    assert found.shape == (400,) and (found[200:204] == -1).any() and (found[:190] == 1).mean() > 0.9


def test_what_it_cannot_learn_from() -> None:
    with pytest.raises(DataError, match="at least two"):
        AnomalyDetector(**SMALL).fit(WAVE[None, :20])
    with pytest.raises(ConfigError, match="false_alarms"):
        AnomalyDetector(**SMALL, false_alarms=2.0).fit(WAVE.reshape(20, 20))
