"""Pairs as an estimator: texts, arrays, tables, labels of any type."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import cross_val_score

from unrolled import PairClassifier
from unrolled.core.errors import ConfigError, DataError

SMALL: dict[str, Any] = {"epochs": 15, "batch_size": 16, "learning_rate": 0.01, "random_state": 0}
INNER: list[Any] = [{"gru": {"size": 8}}, {"pool": {"kind": "max"}}]
NET: list[Any] = [{"siamese": {"layers": INNER, "join": "symmetric"}}, {"linear": {"hidden": [8]}}]


def waves(count: int, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    speed = random.integers(0, 2, (count, 2))
    phase = 6 * random.random((count, 2, 1))
    return np.sin(0.5 * (1 + speed[..., None]) * np.arange(16) + phase), speed[:, 0] == speed[:, 1]


def test_arrays_texts_and_lists(tmp_path: Path) -> None:
    X, y = waves(160)
    model = PairClassifier(NET, **{**SMALL, "epochs": 25}).fit(X, y)
    other, truth = waves(80, seed=1)
    assert model.score(other, truth) > 0.8 and model.n_features_in_ == 1
    assert model.predict(other).dtype.kind == "b" and model.classes_.tolist() == [False, True]
    chance = model.predict_proba(other)
    np.testing.assert_array_equal(chance.argmax(1) == 1, model.predict(other))
    couples = [(one[:, None], two[:, None]) for one, two in other]
    np.testing.assert_array_equal(model.predict_proba(couples), chance)
    model.save(tmp_path / "m")
    for again in (PairClassifier.load(tmp_path / "m"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.predict(other), model.predict(other))
        assert again.classes_.tolist() == model.classes_.tolist()
    assert cross_val_score(PairClassifier(NET, **{**SMALL, "epochs": 1}), X[:40], y[:40], cv=2).shape == (2,)


def test_a_table_of_texts() -> None:
    random = np.random.default_rng(0)
    kinds = random.integers(0, 2, (120, 2))
    texts = np.array([["red", "pink"], ["blue", "navy"]])
    frame = pl.DataFrame(
        {
            "one": [f"{texts[kind, random.integers(2)]} {at}" for at, kind in enumerate(kinds[:, 0])],
            "two": [str(texts[kind, random.integers(2)]) + f" {at}." for at, kind in enumerate(kinds[:, 1])],
            "same": np.where(kinds[:, 0] == kinds[:, 1], "yes", "no"),
        }
    )
    model = PairClassifier(**SMALL, pair=("one", "two"), similar="no").fit(frame, "same")
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(frame.drop("same"))) == {"no", "yes"}
    assert model.score(frame) == pytest.approx(np.mean(model.predict(frame) == frame["same"].to_numpy()))
    assert "tfidf" in {scores.name for scores in model.evaluation_.baselines}
    assert model.bundle_.manifest.settings["decoding"]["classes"] == ["yes", "no"]


TEXTS = [("a b", "c"), ("b", "a c")] * 4
LABELS = [0, 1] * 4


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], [], "there is no pair"),
        (["ab", "cd"], [0, 1], "pair 0: it is no pair"),
        ([("a", "b"), ("a",)] * 4, LABELS, "pair 1: it is no pair"),
        ([("a", "b"), ("", "b")] * 4, LABELS, "there is no text"),
        (TEXTS, [0] * 8, "nothing to predict"),
        (TEXTS, [0, 1, 2, 0, 1, 2, 0, 1], "two labels"),
        (TEXTS, [0, 1], "inconsistent numbers of samples"),
        (np.zeros((8, 3, 5)), LABELS, "it is no pair"),
        ([(np.zeros((3, 1)), np.zeros((3, 2)))] * 8, LABELS, "no pairs, or their columns differ"),
        ([(np.zeros((3, 1)), ["a"])] * 8, LABELS, "real numbers"),
    ],
)
def test_what_it_cannot_learn_from(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PairClassifier(**{**SMALL, "epochs": 1}).fit(X, y)


def test_what_it_cannot_predict() -> None:
    model = PairClassifier(**{**SMALL, "epochs": 1}).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="X holds numbers, and PairClassifier was fitted on words"):
        model.predict(np.zeros((4, 2, 5)))
    with pytest.raises(DataError, match="there is no text"):
        model.predict([("a", "   ")])
    with pytest.raises(ConfigError, match="no pair has the label"):
        PairClassifier(**{**SMALL, "epochs": 1}, similar="maybe").fit(TEXTS, LABELS)
