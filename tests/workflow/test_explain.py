"""Explanations agree with the predictions, add up in the units of the file, and refuse what is not there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tests.workflow.small import TRAIN, engines, gestures, job, prices, sales, write

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError, DataError
from unrolled.core.explanation import Explanation
from unrolled.report.terminal import explanation
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


def terminal_text(found: Explanation) -> str:
    """What the command prints, in one line."""
    console = Console(width=400, file=StringIO())
    console.print(explanation(found))
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


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
    assert found.figure == pytest.approx(values.mean(), rel=1e-5) and found.scale == "number"
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
        found = explain(bundle, data, row=row, label="yes")
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


def sensors(path: Path, rows: int = 90) -> Path:
    random = np.random.default_rng(0)
    at = np.arange(rows)
    a, b = np.sin(at / 3) + 0.05 * random.normal(size=rows), np.cos(at / 4) + 0.05 * random.normal(size=rows)
    a[60] += 4
    return write(path, ("a", "b"), zip(a.round(4), b.round(4), strict=True))


@pytest.mark.parametrize("score", ["forecast", "reconstruction"])
def test_the_score_of_a_row_is_explained(score: str, tmp_path: Path) -> None:
    data = sensors(tmp_path / "sensors.csv")
    settings: dict[str, Any] = {"data": {"path": str(data), "features": ["a", "b"], "window": 40}}
    task = {"name": "anomaly", "score": score, "warm_up": 3} | ({"horizon": 2} if score == "forecast" else {})
    trained = train(Config.parse({**settings, "task": task, "net": [{"gru": {"size": 6}}], "train": TRAIN}))
    found, table = explain(trained.bundle, data, row=61), predict(trained.bundle, data).table().columns
    assert found.scale == "score" and found.threshold == pytest.approx(table["threshold"][0])
    assert found.figure == pytest.approx(table["score"][60], rel=1e-4)
    assert found.answer == ("yes" if table["alarm"][60] else "no")
    adds_up(found)
    assert found.columns[0].name == "a"  # the one that jumped
    strongest = max(found.steps, key=lambda step: abs(sum(step.shares.values())))
    assert strongest.at == "61"
    assert "score" in terminal_text(found)
    with pytest.raises(DataError, match="one of the first 3 of its sequence"):
        explain(trained.bundle, data, row=2)
    with pytest.raises(ConfigError, match="no classes"):
        explain(trained.bundle, data, row=61, label="yes")
    with pytest.raises(ConfigError, match="no target column"):
        explain(trained.bundle, data, row=61, target="a")


@pytest.mark.parametrize("combine", ["mean", "max"])
def test_the_score_of_a_sequence_is_explained(combine: str, tmp_path: Path) -> None:
    data = {"path": str(gestures(tmp_path / "g.csv", 30)), "target": "kind"}
    task = {"name": "anomaly", "normal": ["slow"], "score": "reconstruction", "combine": combine}
    spec = [{"gru": {"size": 6}}, {"bottleneck": {"size": 2}}, {"gru": {"size": 6}}, "linear"]
    trained = train(Config.parse({"data": data, "task": task, "net": spec, "train": TRAIN}))
    found, table = explain(trained.bundle, data["path"], row=4), predict(trained.bundle, data["path"]).table().columns
    assert found.figure == pytest.approx(table["score"][3], rel=1e-4)
    adds_up(found)
    assert len(found.neighbours) >= 3
    for one in found.neighbours:
        assert one.answer == ("yes" if table["alarm"][one.row - 1] else "no")


def strings(path: Path) -> Path:
    """Up and down movements, and the string of their names."""
    random, rows = np.random.default_rng(0), []
    for at in range(60):
        names = [("up", "down")[kind] for kind in random.integers(0, 2, random.integers(1, 4))]
        steps = [0.0]
        for name in names:
            steps += [{"up": 1.0, "down": -1.0}[name]] * 3 + [0.0] * 2
        rows += [(f"s{at}", round(v + random.normal() / 10, 3), " ".join(names)) for v in steps]
    return write(path, ("id", "a", "said"), rows)


def test_a_string_of_labels_is_explained_by_its_log_probability(tmp_path: Path) -> None:
    data = {"path": str(strings(tmp_path / "s.csv")), "target": "said", "group": "id"}
    settings = {"data": data, "task": {"name": "ctc"}, "net": [{"gru": {"size": 12}}]}
    trained = train(Config.parse({**settings, "train": {"epochs": 25, "batch_size": 8, "learning_rate": 0.02}}))
    table = predict(trained.bundle, data["path"]).table().columns
    at = next(at for at, text in enumerate(table["said"]) if len(text.split()) > 1)
    found = explain(trained.bundle, data["path"], row=at + 1)
    assert found.answer == found.explained == table["said"][at] and found.scale == "log_probability"
    assert found.figure == pytest.approx(np.log(table["probability"][at]), abs=1e-4)
    adds_up(found)
    assert any(change.flips and change.answer != found.answer for change in found.changes)
    assert all(one.truth and one.answer for one in found.neighbours)
    other = explain(trained.bundle, data["path"], row=at + 1, label="up")
    assert other.explained == "up" and other.figure < found.figure
    assert "(nothing) is" in terminal_text(explain(trained.bundle, data["path"], row=at + 1, label=""))
    with pytest.raises(ConfigError, match="there is no class 'left'"):
        explain(trained.bundle, data["path"], label="up left")
    assert "logarithm of the probability" in terminal_text(found)


def test_the_sides_of_a_pair_stay_apart(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = []
    for at in range(60):
        topic = ("rain", "soup")[at % 2]
        other = topic if random.random() < 0.5 else ("rain", "soup")[1 - at % 2]
        rows.append((f"{topic} a b", f"the {other}", int(other == topic)))
    path = write(tmp_path / "p.csv", ("one", "two", "same"), rows)
    spec = [{"siamese": {"layers": [{"gru": {"size": 6}}, {"pool": {"kind": "max"}}], "join": "symmetric"}}, "linear"]
    data = {"path": str(path), "target": "same", "options": {"pair": ["one", "two"]}}
    trained = train(Config.parse({"data": data, "net": spec, "train": TRAIN}))
    found = explain(trained.bundle, path, row=2)
    adds_up(found)
    assert found.gap < 0.01 and found.tokens and {share.name for share in found.columns} == {"token"}
    assert [step.values["token"] for step in found.steps] == rows[1][0].split() + rows[1][1].split()


def test_words_that_the_model_does_not_know_are_shown_as_they_stand(tmp_path: Path) -> None:
    """The model keeps fewer categories than the file has: codes are those of the file."""
    data = texts(tmp_path / "texts.csv")
    spec = {"data": {"path": str(data), "target": "topic", "time": "place"}, "task": {"name": "classify"}}
    trained = train(Config.parse({**spec, "net": [{"gru": {"size": 4}}], "train": TRAIN}))
    new = write(
        tmp_path / "new.csv", ("id", "place", "word"), [("t", 0, "aardvark"), ("t", 1, "rain"), ("t", 2, "zoo")]
    )
    assert [step.values["word"] for step in explain(trained.bundle, new).steps] == ["aardvark", "rain", "zoo"]


def test_maps_of_columns_and_of_attention(tmp_path: Path) -> None:
    data = {"path": str(prices(tmp_path / "p.csv")), "target": "Close", "window": 8}
    net = [{"gru": {"size": 4}}, {"decoder": {"attention": "luong"}}]
    trained = train(
        Config.parse({"data": data, "task": {"name": "forecast", "horizon": 3}, "net": net, "train": TRAIN})
    )
    found = explain(trained.bundle, data["path"])
    shares, looks = found.pictures
    assert (shares.name, looks.name, looks.place) == ("share_map", "decoder_attention_map", "net 1")
    assert np.sum([sum(filter(None, row)) for row in shares.values]) == pytest.approx(
        sum(sum(step.shares.values()) for step in found.steps), rel=1e-4
    )
    assert looks.x[-1] == "2024-04-29" and np.allclose(np.sum(np.array(looks.values, float), 1), 1, atol=1e-4)
    write_explanation(found, tmp_path / "why.html", "zh")
    assert (tmp_path / "why-decoder_attention_map-net-1.svg").exists() and (tmp_path / "why-share_map.svg").exists()
    assert "每个预测步关注的位置" in (tmp_path / "why.html").read_text()


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


def test_classes_of_numbers_and_of_yes_or_no(home: Path) -> None:
    for kind in ("forecast", "regress"):
        with pytest.raises(ConfigError, match="a number has no classes"):
            explain(home / f"{kind}.unrolled", home / f"{kind}.csv", label="x")
    both = [explain(home / "failure.unrolled", home / "failure.csv", row=9, label=one) for one in ("no", "yes")]
    assert sum(found.figure for found in both) == pytest.approx(1, abs=1e-5)
    assert explain(home / "failure.unrolled", home / "failure.csv", row=9).explained == both[0].answer
    with pytest.raises(ConfigError, match="there is no class 'perhaps'"):
        explain(home / "failure.unrolled", home / "failure.csv", label="perhaps")


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
