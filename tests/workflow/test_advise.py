"""Advice from end to end: profile, rules, trials, and settings that train."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.small import engines, gestures, prices, write

from unrolled.advise import wishes
from unrolled.advise.halving import by_share
from unrolled.core.advice import Advice
from unrolled.core.diagnosis import Text
from unrolled.core.errors import ConfigError, DataError
from unrolled.core.trial import Trial
from unrolled.workflow.advise import advise, write_advice
from unrolled.workflow.config import Config
from unrolled.workflow.train import train
from unrolled.workflow.trial import run_trial

SMALL = {"train": {"epochs": 2, "batch_size": 64}}


def forecast(folder: Path, **changes: Any) -> Config:
    path = prices(folder / "prices.csv", rows=400)
    data = {"path": str(path), "target": "Close", "window": 10}
    return Config.parse({"data": data, "task": {"name": "forecast", "horizon": 2}, **SMALL}).over(changes)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Advice, Path, list[Text]]:
    """An advice on weekly waves, measured."""
    folder, told = tmp_path_factory.mktemp("advice"), list[Text]()
    found = advise(
        forecast(folder),
        wishes("phone"),
        seconds=200,
        plan=partial(by_share, largest=1.0),
        folder=folder / "out",
        tell=told.append,
    )
    return found, folder, told


def test_rules_alone_recommend_the_task_s_own_net(tmp_path: Path) -> None:
    found = advise(forecast(tmp_path))
    assert found.entrants == () and found.counsel and found.conflicts
    assert found.recommendation is not None and found.recommendation.entrant == "own"
    assert "nothing was trained" in found.recommendation.unsupported[0].en


def test_trials(measured: tuple[Advice, Path, list[Text]]) -> None:
    found, folder, told = measured
    by_name = {one.name: one for one in found.entrants}
    assert {"linear", "boosting", "cnn", "own"} <= set(by_name) and any("gru" in name for name in by_name)
    nets = [one for one in found.entrants if one.trial.model == "net"]
    assert all(one.metric is not None for one in found.entrants)
    last = max(one.rung for one in nets)
    assert 1 <= sum(one.rung == last for one in nets) <= 2
    assert all(one.judged is not None for one in found.entrants if one.rung == last or one.trial.model != "net")
    assert all(len(one.seeds) == 3 for one in nets if one.rung == last)
    assert any(one.on_frontier for one in found.entrants)
    assert len(told) == 2 + sum(one.rung for one in nets) + 2 * sum(one.rung == last for one in nets)
    assert {path.name for path in (folder / "out" / "trials").iterdir()} >= {one.name for one in nets}


def test_the_recommendation_names_its_evidence(measured: tuple[Advice, Path, list[Text]]) -> None:
    made = measured[0].recommendation
    assert made is not None and made.comparisons
    entrants = {one.name: one for one in measured[0].entrants}
    assert entrants[made.entrant].trial.model == "net" and entrants[made.entrant].fits
    texts = [*made.supported, *made.unsupported]
    for one in made.comparisons:
        assert (one.said in made.supported) == (one.low is not None and one.low > 0)
    assert any("limit of size" in text.en for text in texts)


def test_what_is_written_trains(measured: tuple[Advice, Path, list[Text]], tmp_path: Path) -> None:
    found, written = write_advice(measured[0], tmp_path, "zh")
    assert Advice.model_validate_json(written.numbers.read_bytes()) == found
    page = written.page.read_text(encoding="utf-8")
    assert "建议方案" in page and found.recommendation is not None and found.recommendation.said.zh in page
    assert found.recommendation.command == f"unrolled train --config {tmp_path / 'config.yaml'}"
    assert written.config is not None
    trained = train(Config.read(written.config))
    chosen = next(one for one in found.entrants if one.name == found.recommendation.entrant)
    assert trained.run.net.parameters == chosen.trial.parameters


def test_data_that_is_too_small_gets_no_advice(tmp_path: Path) -> None:
    path = gestures(tmp_path / "gestures.csv", count=20)
    found = advise(Config.parse({"data": {"path": str(path), "target": "kind"}}), seconds=100)
    assert found.profile.too_small.en and found.profile.facts
    assert found.counsel == () and found.entrants == () and found.recommendation is None
    _, written = write_advice(found, tmp_path / "out", "en")
    assert written.config is None and "samples that share no rows" in written.page.read_text(encoding="utf-8")


def test_a_part_is_set_aside_where_the_task_has_none(tmp_path: Path) -> None:
    path = gestures(tmp_path / "gestures.csv", count=60)
    config = Config.parse({"data": {"path": str(path), "target": "kind"}, **SMALL})
    found = advise(config)
    assert found.profile.judged_on == "valid"
    assert found.recommendation is not None
    assert found.recommendation.config["data"]["split"]["valid"] is None  # the settings learn from all again


def test_limits_that_nothing_keeps(tmp_path: Path) -> None:
    found = advise(forecast(tmp_path), wishes(latency=1e-9), seconds=200, plan=lambda count: by_share(count, 0.5)[:1])
    assert found.recommendation is not None and not any(one.fits for one in found.entrants)
    assert "within the limits" in found.recommendation.said.en


def test_time_that_is_over_leaves_what_was_measured(tmp_path: Path) -> None:
    found = advise(forecast(tmp_path), seconds=1e-6)
    assert found.recommendation is not None and found.entrants == ()


def test_failures_and_row_answers(tmp_path: Path) -> None:
    path = engines(tmp_path / "engines.csv", count=40)
    data = {"path": str(path), "target": "rul", "window": 6}
    config = Config.parse({"data": data, "task": {"name": "failure", "horizon": 8}, **SMALL})
    found = advise(config, seconds=200, plan=lambda count: by_share(1, 0.5))
    assert {"linear", "boosting", "own"} <= {one.name for one in found.entrants if one.judged is not None}


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="advice chooses the net"):
        advise(forecast(tmp_path, net="unrolled.nets:Net"))
    few = write(tmp_path / "few.csv", ("day", "x"), [(f"2024-01-0{day}", day) for day in range(1, 4)])
    with pytest.raises(DataError):
        advise(Config.parse({"data": {"path": str(few), "target": "x"}}))


def test_an_interrupted_trial_ends_the_measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **options: Any) -> Trial:
        return run_trial(*_, **options).model_copy(update={"state": "interrupted"})

    monkeypatch.setattr("unrolled.workflow.measuring.run_trial", interrupted)
    found = advise(forecast(tmp_path), seconds=200, plan=partial(by_share, largest=0.5))
    assert sum(one.trial.model == "net" for one in found.entrants) == 1
    assert found.recommendation is not None
    assert any("did not have all their turns" in text.en for text in found.recommendation.unsupported)
