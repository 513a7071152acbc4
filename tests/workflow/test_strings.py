"""Strings of labels from a file to answers: train, bundle, predict, evaluate, report; and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.workflow.small import write

from unrolled.core.errors import ConfigError, DataError, UnrolledError
from unrolled.core.records import ConfusionPicture
from unrolled.prepare.read import read
from unrolled.report.html import render
from unrolled.runtime import Predictor
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import evaluate_bundle
from unrolled.workflow.predict import predict
from unrolled.workflow.train import Trained, train

_SHAPES = {"up": (1, 0), "down": (-1, 0), "side": (0, 1)}


def _gestures(path: Path, count: int, seed: int, between: str = "") -> Path:
    """One to four gestures with rests between them, and the string of their names, or of their first letters."""
    random = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    for s in range(count):
        names = [list(_SHAPES)[at] for at in random.integers(0, 3, random.integers(1, 5))]
        steps = [(0, 0)] * 2
        for name in names:
            steps += [_SHAPES[name]] * int(random.integers(3, 6)) + [(0, 0)] * int(random.integers(2, 4))
        text = between.join(names if between else [name[0] for name in names])
        noisy = np.array(steps) + random.normal(0, 0.1, (len(steps), 2))
        rows += [(f"s{s}", a.round(3), b.round(3), text) for a, b in noisy]
    return write(path, ("id", "a", "b", "said"), rows)


def _config(path: Path, **data: Any) -> Config:
    return Config.parse(
        {
            "data": {"path": str(path), "target": "said", "group": "id", **data},
            "task": {"name": "ctc", "beam": 3},
            "net": [{"conv": {"channels": 16, "stride": 2}}, {"gru": {"size": 16, "bidirectional": True}}],
            "train": {"epochs": 15, "learning_rate": 0.02, "batch_size": 8, "monitor": "loss"},
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("strings")
    _gestures(folder / "test.csv", 40, 1, " ")
    return train(_config(_gestures(folder / "train.csv", 120, 0, " ")), folder=folder / "run"), folder


def test_strings_are_learnt_and_judged(trained: tuple[Trained, Path]) -> None:
    run = trained[0].run
    assert run.evaluation.model.metrics[0].name == "label_error_rate"
    assert run.evaluation.model["label_error_rate"].value < 0.1 and run.evaluation.verdict.code == "beats_baseline"
    (baseline,) = run.evaluation.baselines
    assert baseline.name == "median_string" and 0.5 < baseline["label_error_rate"].value < 1
    low, high = baseline["label_error_rate"].low, baseline["label_error_rate"].high
    assert low is not None and high is not None and low < baseline["label_error_rate"].value < high
    assert [column["categories"] for column in run.data.columns if column["name"] == "said"] == [3]


def test_they_come_back_as_they_were_written(trained: tuple[Trained, Path]) -> None:
    folder = trained[1]
    found = predict(folder / "run", folder / "test.csv")
    table = found.table().columns
    truth = dict(line.split(",")[::3] for line in (folder / "test.csv").read_text().splitlines()[1:])
    assert list(table) == ["id", "said", "probability"] and table["id"].tolist() == list(truth)
    right = np.array([truth[name] == said for name, said in zip(table["id"], table["said"], strict=True)])
    assert right.mean() > 0.8 and ((table["probability"] > 0) & (table["probability"] <= 1)).all()
    judged = evaluate_bundle(trained[0].bundle, folder / "test.csv").model
    assert judged["exact_match"].value == pytest.approx(right.mean())


def test_the_plan_gives_the_strings_of_the_net_and_needs_no_torch(trained: tuple[Trained, Path]) -> None:
    model, folder = trained[0].model, trained[1]
    one = predict(trained[0].bundle, folder / "test.csv").answer
    other = model.predictor.predict(folder / "test.csv").answer
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_allclose(one.probability, other.probability, rtol=1e-3, atol=1e-6)  # type: ignore[arg-type]
    code = (
        "import sys; from unrolled.workflow.predict import predict; "
        "found = predict(*sys.argv[1:]); assert len(found.answer) == 40 and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(folder / "run"), str(folder / "test.csv")], check=True)


def test_each_string_is_the_same_alone_and_among_others(trained: tuple[Trained, Path]) -> None:
    predictor, folder = Predictor(trained[0].bundle), trained[1]
    series = predictor.series(folder / "test.csv")
    together = predictor.predict(series).table().columns
    lines = (folder / "test.csv").read_text().splitlines()
    for at in (0, 7, 39):
        own = [line for line in lines if line.startswith(f"s{at},")]
        (folder / "one.csv").write_text("\n".join([lines[0], *own]) + "\n")
        alone = predictor.predict(folder / "one.csv").table().columns
        assert alone["said"][0] == together["said"][at]
        assert alone["probability"][0] == pytest.approx(together["probability"][at], rel=1e-4)


def test_the_width_of_the_beam_can_be_chosen_when_predicting(trained: tuple[Trained, Path]) -> None:
    folder = trained[1]
    assert Predictor(trained[0].bundle).settings.decoding.width == 3  # type: ignore[union-attr]
    greedy = predict(folder / "run", folder / "test.csv", beam=1).answer
    wide = predict(folder / "run", folder / "test.csv", beam=20).answer
    assert greedy.probability is not None and wide.probability is not None
    assert (wide.probability >= greedy.probability - 1e-12).all()
    with pytest.raises(ConfigError, match="at least 1"):
        predict(folder / "run", folder / "test.csv", beam=0)


def test_the_report_shows_which_label_is_taken_for_which(trained: tuple[Trained, Path]) -> None:
    run = trained[0].run
    (picture,) = run.evaluation.pictures
    assert isinstance(picture, ConfusionPicture) and picture.classes == ("down", "side", "up", "-")
    counts = np.array(picture.counts)
    assert np.trace(counts) / counts.sum() > 0.9 and counts[3, 3] == 0
    for language, words in (("en", ("Label error rate", "Median string")), ("zh", ("标签错误率", "中位串"))):
        assert all(word in render(run, language) for word in words)  # type: ignore[arg-type]


def test_letters_and_words_are_told_apart(tmp_path: Path) -> None:
    config = _config(_gestures(tmp_path / "a.csv", 30, 3)).over({"train": {"epochs": 1}})
    schema = train(config).model.preprocessor.schema
    (target,) = schema.of_role("target")
    assert target.kind == "characters" and target.categories == ("d", "s", "u")
    with pytest.raises(ConfigError, match="each string in 'said' is one label"):
        train(config.over({"data": {"spelling": "words"}}))


@pytest.mark.parametrize("form", ["frame", "jsonl", "parquet"])
def test_a_list_of_labels_is_a_string_of_words(trained: tuple[Trained, Path], form: str) -> None:
    folder = trained[1]
    frame = pl.read_csv(folder / "test.csv").with_columns(pl.col("said").str.split(" "))
    given: Any = frame if form == "frame" else folder / f"lists.{form}"
    if form == "jsonl":
        frame.write_ndjson(given)
    if form == "parquet":
        frame.write_parquet(given)
    of_lists, of_texts = (evaluate_bundle(trained[0].bundle, data).model for data in (given, folder / "test.csv"))
    assert of_lists == of_texts


def _changed(path: Path, change: Any) -> Path:
    lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    path.write_text("\n".join([lines[0], *(",".join(change(row)) for row in cells)]) + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: [*row[:3], "12"], "numbers.*--categorical said"),
        (lambda row: [*row[:3], "ab" if float(row[1]) > 0 else "ba"], "changes from row to row"),
        (lambda row: [*row[:3], "u" * 60 if row[0] == "s4" else row[3]], "sequence 's4'.*60 labels"),
    ],
)
def test_strings_that_cannot_be_learnt_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = _changed(_gestures(tmp_path / "bad.csv", 20, 5), change)
    with pytest.raises(UnrolledError, match=f"(?s){message}"):
        train(_config(path, split={"valid": 0, "test": 0}))


def test_a_string_without_a_label_is_refused(tmp_path: Path) -> None:
    path = _gestures(tmp_path / "some.csv", 20, 5)
    table = read(path)
    table.columns["said"][table.columns["id"] == "s4"] = " "  # files and frames count it as missing
    with pytest.raises(DataError, match=r"sequence 's4'.*is empty"):
        train(_config(path, split={"valid": 0, "test": 0}), data=table)


def test_sequences_without_a_string_are_passed_over(tmp_path: Path) -> None:
    path = _changed(_gestures(tmp_path / "some.csv", 20, 5), lambda row: [*row[:3], "" if row[0] < "s14" else row[3]])
    run = train(_config(path, split={"valid": 0, "test": 0}).over({"train": {"epochs": 1}})).run
    assert run.evaluation.count == 14


def test_an_unknown_label_in_an_evaluation_is_named(trained: tuple[Trained, Path]) -> None:
    path = _changed(_gestures(trained[1] / "new.csv", 3, 6, " "), lambda row: [*row[:3], f"{row[3]} left"])
    with pytest.raises(DataError, match=r"sequence 's0'.*does not know the label 'left'"):
        evaluate_bundle(trained[0].bundle, path)
    assert len(predict(trained[0].bundle, path).answer) == 3
