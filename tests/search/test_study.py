"""The search itself, with functions in the place of training."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unrolled.core.errors import ConfigError
from unrolled.core.records import Metric
from unrolled.core.trial import Trial
from unrolled.search import SearchSettings, Space, Study
from unrolled.search.storage import StorageError

SPACE = Space.parse({"x": {"low": -5.0, "high": 5.0}, "kind": {"choice": ["good", "bad"]}})


def _study(folder: Path | None = None, space: Space = SPACE, **settings: Any) -> Study:
    """A worker's view of the search in a folder, or of one in memory."""
    url = "sqlite://" if folder is None else f"sqlite:///{folder}/s.db"
    return Study(space, SearchSettings(**settings), url=url, name="s", patience=1.0)


def _trial(value: float, *, state: Any = "done", **facts: Any) -> Trial:
    return Trial(name="t", state=state, metric=Metric(name="rmse", value=value), **{"stopped": "epochs", **facts})


def _bowl(config: dict[str, Any]) -> float:
    return float((config["x"] - 2) ** 2 + (config["kind"] == "bad") * 10)


def _go(study: Study, cost: Callable[[dict[str, Any]], float] = _bowl) -> list[float]:
    costs = []
    while (proposal := study.ask()) is not None:
        costs.append(cost(proposal.config))
        study.tell(proposal.number, _trial(costs[-1]))
    return costs


def test_tpe_learns_where_random_search_does_not() -> None:
    late = {}
    for method in ("tpe", "random"):
        costs = [cost for seed in range(2) for cost in _go(_study(seed=seed, trials=24, method=method))[14:]]
        late[method] = sum(costs) / len(costs)
    assert late["tpe"] < 0.5 * late["random"]


def test_a_grid_tries_every_point_once_over_all_workers(tmp_path: Path) -> None:
    space = Space.parse({"x": {"low": 0, "high": 3}, "kind": {"choice": ["good", "bad"]}})
    workers = [_study(tmp_path, space, method="grid") for _ in range(2)]
    seen = []
    for turn in range(20):
        proposal = workers[turn % 2].ask()
        if proposal is not None:
            workers[turn % 2].tell(proposal.number, _trial(1.0))
            seen.append(tuple(proposal.values.values()))
    assert sorted(seen) == sorted((x, kind) for x in range(4) for kind in ("good", "bad"))
    assert seen != sorted(seen)  # a grid cut short has met all parts of the space


def test_machines_that_begin_a_grid_at_once_do_not_double_its_points(tmp_path: Path) -> None:
    """A point belongs to a trial's number: nothing that two could both write stands in the database before."""
    space = Space.parse(
        {"x": {"low": 0.1, "high": 0.9, "step": 0.1}, "kind": {"choice": ["good", {"bad": {"low": 0, "high": 2}}]}}
    )
    points = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        study = _study(tmp_path / name, space, method="grid", trials=20)
        assert study.known() == set()
        points.append([one.values for one in iter(study.ask, None)])
    assert points[0] == points[1] and len({str(point) for point in points[0]}) == 20
    with pytest.raises(ConfigError, match="as another grid"):
        _study(tmp_path / "here", space, method="grid", seed=1)


def test_workers_keep_to_the_limit_together(tmp_path: Path) -> None:
    workers = [_study(tmp_path, trials=7) for _ in range(3)]
    asked = [worker.ask() for _ in range(4) for worker in workers]
    proposals = [one for one in asked if one is not None]
    assert len(proposals) == 7 and len({tuple(one.values.values()) for one in proposals}) == 7
    assert workers[0].running() == list(range(7))


def test_the_same_seed_proposes_the_same() -> None:
    assert _go(_study(trials=11)) == _go(_study(trials=11)) != _go(_study(trials=11, seed=1))


def test_halving_stops_what_is_worse_at_the_same_share() -> None:
    study = _study(prune="halving", method="random", trials=24, least=0.1, reduction=3)
    shares = {}
    while (proposal := study.ask()) is not None:
        final, reached = _bowl(proposal.config), 0.0
        for step in range(1, 11):
            reached = step / 10
            if study.stop(proposal.number, reached, final + 1 / step):
                break
        study.tell(proposal.number, _trial(final, state="done" if reached == 1 else "pruned"))
        shares[final] = reached
    whole = [cost for cost, reached in shares.items() if reached == 1]
    stopped = [cost for cost, reached in shares.items() if reached < 1]
    assert min(shares) in whole and len(stopped) >= 12
    assert sum(shares.values()) < 0.6 * len(shares)  # the training that was spared
    assert {tried.trial.state for tried in study.tried()} == {"done", "pruned"}


def test_a_failed_trial_is_kept_and_the_search_goes_on() -> None:
    study = _study(trials=12)
    number = 0
    while (proposal := study.ask()) is not None:
        number = proposal.number
        failed = Trial(name="t", state="failed", reason="diverged", error="the loss is nan")
        study.tell(number, failed if number % 3 == 0 else _trial(_bowl(proposal.config)))
    tried = study.tried()
    assert [one.number for one in tried] == list(range(12))
    assert [one.trial.reason for one in tried if one.trial.state == "failed"] == ["diverged"] * 4
    study.tell(number, _trial(-100.0))  # told twice, counts once
    assert study.tried() == tried


def test_several_objectives_are_searched_together() -> None:
    study = _study(trials=10, objectives=("metric", "bytes"))
    while (proposal := study.ask()) is not None:
        study.tell(proposal.number, _trial(_bowl(proposal.config), bytes=round(100 * abs(proposal.config["x"]))))
    assert len(study.tried()) == 10


def test_importance_finds_what_matters() -> None:
    study = _study(trials=20, method="random")
    _go(study, lambda config: config["x"] ** 2 + (config["kind"] == "bad") * 0.1)
    importance = study.importance()
    assert importance["x"] > 0.8 and abs(sum(importance.values()) - 1) < 1e-6
    assert study.importance() == importance and _study().importance() == {}


def test_what_was_begun_can_be_taken_up(tmp_path: Path) -> None:
    first = _study(tmp_path, trials=3).ask()
    assert first is not None
    later = _study(tmp_path, trials=3)
    assert later.running() == [0] and later.again(0) == first
    later.tell(0, _trial(1.0))
    assert later.running() == [] and later.tried()[0].values == first.values


def test_a_lost_database_is_filled_again(tmp_path: Path) -> None:
    study = _study(tmp_path, trials=8)
    _go(study)
    kept = study.tried()
    (tmp_path / "s.db").unlink()
    empty = _study(tmp_path, trials=8)
    for one in kept:
        if one.number not in (2, 3):  # those of another machine
            empty.restore(one.number, one.values, one.trial)
    assert empty.tried() == tuple(one for one in kept if one.number not in (2, 3))
    assert empty.ask() is None or empty.limit == 8


def test_a_database_that_goes_away_is_an_error_that_says_so(tmp_path: Path) -> None:
    study = _study(tmp_path, trials=8)
    proposal = study.ask()
    assert proposal is not None
    with sqlite3.connect(tmp_path / "s.db") as database:
        database.execute("ALTER TABLE trials RENAME TO gone")
    assert study.stop(proposal.number, 0.5, 1.0) is False
    with pytest.raises(StorageError, match="the storage does not answer"):
        study.tell(proposal.number, _trial(1.0))
    with sqlite3.connect(tmp_path / "s.db") as database:
        database.execute("ALTER TABLE gone RENAME TO trials")
    study.tell(proposal.number, _trial(1.0))  # it came back: nothing was lost
    assert len(study.tried()) == 1


def test_another_space_of_the_same_name_is_refused(tmp_path: Path) -> None:
    _study(tmp_path)
    with pytest.raises(ConfigError, match="another space"):
        _study(tmp_path, space=Space.parse({"x": {"low": 0, "high": 1}}))


@pytest.mark.parametrize("url", ["nowhere", "sqlite:////nowhere/at/all.db", "nosuch://host/name"])
def test_an_address_that_leads_nowhere_is_named(url: str) -> None:
    with pytest.raises((ConfigError, StorageError), match=r"nowhere|nosuch"):
        Study(SPACE, SearchSettings(), url=url, name="s", patience=0.5)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(StorageError) as caught:
        Study(SPACE, SearchSettings(), url="postgresql://me:secret@127.0.0.1:1/name", name="s", patience=0.5)
    assert "secret" not in str(caught.value) and "127.0.0.1" in str(caught.value)


CONTRADICTIONS: list[dict[str, Any]] = [
    {"objectives": ["metric", "bytes"], "prune": "halving"},
    {"objectives": ["bytes"], "prune": "hyperband"},
    {"objectives": ["metric", "metric"]},
    {"prune": "halving", "least": 0.5, "reduction": 3},
]


@pytest.mark.parametrize("given", CONTRADICTIONS)
def test_settings_that_contradict_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SearchSettings(**given)
