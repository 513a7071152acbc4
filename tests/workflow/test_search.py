"""Searches from end to end: what they leave, and what they survive."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.report.reading import Page
from tests.workflow.small import prices

from unrolled.core.errors import ConfigError, UnrolledError
from unrolled.core.search import SearchRecord, Tried
from unrolled.search.storage import StorageError
from unrolled.train import Fitting, Hook
from unrolled.workflow.config import Config
from unrolled.workflow.search import resume, search
from unrolled.workflow.search_folder import SearchFolder
from unrolled.workflow.search_plan import Plan, asked
from unrolled.workflow.trial import run_trial

RATES = {"low": 1e-3, "high": 0.1, "log": True}


def _plan(folder: Path, /, net: Any = None, train: Any = None, **settings: Any) -> dict[str, Any]:
    return {
        "data": {"path": str(prices(folder / "prices.csv")), "target": "Close", "window": 8},
        "task": {"name": "forecast", "horizon": 3},
        "net": net or [{"choice": [{"gru": {"size": {"choice": [2, 4]}}}, {"lstm": {"size": 3}}]}],
        "train": {
            "epochs": 2,
            "batch_size": 32,
            **(train or {"learning_rate": {"low": 1e-3, "high": 0.1, "log": True}}),
        },
        "search": {"method": "random", "trials": 5, **settings},
    }


class _Seen:
    """Remembers the trials; does something as one begins."""

    def __init__(self, at: int | None = None, hook: Hook | None = None) -> None:
        self.ended_: list[Tried] = []
        self._at, self._hook = at, hook
        self._now = -1

    def begun(self, number: int) -> None:
        self._now = number

    def ended(self, tried: Tried) -> None:
        self.ended_.append(tried)

    def hooks(self) -> tuple[Hook, ...]:
        return (self._hook,) if self._hook is not None and self._now == self._at else ()


def test_a_search_leaves_its_trials_a_report_and_the_best_config(tmp_path: Path) -> None:
    seen = _Seen()
    found = search(_plan(tmp_path), folder=tmp_path / "s", told=seen)
    record = found.record
    assert [tried.number for tried in record.tried] == list(range(5)) and list(record.tried) == seen.ended_
    assert SearchRecord.model_validate_json((tmp_path / "s" / "search.json").read_bytes()) == record
    costs = {tried.number: tried.trial.cost for tried in record.tried}
    assert record.best == min(costs, key=lambda number: costs[number] or 0.0)
    assert record.best in record.frontier and record.importance == {} and not found.interrupted
    best, config = found.best, Config.read(tmp_path / "s" / "best.yaml")
    assert best is not None
    again = run_trial(config, tmp_path / "again")
    assert again.metric == best.trial.metric and again.bytes == best.trial.bytes
    source = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert len(Page(source).options) == 3 and "net.0(gru).gru.size" in source


def test_the_values_of_a_trial_are_those_it_was_trained_with(tmp_path: Path) -> None:
    for tried in search(_plan(tmp_path, trials=3), folder=tmp_path / "s").record.tried:
        assert tried.trial.config["train"]["learning_rate"] == tried.values["train.learning_rate"]
        layer = tried.trial.config["net"][0]
        assert list(layer) == [tried.values["net.0"]]
        assert layer.get("gru", {}).get("size") == tried.values.get("net.0(gru).gru.size")


def test_failures_are_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    rates = {"learning_rate": {"choice": [1e30, 0.01]}, "clip_norm": None, "optimizer": "sgd"}
    record = search(_plan(tmp_path, train=rates, net=[{"gru": {"size": 2}}], trials=6), folder=tmp_path / "s").record
    reasons = {tried.values["train.learning_rate"]: tried.trial.reason for tried in record.tried}
    assert reasons == {1e30: "diverged", 0.01: ""} and len(record.tried) == 6
    assert record.best is not None and record.of(record.best).values["train.learning_rate"] == 0.01
    assert "diverged" in (tmp_path / "s" / "report.html").read_text(encoding="utf-8")


def test_a_hopeless_search_ends(tmp_path: Path) -> None:
    rates = {"learning_rate": {"low": 1e30, "high": 1e31}, "clip_norm": None, "optimizer": "sgd"}
    with pytest.raises(ConfigError, match="none of the first 5 trials could be trained; the last one said"):
        search(_plan(tmp_path, train=rates, trials=20), folder=tmp_path / "s")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"target": "Price"}, "Price"),
        ({"window": 4000}, "no sample fits"),
        ({"split": {"valid": 0}}, "there is no validation part"),
    ],
)
def test_data_that_no_trial_could_use_is_said_before_the_first(data: dict[str, Any], said: str, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    plan["data"] |= data
    with pytest.raises(UnrolledError, match=said):
        search(plan, folder=tmp_path / "s")
    assert not (tmp_path / "s").exists()


class _CtrlC(Hook):
    def on_epoch(self, fitting: Fitting) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_a_search_that_goes_on_where_it_was(tmp_path: Path) -> None:
    plan = _plan(tmp_path, train={"epochs": 4, "learning_rate": RATES}, trials=3)
    whole = search(plan, folder=tmp_path / "whole").record
    stopped = search(plan, folder=tmp_path / "s", told=_Seen(1, _CtrlC()))
    assert stopped.interrupted and [tried.number for tried in stopped.record.tried] == [0]
    begun = json.loads((tmp_path / "s" / "trials" / "0001" / "trial.json").read_text())
    assert begun["state"] == "interrupted" and 1 <= begun["epochs"] < 4
    found = resume(tmp_path / "s")
    assert [one.trial.metric for one in found.record.tried] == [one.trial.metric for one in whole.tried]
    assert len(resume(tmp_path / "s", trials=4).record.tried) == 4


def test_a_change_that_is_refused_leaves_the_search_as_it_was(tmp_path: Path) -> None:
    before = search(_plan(tmp_path, train={"learning_rate": 0.01}, trials=1), folder=tmp_path / "s").record
    with pytest.raises(ConfigError, match="or as another grid"):
        resume(tmp_path / "s", method="grid")
    assert resume(tmp_path / "s").record.tried == before.tried


def test_a_database_that_is_gone_is_filled_from_the_folder(tmp_path: Path) -> None:
    before = search(_plan(tmp_path, trials=4), folder=tmp_path / "s").record
    (tmp_path / "s" / "trials.db").unlink()
    after = resume(tmp_path / "s").record
    assert after.tried == before.tried and after.best == before.best


def test_a_storage_that_goes_away_loses_nothing(tmp_path: Path) -> None:
    class Away(Hook):
        def on_epoch(self, fitting: Fitting) -> None:
            (tmp_path / "s" / "trials.db").write_bytes(b"no database")

    with pytest.raises(StorageError, match="Nothing is lost"):
        search(_plan(tmp_path, trials=3), folder=tmp_path / "s", told=_Seen(1, Away()), patience=0.5)
    (tmp_path / "s" / "trials.db").unlink()
    found = resume(tmp_path / "s")
    assert [tried.number for tried in found.record.tried] == [0, 1, 2]


def test_a_time_budget_ends_a_search(tmp_path: Path) -> None:
    plan = _plan(tmp_path, train={"epochs": 100_000, "patience": None, "learning_rate": {"choice": [0.01, 0.02]}})
    plan["search"] |= {"seconds": 3.0, "trials": None}
    record = search(plan, folder=tmp_path / "s").record
    assert record.seconds < 30 and record.tried[-1].trial.stopped == "time"
    assert record.best is not None and record.frontier == ()  # cut short: the best there is, and no example


@pytest.mark.exhaustive
def test_two_workers_share_a_search_and_one_that_is_killed_is_replaced(tmp_path: Path) -> None:
    nets = {"choice": [[{"gru": {"size": 2}}], "tests.workflow.fatal:Fatal", [{"lstm": {"size": 2}}]]}
    plan = _plan(tmp_path, net=nets, train={"learning_rate": 0.01}, method="grid", trials=None, workers=2)
    seen = _Seen()
    record = search(plan, folder=tmp_path / "s", told=seen).record
    assert {str(tried.values["net"]): tried.trial.state for tried in record.tried} == {
        "gru": "done",
        "tests.workflow.fatal:Fatal": "failed",
        "lstm": "done",
    }
    killed = next(tried.trial for tried in record.tried if tried.trial.state == "failed")
    assert killed.reason == "out_of_memory" and "was killed" in killed.error
    assert len(seen.ended_) == 3


def test_ctrl_c_of_the_first_process_ends_two_workers_and_nothing_is_lost(tmp_path: Path) -> None:
    class Ends(_Seen):
        def begun(self, number: int) -> None:
            super().begun(number)
            if number == 0:
                os.kill(os.getpid(), signal.SIGINT)

    net, train = [{"gru": {"size": 2}}], {"epochs": 60, "patience": None, "learning_rate": {"choice": [0.01, 0.02]}}
    plan = _plan(tmp_path, net, train, method="grid", trials=None, workers=2)
    stopped = search(plan, folder=tmp_path / "s", told=Ends())
    assert stopped.interrupted and not stopped.record.tried
    # where the net was not made yet there is nothing to keep
    kept = [json.loads(path.read_text()) for path in (tmp_path / "s").glob("trials/*/trial.json")]
    assert all(one["state"] == "interrupted" and one["epochs"] < 60 for one in kept)
    found = resume(tmp_path / "s").record.tried
    assert sorted(one.number for one in found) == [0, 1]
    assert {one.trial.state for one in found} == {"done"} and {one.trial.epochs for one in found} == {60}


WRONG: dict[str, Any] = {
    "the value 'gruu' gives a config that is refused": {"net": {"choice": ["gru", "gruu"]}},
    "the value 1.5 gives a config that is refused": {
        "train": {"optimizer": "sgd", "momentum": {"low": 0.5, "high": 1.5}}
    },
    "train.learning_rate: -1.0 does not fit": {"train": {"learning_rate": {"low": -1.0, "high": 1.0}}},
    "there is no option 'optimiser'": {"train": {"optimiser": {"choice": ["adam", "sgd"]}}},
    "this must be the same in all trials": {"data": {"target": {"choice": ["Close", "Open"]}}},
    "a grid needs values it can count": {"search": {"method": "grid"}},
    "there is no option 'trails'": {"search": {"trails": 3}},
    "pruning looks at one objective": {"search": {"objectives": ["metric", "bytes"], "prune": "halving"}},
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_plan_is_refused_before_anything_is_read(said: str) -> None:
    given: dict[str, Any] = {
        "data": {"path": "nowhere.csv"},
        "train": {"learning_rate": {"low": 1e-3, "high": 0.1}},
        **WRONG[said],
    }
    with pytest.raises(ConfigError) as caught:
        Plan.parse(given)
    assert said in str(caught.value)


def test_folders_are_not_overwritten_and_not_made_up(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text("{}")
    with pytest.raises(ConfigError, match="holds a search already"):
        SearchFolder.create(tmp_path, parent=tmp_path)
    with pytest.raises(ConfigError, match="there is no search here"):
        resume(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="no results yet"):
        SearchFolder(tmp_path).read_record()


def test_a_trial_is_worked_on_by_one_process_only(tmp_path: Path) -> None:
    with SearchFolder(tmp_path).claimed(3) as first:
        assert first
        with SearchFolder(tmp_path).claimed(3) as second:
            assert not second
    with SearchFolder(tmp_path).claimed(3) as third:
        assert third


def test_what_is_typed_becomes_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({"data": {"path": "x.csv"}, "net": [{"gru": {"size": 4}}]}))
    vary = ["net.0.gru.size=4,8", "train.learning_rate=1e-3..1e-1:log", "train.epochs=2..10:2"]
    given = asked(str(path), vary, ["train.batch_size=8"], {"data.target": "y", "task.name": None}, {"trials": 3})
    assert given["net"] == [{"gru": {"size": {"choice": [4, 8]}}}]
    assert given["train"]["epochs"] == {"low": 2, "high": 10, "step": 2} and given["train"]["batch_size"] == 8
    assert given["data"] == {"path": "x.csv", "target": "y"} and given["search"] == {"trials": 3}
    axes = {axis.path: axis for axis in Plan.parse(given).space.axes}
    assert axes["train.learning_rate"].log and axes["train.learning_rate"].low == 1e-3
    assert len(Plan.parse(asked("x.csv", [], [], {}, {})).space.axes) == 7  # something to try where nothing was asked


@pytest.mark.parametrize("text", ["net.7.gru.size=4,8", "net.0.gru.size.more=1,2", "sizes", "train.epochs="])
def test_what_cannot_be_varied_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({"data": {"path": "x.csv"}, "net": [{"gru": {"size": 4}}]}))
    with pytest.raises(UnrolledError):
        asked(str(path), [text], [], {}, {})


def test_a_section_that_is_a_value_is_said(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("data: {path: x.csv}\nsearch: 5\n")
    with pytest.raises(ConfigError, match="search: must have keys such as method and trials"):
        asked(str(tmp_path / "plan.yaml"), ["train.epochs=1,2"], [], {}, {})
