"""The tagger: words and numbers, labels of any type, holes, tables, bundles."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone

from unrolled import Classifier, Tagger
from unrolled.core.errors import BundleError

SMALL: dict[str, Any] = {"net": [{"gru": {"size": 8}}], "epochs": 15, "learning_rate": 0.03, "random_state": 0}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 9, 2))
Y = np.where(np.cumsum(X[:, :, 0], axis=1) > 0, 7, -7)


@pytest.fixture(scope="module")
def fitted() -> Tagger:
    return Tagger(**SMALL).fit(X, Y)


def test_labels_of_steps_in_their_own_type(fitted: Tagger) -> None:
    said = fitted.predict(X)
    assert said.shape == (60, 9) and said.dtype.kind == "i" and fitted.classes_.tolist() == [-7, 7]
    assert fitted.score(X, Y) == pytest.approx(np.mean(said == Y)) and fitted.score(X, Y) > 0.85
    chance = fitted.predict_proba(X)
    assert chance.shape == (60, 9, 2)
    np.testing.assert_array_equal(fitted.classes_[chance.argmax(-1)], said)
    assert fitted.predict_table(X).columns == ["id", "time", "y", "y_probability_-7", "y_probability_7"]


def test_sequences_of_many_lengths(fitted: Tagger) -> None:
    lengths = RANDOM.integers(1, 10, 60)
    cases = [x[:length] for x, length in zip(X, lengths, strict=True)]
    tags = [y[:length].tolist() for y, length in zip(Y, lengths, strict=True)]
    model = clone(fitted).fit(cases, tags)
    said = model.predict(cases)
    assert [len(part) for part in said] == lengths.tolist() and model.n_features_in_ == 2
    right = [one == other for own, truth in zip(said, tags, strict=True) for one, other in zip(own, truth, strict=True)]
    assert model.score(cases, tags) == pytest.approx(np.mean(right))
    assert [part.shape for part in model.predict_proba(cases)] == [(length, 2) for length in lengths]


def test_steps_without_a_label_count_nowhere() -> None:
    hidden = RANDOM.random(Y.shape) < 0.5
    wrong = np.where(hidden, -Y, Y).astype(float)
    holes = np.where(hidden, np.nan, Y)
    with_holes = Tagger(**SMALL).fit(X, holes)
    assert with_holes.classes_.tolist() == [-7.0, 7.0]
    assert with_holes.score(X, Y) > 0.8 > Tagger(**SMALL).fit(X, wrong).score(X, Y)
    known = with_holes.predict(X)[~hidden] == Y[~hidden]
    assert with_holes.score(X, holes) == pytest.approx(known.mean())


def test_saved_loaded_pickled(fitted: Tagger, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m")
    for other in (Tagger.load(tmp_path / "m"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
        np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))
    with pytest.raises(BundleError, match="'tag', Classifier is for 'classify'"):
        Classifier.load(tmp_path / "m")


def test_a_table_has_an_answer_for_each_row() -> None:
    frame = pl.DataFrame(
        {"case": np.repeat(np.arange(60), 9), "a": X[..., 0].ravel(), "b": X[..., 1].ravel(), "state": Y.ravel() > 0}
    ).with_columns(state=pl.when(pl.col("state")).then(pl.lit("up")).otherwise(pl.lit("down")))
    model = Tagger(**SMALL, settings={"data": {"group": "case"}}).fit(frame, "state")
    said = model.predict(frame.drop("state"))
    assert said.shape == (540,) and set(said) == {"up", "down"}
    assert model.score(frame) == pytest.approx(np.mean(said == frame["state"].to_numpy())) and model.score(frame) > 0.8


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:, :8], "y, sequence 0: it has 8 labels for 9 steps"),
        (X, Y[:59], "59 sequences of labels for 60"),
        (X, Y[:, 0], "no row of labels"),
        (X, None, "requires y"),
        (X, "state", "requires y"),
        (X, [[None] * 9] * 60, "no step has a label"),
        (X, np.ones((60, 9)), "one label a sequence"),
        (X, [["a|b"] * 9] * 60, "a|b"),
        (X[:0], Y[:0], "0 sample"),
        ([["a", "b"], ["a", None]], [["x", "y"], ["x", "y"]], "sequence 1: it is no list of words"),
        ([["a", "b"], []], [["x", "y"], []], "sequence 1: it has no steps"),
    ],
)
def test_what_it_cannot_learn_from(x: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tagger(**SMALL).fit(x, y)


def test_words_are_not_numbers(fitted: Tagger) -> None:
    with pytest.raises(ValueError, match="X holds words, and Tagger was fitted on numbers"):
        fitted.predict([["a", "b"]])
    words = Tagger(**{**SMALL, "epochs": 1}).fit([["a", "b"]] * 8, [["x", "y"]] * 8)
    with pytest.raises(ValueError, match="X holds numbers, and Tagger was fitted on words"):
        words.predict(X)


def test_a_classifier_reads_words_too() -> None:
    texts = [["good", "film"], ["bad"], ["a", "good", "one"], ["a", "bad", "film"]] * 10
    model = Classifier(**SMALL).fit(texts, ["+", "-", "+", "-"] * 10)
    assert model.predict([["good"], ["bad", "one"]]).tolist() == ["+", "-"]


@pytest.mark.shared
def test_slots_of_travel_requests(shared_data: Path) -> None:
    def lines(part: str, name: str, count: int) -> list[list[str]]:
        text = (shared_data / "atis" / part / name).read_text(encoding="utf-8")
        return [line.split() for line in text.splitlines()[:count]]

    model = Tagger([{"gru": {"size": 32, "bidirectional": True}}], epochs=6, learning_rate=0.01, random_state=0)
    model.fit(lines("train", "seq.in", 800), lines("train", "seq.out", 800))
    found, truth = lines("test", "seq.in", 200), lines("test", "seq.out", 200)
    assert model.score(found, truth) > 0.85
    assert "chunk_f1" in {metric.name for metric in model.evaluation_.model.metrics}
