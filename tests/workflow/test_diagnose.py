"""A run and a bundle looked into, from the file to the page."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from tests.cli.terminal import unrolled
from tests.workflow.small import TRAIN, gestures, job, write

from unrolled.core.diagnosis import Diagnosis, Finding
from unrolled.core.errors import ConfigError, DataError
from unrolled.workflow.config import Config
from unrolled.workflow.diagnose import diagnose, write_diagnosis
from unrolled.workflow.predict import predict
from unrolled.workflow.train import train

KINDS = ("forecast", "classify", "regress", "failure")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each task."""
    folder = tmp_path_factory.mktemp("diagnosed")
    for kind in KINDS:
        job(kind, folder, out=kind, train={"epochs": 3})
    return folder


def by_code(found: Diagnosis) -> dict[str, Finding]:
    return {finding.code: finding for finding in found.findings}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_every_task(kind: str, home: Path) -> None:
    found = by_code(diagnose(home / kind))
    assert "cells_compared" in found
    (flow,) = (finding for code, finding in found.items() if "gradient" in code)
    assert "reach_before" in flow.figures
    assert set(flow.pictures[0].lines) == {"after_training", "before_training"}  # type: ignore[union-attr]
    assert {"inputs_used", "inputs_idle"} & set(found)
    assert ("worst_examples" in found) == (kind in ("forecast", "failure"))  # of five samples ten are no choice
    for example in found["worst_examples"].examples if "worst_examples" in found else ():
        assert example.truth and example.answer


def test_examples_are_found_again_by_their_row(home: Path) -> None:
    """The row that an example names is that of the prediction it was made from."""
    examples = by_code(diagnose(home / "forecast"))["worst_examples"].examples
    table = predict(home / "forecast", home / "forecast.csv", which="all").table().columns
    values = table["Close"].reshape(-1, 3).mean(1)
    for example in examples:
        assert float(example.answer) == pytest.approx(values[example.row - 1], rel=1e-3)


def test_the_net_before_training_is_the_one_that_training_began_with(home: Path) -> None:
    """With no epoch of change, before and after are the same curve."""
    run = job("classify", home, out="still", train={"epochs": 1, "learning_rate": 1e-12})
    assert run.folder is not None
    (flow,) = (finding for finding in diagnose(run.folder.path).findings if "reach_before" in finding.figures)
    lines = flow.pictures[0].lines  # type: ignore[union-attr]
    np.testing.assert_allclose(lines["after_training"], lines["before_training"], atol=1e-5)


def test_a_bundle_needs_data(home: Path) -> None:
    bundle = home / "classify" / "model.unrolled"
    with pytest.raises(ConfigError, match="no data"):
        diagnose(bundle)
    found = by_code(diagnose(bundle, gestures(home / "more.csv")))
    assert {"labels_agree", "label_suspects", "labels_unjudged"} & set(found)


def test_a_line_that_was_cut_off_is_passed_over_and_a_broken_one_is_named(home: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    copytree(home / "regress", run)
    metrics = run / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(lines) + lines[-1][:30])
    assert by_code(diagnose(run)).keys() == by_code(diagnose(home / "regress")).keys()
    metrics.write_text(lines[0][:30] + "\n" + "".join(lines))
    with pytest.raises(DataError, match="not JSON"):
        diagnose(run)


@pytest.mark.parametrize("name", ["strings", "unusual"])
def test_strings_and_anomalies_are_looked_at_too(name: str, tmp_path: Path) -> None:
    if name == "strings":
        rows = [(f"s{s}", v, "up down" if s % 2 else "down") for s in range(40) for v in [0, 1, 1, 0, -1, -1 + s % 2]]
        data: dict[str, Any] = {
            "path": str(write(tmp_path / "s.csv", ("id", "a", "said"), rows)),
            "target": "said",
            "group": "id",
        }
        task: dict[str, Any] = {"name": "ctc"}
    else:
        waves = [(round(np.sin(at / 3), 4), round(np.cos(at / 4), 4)) for at in range(120)]
        data = {"path": str(write(tmp_path / "s.csv", ("a", "b"), waves)), "window": 40}
        task = {"name": "anomaly"}
    trained = train(Config.parse({"data": data, "task": task, "net": [{"gru": {"size": 4}}], "train": TRAIN}))
    found = by_code(diagnose(trained.bundle, data["path"]))
    assert {"inputs_used", "inputs_idle"} & set(found)
    shown = found["inputs_used" if "inputs_used" in found else "inputs_idle"].pictures
    assert ("contribution_map" in {picture.name for picture in shown}) == (name == "unusual")


def test_learning_rates_are_tried_on_a_run_only(home: Path) -> None:
    found = by_code(diagnose(home / "regress", rates=True))
    (rates,) = (finding for code, finding in found.items() if code.startswith("rate_"))
    assert rates.figures["own"] == 1e-3 and rates.pictures
    with pytest.raises(ConfigError, match="the training part of a run"):
        diagnose(home / "regress" / "model.unrolled", home / "regress.csv", rates=True)


def test_page_numbers_and_pictures(home: Path, tmp_path: Path) -> None:
    found = diagnose(home / "forecast")
    page = write_diagnosis(found, tmp_path / "d.html", "zh").read_text()
    assert "需要查看的样本" in page and "训练前" in page
    assert Diagnosis.model_validate(json.loads((tmp_path / "d.json").read_text())) == found
    pictures = {path.name for path in tmp_path.glob("d-*.svg")}
    assert sum(len(finding.pictures) for finding in found.findings) == len(pictures)
    assert any(name.startswith("d-cells_by_lag") for name in pictures)


def test_commands(home: Path, tmp_path: Path) -> None:
    found = unrolled("diagnose", home / "classify", "--lr-range", "--out", tmp_path / "d.html")
    assert found.code == 0 and "Untrained, on this data and of this size" in found.out
    assert "The learning rate 0.001" in found.out and found.out.splitlines()[-1] == str(tmp_path / "d.html")
    told = unrolled("explain", home / "classify", home / "classify.csv", "--row", 2, "--out", tmp_path / "w.html")
    assert told.code == 0 and "Classification, answer 2: g1" in told.out
    chinese = unrolled("explain", home / "forecast", home / "forecast.csv", "--step", 1, "--lang", "zh")
    assert chinese.code == 0 and "对答案的贡献" in chinese.out
    wrong = unrolled("explain", home / "classify", home / "classify.csv", "--row", 99)
    assert wrong.code == 2 and wrong.err == (
        "error: --row 99: the data has the answers 1 to 24\n  Choose one of them\n"
    )


@pytest.mark.shared
def test_turned_labels_are_listed_by_their_row(shared_data: Path, tmp_path: Path) -> None:
    """Two labels turned in a file of test: a net that learnt from the other file doubts them."""
    folder = shared_data / "ucr_uea" / "ItalyPowerDemand"
    spec = [{"conv": {"channels": 16, "kernel": 5}}, {"gru": {"size": 16}}, "linear"]
    settings = {"data": {"path": str(folder / "ItalyPowerDemand_TRAIN.ts")}, "task": {"name": "classify"}, "net": spec}
    trained = train(Config.parse({**settings, "train": {"epochs": 40, "batch_size": 16, "learning_rate": 0.01}}))
    lines = (folder / "ItalyPowerDemand_TEST.ts").read_text().splitlines()
    first = next(at for at, line in enumerate(lines) if line.lower().startswith("@data")) + 1
    for row in (30, 60):
        values, label = lines[first + row - 1].rsplit(":", 1)
        lines[first + row - 1] = f"{values}:{'2' if label.strip() == '1' else '1'}"
    (tmp_path / "turned.ts").write_text("\n".join(lines[: first + 200]) + "\n")
    found = by_code(diagnose(trained.bundle, tmp_path / "turned.ts"))
    assert {30, 60} <= {example.row for example in found["label_suspects"].examples}
