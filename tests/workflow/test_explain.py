"""Explanations agree with the predictions, add up in the units of the file, and refuse what is not there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.small import TRAIN, engines, gestures, job, prices, sales, write

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError, DataError
from unrolled.core.explanation import Explanation
from unrolled.workflow.config import Config
from unrolled.workflow.explain import explain, write_explanation
from unrolled.workflow.predict import predict
from unrolled.workflow.train import train

KINDS = ("forecast", "classify", "regress", "failure")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle of each task and its file."""
    folder = tmp_path_factory.mktemp("explained")
    for kind in KINDS:
        job(kind, folder, train={"epochs": 3}).bundle.write(folder / f"{kind}.unrolled")
    return folder


def adds_up(found: Explanation) -> None:
    """All shares together, and those of the steps together, make the difference from an average row."""
    total, size = sum(share.share for share in found.columns), sum(abs(share.share) for share in found.columns)
    assert abs(total - (found.figure - found.rest)) <= 2e-3 * max(size, abs(found.figure)) + 1e-9
    names = {share.name for share in found.columns}
    assert all(set(step.shares) <= names for step in found.steps)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shares_add_up(kind: str, home: Path) -> None:
    adds_up(explain(home / f"{kind}.unrolled", home / f"{kind}.csv", row=3))


def test_the_answer_is_that_of_predict(home: Path) -> None:
    found = explain(home / "classify.unrolled", home / "classify.csv", row=5)
    table = predict(home / "classify.unrolled", home / "classify.csv").table().columns
    assert (found.id, found.answer) == (table["id"][4], table["kind"][4])
    assert found.figure == pytest.approx(table[f"kind_probability_{found.answer}"][4], abs=1e-5)
    other = explain(home / "classify.unrolled", home / "classify.csv", row=5, label="slow")
    assert other.figure == pytest.approx(table["kind_probability_slow"][4], abs=1e-5)
    assert [step.at for step in found.steps[:3]] == ["0", "1", "2"]  # the time column of the file
    assert len(found.neighbours) >= 3 and all(one.row != 5 for one in found.neighbours)


def test_a_forecast_in_its_units_and_by_step(home: Path) -> None:
    bundle, data = home / "forecast.unrolled", home / "forecast.csv"
    values = predict(bundle, data).table().columns["Close"]
    found = explain(bundle, data)
    assert found.figure == pytest.approx(values.mean(), rel=1e-5) and not found.probability
    assert explain(bundle, data, step=2).figure == pytest.approx(values[1], rel=1e-5)
    assert found.at == "2024-04-29T00:00:00" and len(found.steps) == 8
    rows = [line.split(",") for line in data.read_text().splitlines()[1:]]
    assert [float(step.values["Close"]) for step in found.steps] == pytest.approx(
        [float(row[2]) for row in rows[-8:]], rel=1e-4
    )


def test_rows_count_as_predict_lists_them(home: Path) -> None:
    bundle, data = home / "failure.unrolled", home / "failure.csv"
    table = predict(bundle, data, which="all").table().columns
    for row in (1, 17, len(table["id"])):
        found = explain(bundle, data, row=row)
        assert (found.id, found.at) == (table["id"][row - 1], f"{table['time'][row - 1]:g}")
        assert found.figure == pytest.approx(table["probability"][row - 1], abs=1e-5)
    assert explain(bundle, data).row == len(table["id"])


def test_known_columns_take_part(tmp_path: Path) -> None:
    data = {"path": str(sales(tmp_path / "sales.csv")), "target": "sales", "known": ["promotion"], "window": 8}
    settings = {"data": data, "task": {"name": "forecast", "horizon": 3}, "net": [{"gru": {"size": 4}}, "linear"]}
    trained = train(Config.parse({**settings, "train": TRAIN}))
    found = explain(trained.bundle, data["path"])
    adds_up(found)
    assert {"sales", "promotion", "weather"} <= {share.name for share in found.columns}
    assert found.steps[0].values["weather"] in ("sun", "rain", "snow")


def test_a_static_column_held_changes_the_answer(home: Path) -> None:
    found = explain(home / "regress.unrolled", home / "regress.csv", row=2)
    assert "city" in {share.name for share in found.columns}
    held = {change.name: change for change in found.changes if change.name}
    assert "city" in held and held["city"].figure != found.figure


def texts(path: Path) -> Path:
    """Short texts about weather or food, one word a row."""
    random = np.random.default_rng(0)
    words: dict[str, Sequence[str]] = {"weather": ("rain", "sun", "wind"), "food": ("bread", "soup", "rice")}
    rows: list[tuple[object, ...]] = []
    for at in range(60):
        kind = ("weather", "food")[at % 2]
        filler = ["the", "a", "is", "now"]
        text = [*random.permutation(filler)[:3], random.choice(words[kind])]
        rows += [(f"t{at}", place, word, kind) for place, word in enumerate(random.permutation(text))]
    return write(path, ("id", "place", "word", "topic"), rows)


def test_the_word_that_decides_has_the_largest_share(tmp_path: Path) -> None:
    data = texts(tmp_path / "texts.csv")
    reading = {"path": str(data), "target": "topic", "time": "place"}
    settings: dict[str, Any] = {"data": reading, "task": {"name": "classify"}}
    spec = [{"gru": {"size": 8}}, {"attention": {}}, "linear"]
    trained = train(Config.parse({**settings, "net": spec, "train": {"epochs": 40, "learning_rate": 0.01}}))
    found = explain(trained.bundle, data, row=2)
    adds_up(found)
    assert found.tokens and found.answer == "food"
    totals = {step.values["word"]: sum(step.shares.values()) for step in found.steps}
    assert max(totals, key=lambda word: totals[word]) in ("bread", "soup", "rice")
    assert sum(step.attention or 0 for step in found.steps) == pytest.approx(1, abs=1e-5)
    change = found.changes[0]
    assert change.flips and found.steps[change.begin - 1].values["word"] in ("bread", "soup", "rice")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"row": 500}, "the data has the answers 1 to 24"),
        ({"target": "colour"}, "there is no target 'colour'"),
        ({"label": "medium"}, "there is no class 'medium'"),
        ({"step": 2}, "only a forecast has steps"),
    ],
)
def test_what_is_not_there(options: dict[str, Any], said: str, home: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        explain(home / "classify.unrolled", home / "classify.csv", **options)


def test_a_step_beyond_the_horizon_and_a_file_too_short(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="steps 1 to 3"):
        explain(home / "forecast.unrolled", home / "forecast.csv", step=4)
    with pytest.raises(DataError, match="looks back on 8 rows"):
        explain(home / "forecast.unrolled", prices(tmp_path / "short.csv", rows=5))


def test_a_net_of_ones_own_is_refused(home: Path) -> None:
    bundle = Bundle.read(home / "classify.unrolled")
    own = Bundle(manifest=bundle.manifest.model_copy(update={"net": None}), weights=bundle.weights)
    with pytest.raises(ConfigError, match="a module of your own"):
        explain(own, gestures(home / "again.csv"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_files(language: Any, home: Path, tmp_path: Path) -> None:
    found = explain(home / "failure.unrolled", engines(tmp_path / "e.csv"), row=30)
    page = write_explanation(found, tmp_path / "why.html", language)
    assert ("为什么" in page.read_text() or "各输入的贡献" in page.read_text()) == (language == "zh")
    assert Explanation.model_validate(json.loads((tmp_path / "why.json").read_text())) == found
    assert (tmp_path / "why-steps.svg").read_text().startswith("<svg")
