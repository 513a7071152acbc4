"""Recommendation from a file of clicks to a bundle, a stream of clicks and a verdict."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Evaluation
from unrolled.runtime import Predictor
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import evaluate_bundle
from unrolled.workflow.train import Trained, train

SMALL: dict[str, Any] = {"epochs": 4, "batch_size": 8, "learning_rate": 0.02}
NET: list[Any] = [{"gru": {"size": 8}}, {"items": {}}]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sessions of 1 to 8 clicks over nine items, each of which is mostly followed by the item after the next."""
    random, lines = np.random.default_rng(0), []
    for session in range(150):
        item = int(random.integers(9))
        for at in range(int(random.integers(1, 9))):
            stamp = np.datetime64("2014-04-07T10:00:00.000") + 60_000 * session + 1000 * (at // 2)  # in pairs at once
            lines.append(f"{session},{stamp}Z,{500 + item},0")
            item = (item + 2) % 9 if random.random() < 0.8 else int(random.integers(9))
    path = tmp_path_factory.mktemp("clicks") / "clicks.dat"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def trained(path: Path, **changes: Any) -> Trained:
    return train(Config.parse({"data": {"path": str(path)}, "net": NET, "train": SMALL}).over(changes))


@pytest.fixture(scope="module")
def model(clicks: Path) -> Trained:
    return trained(clicks)


def test_it_learns_and_is_judged_on_the_latest_sessions(model: Trained) -> None:
    evaluation = model.run.evaluation
    assert {scores.name for scores in evaluation.baselines} == {"popularity", "transitions"}
    assert {metric.name for metric in evaluation.model.metrics} == {"recall@5", "recall@20", "mrr@20"}
    popular = next(scores for scores in evaluation.baselines if scores.name == "popularity")
    assert evaluation.model["mrr@20"].value > popular["mrr@20"].value + 0.2
    assert "split_by_start" in {note.code for note in model.run.facts.assumptions}
    assert model.run.config["task"]["loss"] == "cross_entropy" and not model.run.data.notes
    assert [picture.kind for picture in evaluation.pictures] == ["curve"]


@pytest.mark.parametrize("loss", ["bpr_max", "top1_max"])
def test_sampled_losses_learn_too(loss: str, clicks: Path) -> None:
    evaluation = trained(clicks, task={"loss": loss, "negatives": 4}).run.evaluation
    popular = next(scores for scores in evaluation.baselines if scores.name == "popularity")
    assert evaluation.model["mrr@20"].value > popular["mrr@20"].value + 0.2


def test_first_order_counts_are_those_of_a_dictionary(model: Trained, clicks: Path) -> None:
    rows = [line.split(",") for line in clicks.read_text().splitlines()]
    names = sorted({row[0] for row in rows}, key=int)
    learnt = set(names[: len(names) - round(0.2 * 150) - round(0.15 * 150)])
    counts: dict[str, dict[str, int]] = {}
    following: dict[str, int] = {}
    hits, asked = 0, 0
    for before, after in pairwise(rows):
        if before[0] == after[0] and before[0] in learnt:
            own = counts.setdefault(before[2], {})
            own[after[2]] = own.get(after[2], 0) + 1
            following[after[2]] = following.get(after[2], 0) + 1
    for before, after in pairwise(rows):
        if before[0] == after[0] and before[0] in names[-30:]:
            own = counts[before[2]]
            best = sorted(following, key=lambda item: (-own.get(item, 0), -following[item], item))
            hits, asked = hits + (after[2] in best[:5]), asked + 1
    scores = next(scores for scores in model.run.evaluation.baselines if scores.name == "transitions")
    assert model.run.evaluation.count == asked
    assert scores["recall@5"].value == pytest.approx(hits / asked)


def test_clicks_one_by_one_give_what_the_whole_session_gives(model: Trained, clicks: Path) -> None:
    predictor = Predictor(model.bundle)
    whole = predictor.predict(str(clicks), which="all")
    rows = [line.split(",") for line in clicks.read_text().splitlines()]
    window = predictor.settings.window
    assert window is not None and len(whole.ids) == len(rows)  # the window holds the longest session
    assert whole.answer.ranking is not None and whole.answer.probability is not None
    shop, place = predictor.stream(), dict[str, list[int]]()
    for at, (session, *_) in enumerate(rows):
        place.setdefault(session, []).append(at)
    turns = sorted(range(60), key=lambda at: (place[rows[at][0]].index(at), at))  # sessions take turns
    for at in turns:
        session, time, item, _ = rows[at]
        found = shop.step({"session": session, "time": time, "item": item})
        assert found.ids == (session,) and found.answer.ranking is not None and found.answer.probability is not None
        np.testing.assert_array_equal(found.answer.ranking[0], whole.answer.ranking[at])
        np.testing.assert_allclose(found.answer.probability[0], whole.answer.probability[at], rtol=1e-4)
    unknown = shop.step({"session": "new", "time": "2014-04-07T10:00:00.000Z", "item": "never seen"})
    assert unknown.table().columns["rank"].tolist() == list(range(1, 10))
    with pytest.raises(DataError, match="is not after"):
        shop.step({"session": "new", "time": "2014-04-07T09:00:00.000Z", "item": "501"})


def test_predictions_are_one_row_a_rank(model: Trained, clicks: Path) -> None:
    prediction = Predictor(model.bundle).predict(str(clicks))
    table = prediction.table().columns
    assert list(table) == ["id", "time", "rank", "item", "probability"]
    assert table["rank"][:10].tolist() == [*range(1, 10), 1] and len(table["id"]) == 9 * 150
    assert np.all(np.diff(table["probability"].reshape(150, 9), axis=1) <= 0)


def test_a_bundle_is_judged_on_other_sessions(model: Trained, tmp_path: Path) -> None:
    path = tmp_path / "later.csv"
    path.write_text("session,item\n1,501\n1,503\n2,77\n2,501\n2,78\n", encoding="utf-8")
    with pytest.raises(Exception, match="time"):
        evaluate_bundle(model.bundle, str(path))
    stamped = "session,time,item\n" + "".join(
        f"{session},2015-01-01 00:00:0{at},{item}\n" for at, (session, item) in enumerate([(1, 501), (1, 503), (2, 78)])
    )
    path.write_text(stamped + "2,2015-01-01 00:00:09,79\n", encoding="utf-8")
    found: Evaluation = evaluate_bundle(model.bundle, str(path))
    assert found.count == 2 and found.model["recall@20"].value == 0.5
    assert "items_not_in_catalogue" in {note.code for note in found.notes}


def test_a_table_with_a_header_needs_its_columns_named(clicks: Path, tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_text("visit,when,product\n" + clicks.read_text().replace(",0\n", "\n"), encoding="utf-8")
    data = {"target": "product", "group": "visit", "time": "when"}
    run = trained(path, data=data, task={"name": "recommend"}, train={"epochs": 1})
    assert run.run.evaluation.task == "recommend"
    with pytest.raises(ConfigError, match="--group"):
        trained(path, data={"target": "product", "ignore": ["visit", "when"]}, task={"name": "recommend"})


@pytest.mark.parametrize("net", [[{"gru": {"size": 4, "bidirectional": True}}], [{"gru": {"size": 4}}, "attention"]])
def test_nets_that_look_ahead_are_refused(net: list[Any], clicks: Path) -> None:
    with pytest.raises(ConfigError, match="look"):
        trained(clicks, net=net)
