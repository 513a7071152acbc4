"""Two streams of one table, named in the net, from a file to predictions without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unrolled.core.errors import ConfigError, DataError
from unrolled.workflow.config import Config
from unrolled.workflow.demo import shipped
from unrolled.workflow.predict import predict
from unrolled.workflow.train import train


def _net(slow: list[str], fast: list[str], every: int) -> list[Any]:
    branches = [[{"gru": {"size": 8}}], [{"slow": {"every": every, "layers": [{"gru": {"size": 4}}]}}]]
    return [{"parallel": {"columns": [fast, slow], "branches": branches, "merge": "gated"}}]


def test_a_slow_stream_with_empty_cells_in_between(tmp_path: Path) -> None:
    random, rows = np.random.default_rng(0), 120
    fast, slow = random.normal(size=rows), random.normal(size=rows // 5).cumsum()
    cells = [f"{slow[t // 5]:.4f}" if t % 5 == 0 else "" for t in range(rows)]
    target = fast + np.repeat(slow, 5)
    lines = ["level,push,y", *(f"{c},{f:.4f},{y:.4f}" for c, f, y in zip(cells, fast, target, strict=True))]
    path = tmp_path / "two.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = {
        "data": {"path": str(path), "target": ["y"], "missing": "fill_forward", "window": 20},
        "task": {"name": "regress"},
        "net": _net(["level"], ["push"], 5),
        "train": {"epochs": 1},
    }
    trained = train(Config.parse(given), folder=tmp_path / "run")
    assert trained.run.net.spec[0]["parallel"]["columns"] == [["push"], ["level"]]  # type: ignore[index]
    answers = predict(trained.folder.bundle if trained.folder else "", path)
    assert np.isfinite(answers.answer.value).all() and len(answers.answer.value) > 50
    with pytest.raises(ConfigError, match="Did you mean 'level'"):
        train(Config.parse({**given, "net": _net(["lewel"], ["push"], 5)}))


def test_settings_beside_sensors_of_engines(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "cmapss" / "train_FD001.txt").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "train_FD001.txt"
    path.write_text("\n".join(line for line in lines if int(line.split()[0]) <= 8) + "\n", encoding="utf-8")
    net = _net(["setting_1", "setting_2"], [f"sensor_{k}" for k in (2, 3, 4, 7, 11)], 4)
    trained = train(
        Config.parse({"data": {"path": str(path)}, "task": {"name": "regress"}, "net": net, "train": {"epochs": 1}})
    )
    assert np.isfinite(trained.run.evaluation.model["rmse"].value)


def test_two_rates_are_trained_and_predicted(tmp_path: Path) -> None:
    """Hourly temperature of a transformer, and its loads every sixth hour in a file of their own."""
    rows = pl.read_csv(shipped("ETTh1.csv"), try_parse_dates=True).head(600)
    rows.select("date", "OT").write_csv(tmp_path / "fast.csv")
    rows.gather_every(6).drop("OT").write_csv(tmp_path / "slow.csv")
    branches = [[{"gru": {"size": 4}}], [{"slow": {"every": 6, "layers": [{"gru": {"size": 4}}]}}]]
    columns = [["OT"], ["HUFL", "MUFL"]]
    plain: dict[str, Any] = {
        "data": {"path": str(tmp_path / "fast.csv"), "target": "OT", "window": 24, "calendar": []},
        "net": [{"parallel": {"branches": branches, "columns": columns}}, "linear"],
        "train": {"epochs": 1},
    }
    plain["data"]["options"] = {"beside": str(tmp_path / "slow.csv")}
    train(Config.parse(plain), folder=tmp_path / "run")
    answer = predict(tmp_path / "run", tmp_path / "fast.csv", beside=tmp_path / "slow.csv")
    assert np.isfinite(answer.answer.value).all()
    with pytest.raises(DataError, match="HUFL"):
        predict(tmp_path / "run", tmp_path / "fast.csv")
