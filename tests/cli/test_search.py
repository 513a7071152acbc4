"""``search`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import yaml
from tests.cli.terminal import unrolled
from tests.workflow.small import gestures, prices

from unrolled.core.bundle import Bundle
from unrolled.core.search import SearchRecord
from unrolled.workflow.config import Config

TINY = ["--set", "train.epochs=2", "--set", "data.window=8", "--horizon", 2, "--task", "forecast"]


def test_a_search_of_a_file_ends_with_a_config_that_trains(tmp_path: Path) -> None:
    data, out = prices(tmp_path / "prices.csv"), tmp_path / "s"
    net = ["--set", "net=[gru: {size: 4}]", "--vary", "net.0.gru.size=2,4", "--method", "grid"]
    found = unrolled("search", data, "--target", "Close", *TINY, *net, "--out", out)
    assert found.code == 0 and found.err == ""
    lines = found.out.splitlines()
    assert lines[0].startswith("   ") and "done · RMSE" in lines[0] and "net.0.gru.size" in lines[0]
    command = f"unrolled train --config {out / 'best.yaml'}"
    assert lines[-3:] == [str(out / "best.yaml"), str(out / "report.html"), command]
    assert "The best of 2 trials is number" in found.out
    trained = unrolled(*command.split()[1:], "--out", tmp_path / "run", "--quiet")
    assert trained.code == 0
    best = SearchRecord.model_validate_json((out / "search.json").read_bytes())
    assert best.best is not None
    bundle = Bundle.read(tmp_path / "run" / "model.unrolled")
    chosen = Bundle.read(Path(best.of(best.best).trial.folder) / "model.unrolled")
    assert all((bundle.weights[name] == chosen.weights[name]).all() for name in bundle.weights)
    again = unrolled("search", "--resume", out, "--lang", "zh", "--quiet")
    assert again.code == 0 and "2 次试验中最佳的是第" in again.out


def test_a_found_cell_is_a_file_that_trains(tmp_path: Path) -> None:
    data, out, plan = gestures(tmp_path / "g.csv"), tmp_path / "s", tmp_path / "plan.yaml"
    plan.write_text(
        yaml.safe_dump(
            {
                "data": {"path": str(data), "target": "kind", "split": {"valid": 0.25}},
                "net": [{"enas": {"nodes": 2, "size": {"choice": [2, 4]}}}],
                "train": {"epochs": 1, "batch_size": 16},
                "search": {"method": "enas", "seconds": 3.0},
            }
        )
    )
    found = unrolled("search", plan, "--out", out)
    assert found.code == 0 and "In 3 s each, the controller's best has" in found.out
    record = SearchRecord.model_validate_json((out / "search.json").read_bytes())
    assert {one.values["found by"] for one in record.tried} == {"enas", "random"} and record.best is not None
    config = Config.read(out / "best.yaml")
    (cell,) = config.cells
    assert "@cells.register" in Path(cell).read_text() and Path(cell).parent == out / "cells"
    assert unrolled("train", "--config", out / "best.yaml", "--out", tmp_path / "run", "--quiet").code == 0
    resumed = unrolled("search", "--resume", out)
    assert resumed.code == 2 and "an architecture search cannot be gone on with" in resumed.err


def test_mistakes_are_told_in_a_sentence(tmp_path: Path) -> None:
    data = prices(tmp_path / "prices.csv")
    wrong: dict[str, list[object]] = {
        "no config or data was given": [],
        "cannot be read": [tmp_path / "nowhere.yaml"],
        "low is 3 and high is 1": [data, "--vary", "train.epochs=3..1"],
        "'train.epochs' is not an assignment": [data, "--vary", "train.epochs"],
        "enas needs a time budget": [data, "--method", "enas"],
        "is not the address of a database": [data, "--target", "Close", "--storage", "no", "--out", tmp_path / "s"],
        "a search goes on with its own config": [data, "--resume", tmp_path],
        "there is no search here": ["--resume", tmp_path],
        "it should be 'tpe', 'random', 'grid' or 'enas'": [data, "--method", "best"],
    }
    for said, arguments in wrong.items():
        found = unrolled("search", *arguments)
        assert found.code == 2 and said in found.err and "Traceback" not in found.err, (said, found.err)
