"""One config within a budget: measured, continued, and never the end of the others."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.small import SETTINGS, config, job

from unrolled.core.bundle import Bundle
from unrolled.core.trial import Budget, Trial
from unrolled.data import SplitSettings
from unrolled.train import Fitting, Hook
from unrolled.workflow.trial import read_trial, run_trial


def _comparable(trial: Trial) -> dict[str, Any]:
    """What does not depend on the clock or the place."""
    return trial.model_dump(exclude={"name", "folder", "budget", "seconds", "predict_us", "step_us"})


@pytest.mark.parametrize("task", SETTINGS)
def test_a_trial_is_measured(task: str, tmp_path: Path) -> None:
    trial = run_trial(config(task, tmp_path), tmp_path / "trial")
    assert (trial.state, trial.reason, trial.error) == ("done", "", "") and trial.whole
    assert trial.metric is not None and trial.metric.low is not None and trial.metric.high is not None
    assert trial.metric.low <= trial.metric.value <= trial.metric.high and trial.metric == trial.metrics[0]
    assert trial.cost == (-trial.metric.value if task in ("classify", "failure") else trial.metric.value)
    bundle = Bundle.read(tmp_path / "trial" / "model.unrolled")
    assert trial.parameters == sum(weight.size for weight in bundle.weights.values())
    assert trial.bytes == (tmp_path / "trial" / "model.unrolled").stat().st_size
    assert trial.predict_us is not None and trial.step_us is not None
    assert 0 < trial.step_us < trial.predict_us  # one step of the window against all of it
    assert trial.epochs == trial.epochs_wanted == 2 and trial.seconds > 0
    assert read_trial(tmp_path / "trial") == trial


def test_a_larger_budget_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    asked = config("forecast", tmp_path, train={"epochs": 6, "schedule": "cosine"})
    small = run_trial(asked, tmp_path / "grown", budget=Budget(share=0.3))
    assert (small.epochs, small.epochs_wanted, small.cut_short) == (2, 6, True)
    again = run_trial(asked, tmp_path / "grown", budget=Budget(share=0.3))
    assert _comparable(again) == _comparable(small)  # nothing is trained beyond the budget
    grown, whole = run_trial(asked, tmp_path / "grown"), run_trial(asked, tmp_path / "whole")
    assert _comparable(grown) == _comparable(whole) and grown.epochs == 6
    assert grown.metric != small.metric
    assert run_trial(asked, tmp_path / "grown").whole  # nothing was left to do


_GROWING = """
from unrolled import cells

@cells.register
class Growing(cells.Cell):
    name = "growing"
    gates = ("n",)

    def step(self, x, R, h):
        return (3 * h + x.n + R.n(h),)
"""


def test_a_state_without_bounds_is_timed_without_a_word(tmp_path: Path) -> None:
    """Steps of one row over and over leave float32; a warning would be an error here."""
    (tmp_path / "cell.py").write_text(_GROWING)
    own = {"cells": [str(tmp_path / "cell.py")], "net": [{"growing": {"size": 3}}, "linear"]}
    trial = run_trial(config("forecast", tmp_path).over(own), tmp_path / "trial")
    assert (trial.state, trial.error) == ("done", "") and (trial.step_us or 0) > 0


def test_a_budget_in_seconds_ends_training(tmp_path: Path) -> None:
    asked = config("forecast", tmp_path, train={"epochs": 100_000, "patience": None})
    trial = run_trial(asked, tmp_path / "trial", budget=Budget(seconds=0.5))
    assert trial.state == "done" and 0.5 <= trial.seconds < 5 and not trial.whole and trial.metric is not None


def test_the_validation_part_decides_and_the_test_part_stays_unseen(tmp_path: Path) -> None:
    trial, trained = run_trial(config("forecast", tmp_path), tmp_path / "trial"), job("forecast", tmp_path)
    assert trial.metric is not None
    assert trial.metric.value != trained.run.evaluation.model.metrics[0].value
    assert trial.metric.name == trained.run.evaluation.model.metrics[0].name
    alone = run_trial(config("forecast", tmp_path, data={"split": {"valid": 0, "test": 0.3}}), tmp_path / "alone")
    assert (alone.state, alone.reason) == ("failed", "error") and "no validation part" in alone.error


def test_a_seed_changes_the_weights_and_not_the_split(tmp_path: Path) -> None:
    asked = config("classify", tmp_path)
    first, second = (run_trial(asked, tmp_path / str(seed), seed=seed) for seed in (0, 1))
    assert first.config["data"]["split"] == second.config["data"]["split"]
    assert (first.seed, second.seed) == (0, 1) and second.config["train"]["seed"] == 1
    weights = [Bundle.read(tmp_path / name / "model.unrolled").weights for name in ("0", "1")]
    assert any((weights[0][name] != weights[1][name]).any() for name in weights[0])


def test_pruning_stops_where_it_is_told(tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []

    def stop(share: float, value: float) -> bool:
        seen.append((share, value))
        return share == 0.4

    asked = config("classify", tmp_path, train={"epochs": 5, "patience": None})
    trial = run_trial(asked, tmp_path / "trial", stop=stop)
    assert (trial.state, trial.epochs) == ("pruned", 2) and trial.metric is not None
    rows = [json.loads(line) for line in (tmp_path / "trial" / "metrics.jsonl").read_text().splitlines()]
    assert seen == [(row["epoch"] / 5, row["valid_log_loss"]) for row in rows]


FAILURES: dict[str, dict[str, Any]] = {
    "diverged": {"train": {"learning_rate": 1e30, "clip_norm": None, "optimizer": "sgd"}},
    "out_of_memory": {"net": [{"gru": {"size": 16384, "layers": 64}}]},
    "error": {"net": [{"gru": {"siz": 4}}]},
}


@pytest.mark.parametrize("reason", FAILURES)
def test_a_failure_is_recorded(reason: str, tmp_path: Path) -> None:
    with _little_memory():
        trial = run_trial(config("forecast", tmp_path, **FAILURES[reason]), tmp_path / "trial")
    assert (trial.state, trial.reason, trial.metric) == ("failed", reason, None) and trial.error
    assert "Traceback" in (tmp_path / "trial" / "error.txt").read_text()
    assert read_trial(tmp_path / "trial") == trial


@contextmanager
def _little_memory() -> Iterator[None]:
    """No more than 4 GB of addresses beyond those in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 30), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_ctrl_c_is_told_and_gone_on_from(tmp_path: Path) -> None:
    class Stopped(Hook):
        def on_epoch(self, fitting: Fitting) -> None:
            fitting.stop = "interrupted" if fitting.epoch == 1 else fitting.stop

    asked = config("regress", tmp_path, train={"epochs": 3})
    trial = run_trial(asked, tmp_path / "trial", hooks=[Stopped()])
    assert (trial.state, trial.epochs) == ("interrupted", 1)
    whole = run_trial(asked, tmp_path / "whole")
    assert _comparable(run_trial(asked, tmp_path / "trial")) == _comparable(whole)


def test_there_is_something_to_compare_by_where_the_data_would_spare_nothing(tmp_path: Path) -> None:
    asked = config("classify", tmp_path, data={"split": {"test": 0.2}})
    asked = asked.model_copy(update={"data": asked.data.model_copy(update={"split": SplitSettings(test=0.2)})})
    trial = run_trial(asked, tmp_path / "trial")
    assert trial.metric is not None and trial.config["data"]["split"]["valid"] == 0.15
