"""Pairs of texts and of sensor windows, from a file to a verdict and predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import ConfigError, DataError
from unrolled.runtime import Predictor
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import evaluate_bundle
from unrolled.workflow.train import Trained, train

TRAIN: dict[str, Any] = {"epochs": 6, "batch_size": 16, "learning_rate": 0.02}
INNER: list[Any] = [{"gru": {"size": 8}}, {"pool": {"kind": "max"}}]
NET: list[Any] = [{"siamese": {"layers": INNER, "join": "symmetric"}}, {"linear": {"hidden": [16]}}]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alike are texts about the same thing, in words of their own, so that shared words say nothing."""
    random, rows = np.random.default_rng(0), []
    for _ in range(300):
        topic, other = random.permutation(3)[:2]
        alike = int(random.random() < 0.5)
        words = [f"{'abc'[kind]}{random.integers(4)}" for kind in (topic, topic, topic if alike else other)]
        rows.append(f"{random.integers(1000)} {words[0]} {words[1]}\t{words[2]} {random.integers(1000)}\t{alike}")
    path = tmp_path_factory.mktemp("texts") / "pairs.csv"
    path.write_text("\n".join(["one\ttwo\tsame", *rows]) + "\n", encoding="utf-8")
    return path


def trained(path: Path, **changes: Any) -> Trained:
    plain = {
        "data": {"path": str(path), "options": {"pair": ["one", "two"]}},
        "net": NET,
        "train": TRAIN,
    }
    return train(Config.parse(plain).over(changes))


@pytest.fixture(scope="module")
def model(texts: Path) -> Trained:
    return trained(texts, task={"least": 3})


def test_it_learns_what_shared_words_do_not_tell(model: Trained) -> None:
    evaluation = model.run.evaluation
    rivals = {scores.name: scores["accuracy"].value for scores in evaluation.baselines}
    assert set(rivals) == {"majority", "tfidf"} and evaluation.task == "pairs"
    assert evaluation.model["accuracy"].value > max(rivals.values()) + 0.1
    token = next(column for column in model.model.preprocessor.schema.columns if column.name == "token")
    assert {word for word in token.categories if word[0] in "abc"} == {f"{k}{n}" for k in "abc" for n in range(4)}
    assert len(token.categories) < 40  # numbers that stand once or twice are unknown


def test_new_texts_need_no_label(model: Trained, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("one\ttwo\na1 a2\ta3\na1 a2\tb1 b2\nmarmalade\t你好\n", encoding="utf-8")
    table = Predictor(model.bundle).predict(str(path)).table().columns
    assert list(table) == ["id", "same", "same_probability_0", "same_probability_1"]
    assert table["same"][:2].tolist() == ["1", "0"] and table["id"].tolist() == ["1", "2", "3"]
    path.write_text("one\ttwo\na1\t\n", encoding="utf-8")
    with pytest.raises(DataError, match="there is no text"):
        Predictor(model.bundle).predict(str(path))


def test_a_bundle_is_judged_on_other_pairs(model: Trained, texts: Path) -> None:
    found = evaluate_bundle(model.bundle, str(texts))
    assert found.count == 300 and found.model["accuracy"].value > 0.8


def test_windows_of_sensors_by_a_cosine(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    speed = random.integers(0, 2, (160, 2))
    steps = np.arange(24)
    waves = np.sin(0.4 * (1 + speed[..., None]) * steps + 6 * random.random((160, 2, 1)))
    label = np.where(speed[:, 0] == speed[:, 1], "same", "different")
    np.savez(tmp_path / "waves.npz", first=waves[:, 0], second=waves[:, 1, :20], y=label)
    net = [{"siamese": {"layers": INNER, "join": "cosine"}}, "score"]
    changes = {"data": {"path": str(tmp_path / "waves.npz")}, "task": {"loss": "contrastive"}, "net": net}
    run = train(Config.parse({**changes, "train": {**TRAIN, "epochs": 12}}))
    assert [scores.name for scores in run.run.evaluation.baselines] == ["majority"]
    assert run.run.evaluation.model["average_precision"].value > 0.8


def test_what_makes_a_pair_must_be_said(texts: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not say what makes a pair\n.*--option pair="):
        train(Config.parse({"data": {"path": str(texts), "target": "same"}, "task": {"name": "pairs"}}))
    with pytest.raises(ConfigError, match=r"no column 'sane'\n.*Did you mean 'same'"):
        trained(texts, data={"target": "sane"})


def test_one_new_pair_is_not_entangled(model: Trained, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("one\ttwo\na1 a2\ta3\n", encoding="utf-8")
    notes = Predictor(model.bundle).predict(str(path)).notes
    assert "took_pairs" in {note.code for note in notes} and "pairs_entangled" not in {note.code for note in notes}


def test_its_bundle_says_which_layer_cannot_stream(model: Trained) -> None:
    with pytest.raises(ConfigError, match=r"this bundle cannot stream: net\[0\]: siamese compares"):
        Predictor(model.bundle).stream()


def test_a_net_for_pairs_is_refused_where_there_are_none(texts: Path, tmp_path: Path) -> None:
    path = tmp_path / "waves.csv"
    path.write_text("a,b\n" + "".join(f"{np.sin(at / 3):.3f},{at % 5}\n" for at in range(200)), encoding="utf-8")
    for more in ({"target": "a"}, {"target": "a", "features": ["b"]}):
        with pytest.raises(ConfigError, match="which side of a pair"):
            train(Config.parse({"data": {"path": str(path), **more}, "task": {"name": "forecast"}, "net": "pairs"}))
