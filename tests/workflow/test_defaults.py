"""What a job does where the user said nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.small import prices

from unrolled.prepare.table import Hints, Table
from unrolled.workflow.config import Config
from unrolled.workflow.defaults import before_reading, complete
from unrolled.workflow.source import load, open_table


def completed(path: Path, **changes: Any) -> Config:
    """The settings of a forecast of ``path``, with every gap filled."""
    given = Config.parse({"data": {"path": str(path), "target": "Close"}, "task": {"name": "forecast"}}).over(changes)
    config = before_reading(given, "forecast")
    part = load(open_table(config.data, None), config.data, "forecast").parts["train"]
    return complete(config, "forecast", part.series, part.spans, validated=True)[0]


@pytest.mark.parametrize(
    ("changes", "calendar"),
    [
        ({"task": {"horizon": 7}}, None),
        ({"task": {"horizon": 8}}, ()),
        ({"task": {"horizon": 8}, "data": {"calendar": ["month_of_year"]}}, ("month_of_year",)),
        ({"task": {"horizon": 8}, "net": "forecast"}, None),
    ],
)
def test_many_steps_need_no_calendar_unless_it_is_asked_for(changes: Any, calendar: Any) -> None:
    assert before_reading(Config.parse(changes), "forecast").data.calendar == calendar
    assert before_reading(Config.parse(changes), "regress").data.calendar == Config.parse(changes).data.calendar


def test_many_steps_are_forecast_season_by_season(tmp_path: Path) -> None:
    found = completed(prices(tmp_path / "days.csv", rows=400), task={"horizon": 14})
    assert isinstance(found.net, list)
    options = {name: entry[name] for entry in found.net for name in entry}
    assert options["patch"]["length"] == options["segment_decoder"]["length"] == 7  # days repeat by the week
    assert options["segment_decoder"]["shared"] is True
    assert found.train["averaging"] == "ema" and found.train["schedule"] == "cosine"
    assert found.task["loss"] == "mae" and found.data.window is not None and found.data.window % 7 == 0


def test_small_data_is_seen_more_often(tmp_path: Path) -> None:
    """About as many steps of the optimiser, between 10 and 100 passes; patience grows with them."""
    passes = [
        completed(prices(tmp_path / f"{rows}.csv", rows=rows), task={"horizon": 8}).train
        for rows in (300, 3000, 20_000)
    ]
    assert [train["epochs"] for train in passes] == [100, 43, 10]
    assert [train["patience"] for train in passes] == [25, 10, 5]


def test_one_step_ahead_reads_a_short_window(tmp_path: Path) -> None:
    found = completed(prices(tmp_path / "days.csv"))
    assert found.task["horizon"] == 1 and found.data.window == 25
    assert [name for entry in found.net or [] for name in entry] == ["window_norm", "lstm", "linear"]


@pytest.mark.parametrize(
    ("rows", "count", "stride", "few"), [(24, 20, 1, True), (140, 20, 2, True), (250, 1600, 3, False)]
)
def test_few_sequences_are_augmented_and_long_ones_thinned_out(rows: int, count: int, stride: int, few: bool) -> None:
    random = np.random.default_rng(0)
    table = Table(
        {"x": random.normal(size=rows * count)},
        "waves",
        starts=np.arange(count + 1) * rows,
        case_columns={"label": np.array(["a", "b"], dtype=object)[np.arange(count) % 2]},
        hints=Hints(target=("label",), task="classify"),
    )
    config = Config.parse({"data": {}, "task": {"name": "classify"}})
    part = load(table, config.data, "classify").parts["train"]
    found = complete(config, "classify", part.series, part.spans, validated=not few)[0]
    net: list[Any] = list(found.net or [])
    assert [name for entry in net for name in entry][:2] == (
        ["augment", "conv"] if few and stride > 1 else ["conv", "conv"]
    )
    assert [entry["conv"]["stride"] for entry in net if "conv" in entry] == [stride, stride]
    assert found.task.get("class_weights", "none") == ("none" if few else "root")
    assert found.train["batch_size"] == (4 if few else 128)


@pytest.mark.parametrize(("count", "batch"), [(20, 4), (72, 7), (500, 16)])
def test_of_few_sequences_batches_are_a_tenth(count: int, batch: int) -> None:
    values = np.random.default_rng(0).normal(size=24 * count)
    case = {"label": np.array(["a", "b"], dtype=object)[np.arange(count) % 2]}
    hints = Hints(target=("label",), task="classify")
    table = Table({"x": values}, "waves", starts=np.arange(count + 1) * 24, case_columns=case, hints=hints)
    config = Config.parse({"data": {"split": {"test": 0}}, "task": {"name": "classify"}})
    part = load(table, config.data, "classify").parts["train"]
    found = complete(config, "classify", part.series, part.spans, validated=False)[0]
    assert found.train["batch_size"] == batch


@pytest.mark.parametrize(
    ("rows", "asked", "horizon"),
    [
        (64, {}, 8),
        (500, {}, 8),
        (20, {}, 2),
        (5, {}, 1),
        (64, {"horizon": 3}, 3),
        (64, {"score": "reconstruction"}, None),
    ],
)
def test_of_labelled_sequences_several_steps_are_forecast(
    rows: int, asked: dict[str, Any], horizon: int | None
) -> None:
    table = Table(
        {"x": np.random.default_rng(0).normal(size=rows * 20)},
        "waves",
        starts=np.arange(21) * rows,
        case_columns={"label": np.array(["usual", "odd"], dtype=object)[np.arange(20) % 5 // 4]},
        hints=Hints(target=("label",), task="classify"),
    )
    config = Config.parse({"data": {}, "task": {"name": "anomaly", **asked}})
    part = load(table, config.data, "anomaly").parts["train"]
    found = complete(config, "anomaly", part.series, part.spans, validated=True)[0]
    assert found.task.get("horizon") == horizon and found.task["normal"] == ["usual"]
