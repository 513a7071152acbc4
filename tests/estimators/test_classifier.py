"""Classifier: forms of X, types of labels, tables, settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unrolled import Classifier
from unrolled.core.errors import ConfigError, DataError

Array = npt.NDArray[Any]
NET = [{"gru": {"size": 6}}]


def small(**changes: Any) -> Classifier:
    return Classifier(
        **{"net": NET, "epochs": 12, "batch_size": 8, "learning_rate": 0.05, "random_state": 0, **changes}
    )


def ramps(count: int, steps: int = 8, seed: int = 0) -> tuple[Array, Array]:
    """Noisy lines that fall (0), stay (1) and rise (2)."""
    kind = np.arange(count) % 3
    noise = np.random.default_rng(seed).normal(0, 0.1, (count, steps))
    return (kind[:, None] - 1) * np.linspace(0, 1, steps) + noise, kind


@pytest.mark.parametrize(
    "labels",
    [
        np.array([-1, 0, 7]),
        np.array([10, 9, 100]),
        np.array(["9", "10", "x"]),
        np.array(["10", "9", "100"]),
        np.array(["b", "a", "ü"], dtype=object),
        np.array([2.0, -1.0, 7.0]),
        np.array([3, 1, 2], dtype=np.uint8),
    ],
    ids=str,
)
def test_labels_come_back_as_they_were(labels: Array) -> None:
    X, kind = ramps(30)
    y = labels[kind]
    model = small().fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    predicted, probability = model.predict(X), model.predict_proba(X)
    np.testing.assert_array_equal(predicted, y)
    assert predicted.dtype.kind == {"O": "U", "u": "i"}.get(labels.dtype.kind, labels.dtype.kind)
    np.testing.assert_array_equal(model.classes_[probability.argmax(1)], y)
    np.testing.assert_allclose(probability.sum(1), 1)
    assert model.predict_table(X)["y"].to_list() == y.tolist()


def test_true_and_false_stay_so() -> None:
    X, kind = ramps(30)
    model = small().fit(X, kind == 2)
    assert model.classes_.tolist() == [False, True]
    np.testing.assert_array_equal(model.predict(X), kind == 2)


def test_every_form_of_sequences_is_the_same_job() -> None:
    X, y = ramps(24)
    forms = (X[:, :, None], list(X), [case[:, None] for case in X], pl.DataFrame(X), X.tolist())
    expected = small().fit(X, y).predict_proba(X)
    for form in forms:
        model = small().fit(form, y)
        np.testing.assert_array_equal(model.predict_proba(form), expected)


def test_sequences_of_many_lengths_and_channels() -> None:
    random = np.random.default_rng(0)
    y = [0, 1] * 10
    X = [random.normal(size=(5 + at, 2)) * 0.1 + [0, kind] for at, kind in enumerate(y)]
    model = small().fit(X, y)
    assert model.n_features_in_ == 2
    assert model.score(X, y) == 1
    one_by_one = [model.predict_proba([case])[0] for case in X]
    np.testing.assert_allclose(one_by_one, model.predict_proba(X), rtol=1e-4)
    with pytest.raises(ValueError, match="X has 1 features, but Classifier is expecting 2 features as input"):
        model.predict([case[:, :1] for case in X])


def test_sequences_of_pieces() -> None:
    """Three beats each; what differs is the length of the second one."""
    random = np.random.default_rng(0)
    y = np.arange(40) % 2
    pieces = [[random.normal(0, 0.1, (steps, 2)) + 1 for steps in (4, 3 + 4 * kind, 3 + 4 * (1 - kind))] for kind in y]
    padded = np.full((40, 3, 7, 2), np.nan)
    for case, several in enumerate(pieces):
        for at, piece in enumerate(several):
            padded[case, at, : len(piece)] = piece
    net = [{"pieces": {"column": 2, "layers": [{"gru": {"size": 6}}]}}, {"gru": {"size": 6}}]
    model = small(net=net, epochs=30).fit(padded, y)
    assert model.n_features_in_ == 3
    assert model.score(padded, y) == 1
    np.testing.assert_array_equal(model.predict_proba(pieces), model.predict_proba(padded))
    np.testing.assert_allclose(model.predict_proba(pieces[:1]), model.predict_proba(pieces)[:1], rtol=1e-4)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[np.zeros((3, 2)), np.zeros((3, 1))], [np.zeros((3, 2))]], r"X, sequence 0: its pieces have the shapes"),
        (np.full((2, 2, 3, 1), np.nan), "X, sequence 0: it has no steps"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        small().fit(X, [0, 1])


def test_missing_values_are_taken() -> None:
    X, y = ramps(30)
    X[::4, 3] = np.nan
    model = small().fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert model.score(X, y) > 0.9


def test_several_labels() -> None:
    X, kind = ramps(30)
    y = np.stack([kind > 0, kind > 1], axis=1).astype(int)
    model = small().fit(X, y)
    assert [labels.tolist() for labels in model.classes_] == [[0, 1], [0, 1]]
    np.testing.assert_array_equal(model.predict(X), y)
    for at, probability in enumerate(model.predict_proba(X)):
        np.testing.assert_array_equal(probability.argmax(1), y[:, at])
    assert model.score(X, y) == 1


def beats(seed: int = 0) -> pl.DataFrame:
    """Twelve sequences of rows, with a label in words and one in numbers."""
    X, kind = ramps(12, seed=seed)
    count, steps = X.shape
    return pl.DataFrame(
        {
            "case": np.repeat([f"c{at}" for at in range(count)], steps),
            "time": np.tile(np.arange(steps), count),
            "volts": X.ravel(),
            "word": np.repeat(np.array(["fall", "stay", "rise"])[kind], steps),
            "number": np.repeat(np.array([5, 1, 3])[kind], steps),
        }
    )


@pytest.mark.parametrize("target", ["word", "number"])
def test_a_table_of_rows(target: str, tmp_path: Path) -> None:
    frame = beats().drop({"word", "number"} - {target})
    settings = {"data": {"group": "case", "time": "time"}}
    truth = frame.group_by("case", maintain_order=True).first()[target].to_list()
    model = small(epochs=20, settings=settings).fit(frame, target)
    assert model.classes_.tolist() == sorted(set(truth))
    assert model.predict(frame.drop(target)).tolist() == truth
    assert model.score(frame) == model.score(frame, target) == 1
    table = model.predict_table(frame)
    assert table["id"].to_list() == [f"c{at}" for at in range(12)]
    assert table[target].to_list() == truth
    frame.write_csv(tmp_path / "beats.csv")
    again = small(epochs=20, settings=settings).fit(tmp_path / "beats.csv", target)
    np.testing.assert_array_equal(again.predict_proba(tmp_path / "beats.csv"), model.predict_proba(frame))
    for call in (small(settings=settings).fit, model.score):
        with pytest.raises(ConfigError, match="sample weights"):
            call(frame, target, np.ones(12))


def test_score_of_a_table_is_accuracy() -> None:
    frame, other = beats(), beats(seed=1)
    model = small(epochs=1, settings={"data": {"group": "case", "ignore": ["number"]}}).fit(frame, "word")
    truth = other.group_by("case", maintain_order=True).first()["word"].to_list()
    assert model.score(other, "word") == pytest.approx(accuracy_score(truth, model.predict(other)))


def test_tools_of_scikit_learn_work_with_it() -> None:
    X, y = ramps(30)
    assert cross_val_score(small(), X, y, cv=3).min() > 0.9
    search = GridSearchCV(small(), {"epochs": [1, 12], "net": [NET, "classify"]}, cv=2).fit(X, y)
    assert set(search.best_params_) == {"epochs", "net"}
    assert make_pipeline(StandardScaler(), small()).fit(X, y).score(X, y) > 0.9


def test_arguments_go_before_settings() -> None:
    X, y = ramps(30)
    settings = {"train": {"epochs": 9, "clip_norm": None, "patience": None}, "seed": 7}
    model = small(epochs=2, random_state=None, settings=settings).fit(X, y)
    assert model.run_.config["train"]["epochs"] == 2
    assert model.run_.config["train"]["clip_norm"] is None
    assert model.run_.config["seed"] == 7
    assert small(epochs=None, settings=settings).fit(X, y).run_.config["train"]["epochs"] == 9
    same = small(epochs=2, random_state=7, settings={"train": {"clip_norm": None, "patience": None}}).fit(X, y)
    np.testing.assert_array_equal(same.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"settings": {"train": {"epoch": 3}}}, "epochs"),
        ({"settings": {"trian": {}}}, "train"),
        ({"settings": {"task": {"name": "regress"}}}, "'regress' here, and 'classify' by the estimator"),
        ({"net": 3.0}, "int|float is no net"),
        ({"net": [{"gur": {}}]}, "Did you mean 'gru' or 'mgu'"),
        ({"epochs": 0}, "epochs"),
        ({"random_state": -1}, "seed"),
    ],
)
def test_wrong_arguments_are_named_when_fitting(changes: dict[str, Any], message: str) -> None:
    model = small(**changes)
    with pytest.raises(ConfigError, match=message):
        model.fit(*ramps(12))


@pytest.mark.parametrize(
    "X, y, message",
    [
        (np.zeros((4, 0, 1)), [0, 1, 0, 1], "."),
        ([np.ones(3), np.ones(0)], [0, 1], "sequence 1: it has no steps"),
        ([np.ones((3, 1)), np.ones((3, 2))], [0, 1], "sequence 1"),
        (np.eye(4), [0, 1, 0], "inconsistent numbers of samples"),
        (np.eye(4), None, "requires y"),
        (np.eye(4), "label", "requires y"),
        (np.eye(4), ["a|b", "c", "a|b", "c"], "several labels"),
        (np.eye(4), [1, 1, 1, 1], "one class only"),
        (np.eye(4), [0.1, 0.2, 0.3, 0.4], "Unknown label type"),
        (np.full((4, 3), np.inf), [0, 1, 0, 1], "infinity"),
        ([np.array([1.0, np.inf]), np.ones(2)], [0, 1], "infinite"),
        ([[1, 2], [3]], [0, 1], "inhomogeneous"),
    ],
)
def test_wrong_data_is_refused(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small().fit(X, y)


def test_few_sequences_are_all_learnt_from() -> None:
    X, y = ramps(90)
    assert small(epochs=1).fit(X, y).run_.data.parts == {"train": 90}
    assert small(epochs=1, valid=0.2).fit(X, y).run_.data.parts == {"train": 72, "valid": 18}
    told = {"data": {"split": {"valid": 0.1, "test": 0.5}}}
    assert small(epochs=1, settings=told).fit(X, y).run_.data.parts == {"train": 36, "valid": 9, "test": 45}
    X, y = ramps(600)
    assert small(epochs=1).fit(X, y).run_.data.parts == {"train": 510, "valid": 90}


def test_the_evaluation_is_that_of_the_held_part() -> None:
    X, y = ramps(90)
    evaluation = small(valid=0.2).fit(X, y).evaluation_
    assert (evaluation.part, evaluation.count) == ("valid", 18)
    assert {scores.name for scores in evaluation.baselines} == {"majority"}
    settings = {"data": {"split": {"test": 0.5}}}
    assert small(epochs=1, settings=settings).fit(X, y).evaluation_.part == "test"


def test_a_single_sequence_is_no_sample_to_learn_from() -> None:
    with pytest.raises(DataError, match="1 sample"):
        small().fit([np.ones(3)], [0])
