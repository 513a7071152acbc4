"""A user's own loss and metric, and the registry of tasks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.prepare.answer import Answer
from unrolled.tasks import TASKS, Forecast, ForecastSettings, make_task
from unrolled.tasks.plugin import resolve


def late(truth: Any, prediction: Any) -> float:
    """Share of forecasts above the truth."""
    return float(np.mean(prediction > truth))


late.better = "higher"  # type: ignore[attr-defined]


def cubic(output: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (output[..., 0] - truth).abs() ** 3


def test_functions_plug_in_as_such() -> None:
    task = Forecast(settings=ForecastSettings(loss=cubic, metrics=(late,), monitor="late"))
    y = torch.tensor([[[1.0]], [[-2.0]]])
    pair = torch.zeros(2, 1, 1, 1), Batch(x=torch.zeros(2, 1, 1), y=y)
    assert task.loss(*pair) == 4.5
    measured = task.measure([pair])
    assert (measured.name, measured.value, measured.better) == ("late", 0.5, "higher")
    found = {s.name: s for s in task.metrics(np.zeros((2, 1, 1)), Answer("forecast", np.ones((2, 1, 1))))}
    assert found["late"].value == 1
    assert task.settings.model_dump()["metrics"][0].endswith(":late")
    assert task.settings.model_dump()["loss"].endswith(":cubic")


def test_functions_plug_in_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_losses.py").write_text("def mine(output, truth):\n    return (output[..., 0] - truth).sum()\n")
    monkeypatch.syspath_prepend(tmp_path)
    task = make_task("forecast", {"loss": "my_losses:mine"})
    assert task.loss(torch.full((1, 1, 1, 1), 3.0), Batch(x=torch.zeros(1, 1, 1), y=torch.ones(1, 1, 1))) == 2


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if "loss" in task.options.model_fields])
def test_settings_from_a_bundle_run_no_code(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile_plugin.py").write_text("raise SystemExit('executed')\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings = {"loss": "hostile_plugin:x", "metrics": ["hostile_plugin:y"]}
    task = make_task(name, settings, trusted=False)
    assert task.settings == TASKS[name].options()
    assert "hostile_plugin" not in sys.modules
    with pytest.raises(SystemExit, match="executed"):
        make_task(name, settings)


def test_functions_that_this_process_knows_come_back_from_its_own_bundle() -> None:
    own = Forecast(settings=ForecastSettings(metrics=(late,)))
    again = make_task("forecast", own.settings.model_dump(), trusted=False)
    assert again.settings == own.settings


@pytest.mark.parametrize("name", ["no_such_module:f", "math:no_such_function", "math:pi"])
def test_what_cannot_be_imported_is_a_sentence(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        resolve(name)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_made_by_name_and_its_settings_survive_json(name: str) -> None:
    task = make_task(name)
    assert task.name == name and isinstance(task.settings, task.options)
    assert task.options.model_validate_json(task.settings.model_dump_json()) == task.settings


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("forecats", {}, "Did you mean 'forecast'"),
        ("forecast", {"horizn": 3}, "Did you mean 'horizon'"),
        ("forecast", {"horizon": 0}, "forecast.horizon"),
        ("forecast", {"loss": "msee"}, "forecast.loss"),
        ("failure", {"positive_weight": "much"}, "failure.positive_weight"),
        ("regress", {"cap": -1}, "regress.cap"),
        ("classify", {"smoothing": 1.0}, "classify.smoothing"),
    ],
)
def test_mistakes_are_answered_with_place_and_mend(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_task(name, settings)
