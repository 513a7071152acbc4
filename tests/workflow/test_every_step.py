"""Tags and anomalies from a file to answers: train, bundle, predict, evaluate, live, report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.small import write

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import ScorePicture
from unrolled.report.html import render
from unrolled.runtime import Predictor
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import evaluate_bundle
from unrolled.workflow.predict import predict
from unrolled.workflow.train import Trained, train

_NET: list[Any] = [{"gru": {"size": 8}}]


def _words(path: Path, count: int, seed: int, extra: Sequence[tuple[str, str]] = ()) -> Path:
    """Sentences "go from CITY" and "go to CITY": the word before tells the slot of the city."""
    random = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    for sentence in range(count):
        where, city = ("from", "to")[random.integers(2)], ("york", "rome")[random.integers(2)]
        words = [*["go"] * random.integers(0, 3), where, city, *["town"] * random.integers(2)]
        slots = {"go": "O", where: "O", city: f"B-{where}", "town": f"I-{where}"}
        rows += [(f"s{sentence}", word, slots[word]) for word in words]
    rows += [("last", *pair) for pair in extra]
    return write(path, ("sentence", "word", "slot"), rows)


def _sensors(path: Path, rows: int, faults: Sequence[int], seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    at = np.arange(rows)
    a, b = np.sin(at / 3) + 0.05 * random.normal(size=rows), np.cos(at / 4) + 0.05 * random.normal(size=rows)
    fault = np.zeros(rows, dtype=int)
    for begin in faults:
        fault[begin : begin + 5] = 1
        a[begin : begin + 5] = -a[begin : begin + 5]  # as usual a number, at an unusual time
    return write(path, ("a", "b", "fault"), zip(a.round(4), b.round(4), fault, strict=True))


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("tags")
    paths = {name: str(_words(folder / f"{name}.csv", 60, seed)) for seed, name in enumerate(("path", "valid"))}
    test = _words(folder / "test.csv", 60, 2, extra=[("go", "O"), ("rome", "B-other")])
    config = {
        "data": {**paths, "test": str(test), "target": "slot", "group": "sentence"},
        "task": {"name": "tag"},
        "net": _NET,
        "train": {"epochs": 15, "learning_rate": 0.02, "batch_size": 4},
    }
    return train(Config.parse(config), folder=folder / "run"), folder


def test_tags_are_learnt_and_judged_by_chunks(tagged: tuple[Trained, Path]) -> None:
    trained, _ = tagged
    evaluation = trained.run.evaluation
    assert evaluation.model.metrics[0].name == "chunk_f1"
    assert evaluation.model["chunk_f1"].value > 0.9
    named = {scores.name: scores for scores in evaluation.baselines}
    assert named["majority"]["chunk_f1"].value == 0  # O everywhere
    assert 0.2 < named["by_input"]["chunk_f1"].value < 0.9
    assert evaluation.verdict.level == "good"
    assert evaluation.model["chunk_recall"].value < 1  # B-other stands in the test file only


def test_tags_come_back_one_row_a_step(tagged: tuple[Trained, Path]) -> None:
    trained, folder = tagged
    prediction = predict(folder / "run", folder / "test.csv")
    table = prediction.table().columns
    rows = (folder / "test.csv").read_text().splitlines()[1:]
    assert table["id"].tolist() == [row.split(",")[0] for row in rows]
    assert set(table["slot"]) == {"O", "B-from", "I-from", "B-to", "I-to"}
    truth = [row.split(",")[2] for row in rows]
    again = evaluate_bundle(trained.bundle, folder / "test.csv")
    right = np.mean([one == other for one, other in zip(table["slot"], truth, strict=True)])
    assert again.model["accuracy"].value == pytest.approx(right)
    assert again.model["accuracy"].value == pytest.approx(trained.run.evaluation.model["accuracy"].value)
    with pytest.raises(ConfigError, match="answers every row"):
        predict(folder / "run", folder / "test.csv", which="last")


def test_tags_come_row_by_row_too_whatever_the_sequence(tagged: tuple[Trained, Path]) -> None:
    trained, folder = tagged
    whole = predict(trained.bundle, folder / "test.csv")
    lines = [line.split(",") for line in (folder / "test.csv").read_text().splitlines()[1:41]]
    stream = Predictor(trained.bundle).stream()
    found = [stream.step({"sentence": sentence, "word": word}) for sentence, word, _ in lines]
    assert [one.ids[0] for one in found] == list(whole.ids[:40])
    assert whole.times is not None and whole.answer.probability is not None
    assert [one.times[0] for one in found if one.times is not None] == whole.times[:40].tolist()
    for at, one in enumerate(found):
        assert one.answer.probability is not None
        np.testing.assert_allclose(one.answer.probability[0], whole.answer.probability[at], rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module", params=["forecast", "reconstruction"])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("sensors")
    net = (
        _NET
        if request.param == "forecast"
        else [{"gru": {"size": 8}}, {"bottleneck": {"size": 4}}, {"gru": {"size": 8}}]
    )
    config = {
        "data": {
            "path": str(_sensors(folder / "train.csv", 900, [50])),
            "test": str(_sensors(folder / "test.csv", 500, [100, 200, 300, 400], seed=1)),
            "target": "fault",
        },
        "task": {"name": "anomaly", "score": request.param, "horizon": 2},
        "net": net,
        "train": {"epochs": 30, "learning_rate": 0.01, "batch_size": 4},
    }
    return train(Config.parse(config), folder=folder / "run"), folder


def test_anomalies_are_found(watched: tuple[Trained, Path]) -> None:
    trained, _ = watched
    evaluation = trained.run.evaluation
    assert evaluation.model.metrics[0].name == "average_precision"
    assert [scores.name for scores in evaluation.baselines] == ["zscore"]
    assert [note.code for note in trained.run.facts.assumptions if note.code == "took_normal"]
    if trained.model.task.settings.score == "forecast":  # type: ignore[attr-defined]
        assert evaluation.model["average_precision"].value > 3 * evaluation.baselines[0]["average_precision"].value
    assert evaluation.model["false_alarm_rate"].value < 0.1


def test_scores_come_back_one_row_a_step(watched: tuple[Trained, Path]) -> None:
    trained, folder = watched
    table = predict(folder / "run", folder / "test.csv").table().columns
    assert list(table) == ["id", "time", "score", "threshold", "alarm"] and len(table["score"]) == 500
    assert np.array_equal(table["alarm"], table["score"] > table["threshold"])
    alarms, faults = table["alarm"] == 1, np.zeros(500, dtype=bool)
    for begin in (100, 200, 300, 400):
        faults[begin : begin + 5] = True
    again = evaluate_bundle(trained.bundle, folder / "test.csv").model
    assert again["recall"].value == pytest.approx(alarms[faults].mean())
    assert again["false_alarm_rate"].value == pytest.approx(alarms[~faults].mean())


def test_the_report_shows_scores_threshold_and_alarms(watched: tuple[Trained, Path]) -> None:
    trained, _ = watched
    (picture,) = [one for one in trained.run.evaluation.pictures if isinstance(one, ScorePicture)]
    assert len(picture.score) == 500 and sum(label or False for label in picture.label) == 20
    for language, words in (("en", ("Anomaly scores", "Threshold", "Alarm")), ("zh", ("异常分数", "阈值", "报警"))):
        page = render(trained.run, language)  # type: ignore[arg-type]
        assert all(word in page for word in words)


def test_alarms_come_live_without_torch(watched: tuple[Trained, Path]) -> None:
    trained, folder = watched
    if trained.model.task.settings.score == "reconstruction":  # type: ignore[attr-defined]
        with pytest.raises(ConfigError, match="whole sequence"):
            Predictor(trained.bundle).stream()
        return
    code = """
import csv, sys
import numpy as np
from unrolled.core.bundle import Bundle
from unrolled.runtime import Predictor
predictor = Predictor(Bundle.read(sys.argv[1]))
with open(sys.argv[2]) as file:
    rows = [{"a": row["a"], "b": row["b"]} for row in csv.DictReader(file)][:200]  # one piece of the whole
whole = predictor.predict(sys.argv[2]).answer
stream = predictor.stream()
one = [stream.step(row).answer for row in rows]
stream.reset()
some = [stream.process(rows[at : at + 7]).answer for at in range(0, 200, 7)]  # chunks as they come
for answers in (one, some):
    score = np.concatenate([a.score[:, 0] for a in answers])
    np.testing.assert_allclose(score, whole.score[:200, 0], rtol=1e-3, atol=1e-4)
    assert np.concatenate([a.value[:, 0] for a in answers]).tolist() == whole.value[:200, 0].tolist()
assert 1 in whole.value[100:105, 0]
assert "torch" not in sys.modules
"""
    subprocess.run(
        [sys.executable, "-c", code, str(folder / "run/model.unrolled"), str(folder / "test.csv")], check=True
    )


def test_anomalies_need_no_labels(tmp_path: Path) -> None:
    path = _sensors(tmp_path / "plain.csv", 300, [])
    config = {
        "data": {"path": str(path), "ignore": ["fault"]},
        "task": {"name": "anomaly", "false_alarms": 0.05},
        "net": _NET,
        "train": {"epochs": 2},
    }
    trained = train(Config.parse(config))
    assert [metric.name for metric in trained.run.evaluation.model.metrics] == ["alarm_rate"]
    assert trained.run.evaluation.verdict.code == "no_comparison"


def test_one_label_a_sequence_gives_one_score_a_sequence(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = []
    for s in range(60):
        wave = np.sin(np.arange(20) / 2) * (1 if s % 5 else -1) + 0.05 * random.normal(size=20)
        rows += [(f"s{s}", value.round(4), "good" if s % 5 else "bad") for value in wave]
    path = write(tmp_path / "beats.csv", ("id", "value", "label"), rows)
    config = {
        "data": {"path": str(path), "target": "label", "group": "id", "split": {"test": 0.4}},
        "task": {"name": "anomaly"},
        "net": _NET,
        "train": {"epochs": 60, "learning_rate": 0.01},
    }
    trained = train(Config.parse(config))
    assert trained.run.evaluation.count == 24
    assert trained.run.evaluation.model["average_precision"].value > 0.9
    table = predict(trained.bundle, path).table().columns
    assert list(table) == ["id", "score", "threshold", "alarm"] and len(table["id"]) == 60
    stream = Predictor(trained.bundle).stream()
    mixed = [row for pair in zip(rows[:20], rows[20:40], strict=True) for row in pair]  # two sequences take turns
    for name, value, _ in mixed:
        found = stream.step({"id": name, "value": value})
        at = int(found.ids[0][1:])
    assert at == 1 and found.answer.score is not None
    assert found.answer.score[0, 0] == pytest.approx(table["score"][1], rel=1e-4)


def test_one_tag_a_sequence_is_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "one.csv", ("id", "x", "label"), [(s, at, "ab"[s % 2]) for s in range(8) for at in range(3)]
    )
    config = {"data": {"path": str(path), "target": "label", "group": "id"}, "task": {"name": "tag"}}
    with pytest.raises(DataError, match="--task classify"):
        train(Config.parse(config))


@pytest.mark.parametrize("task", ["tag", "anomaly", "classify"])
def test_rows_without_a_label_are_judged_nowhere(tmp_path: Path, task: str) -> None:
    """Every fourth row of the judged file has no label, or lacks one of two."""
    random = np.random.default_rng(0)
    rows = []
    for s in range(30):
        a = random.normal(size=12)
        state = np.where(np.cumsum(a) > 0, "up", "normal")
        other = np.where(a > 0, "yes", "no")
        rows += [(f"s{s}", *cells) for cells in zip(a.round(4), state, other, strict=True)]
    holes = [(s, a, "" if at % 4 == 0 else state, other) for at, (s, a, state, other) in enumerate(rows)]
    names = ("id", "a", "state", "other")
    target = ["state", "other"] if task == "classify" else ["state"]
    config = {
        "data": {
            "path": str(write(tmp_path / "train.csv", names, rows)),
            "test": str(write(tmp_path / "test.csv", names, holes)),
            "target": target,
            "ignore": [] if task == "classify" else ["other"],
            "group": "id",
            "window": 4,
        },
        "task": {"name": task},
        "net": _NET,
        "train": {"epochs": 2},
    }
    found = train(Config.parse(config)).run.evaluation.model
    assert all(metric.low is None or metric.low <= metric.value <= (metric.high or 0) for metric in found.metrics)
    assert any(metric.low is not None for metric in found.metrics)
