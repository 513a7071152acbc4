"""``unrolled train`` as a user types it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest
import yaml
from tests.cli.terminal import TINY, unrolled
from tests.workflow.small import engines, gestures, levels, prices, sales

import unrolled as package
from unrolled.core.bundle import Bundle
from unrolled.workflow.config import Config
from unrolled.workflow.run_folder import RunFolder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(run: str | Path) -> Config:
    return RunFolder(Path(run)).read_config()


def test_a_file_and_a_target_are_enough(here: Path) -> None:
    prices(here / "prices.csv")
    with mock.patch("unrolled.workflow.defaults.preset") as preset:
        preset.return_value.layers.return_value = [{"gru": {"size": 4}}]
        found = unrolled("train", "prices.csv", "--target", "Close")
    assert found.code == 0
    (run,) = (here / "runs").iterdir()
    assert run.name.startswith("forecast-")
    assert found.files == [f"runs/{run.name}/model.unrolled", f"runs/{run.name}/report.html"]
    for said in (
        "Took 'Date' as time.",
        "Took 'Open', 'Volume' as features.",
        "Took the task 'forecast'",
        "Forecasts 1 step ahead; choose another with --horizon.",
        "choose another with --window",
        "Persistence",
        "Samples in each part",
    ):
        assert said in found.out, said
    assert "epoch 1/" in found.err and "epoch" not in found.out  # progress is no result
    record = RunFolder(run).read_run()
    assert record.facts.command == "unrolled train prices.csv --target Close"
    assert record.evaluation.verdict.en in found.out.replace("\n", " ")


@pytest.mark.parametrize(
    "make, options, task",
    [
        (gestures, ["--target", "kind"], "classify"),
        (levels, ["--target", "level", "--static", "city"], "regress"),
        (engines, ["--target", "rul", "--task", "failure", "--horizon", "8", "--group", "engine"], "failure"),
        (prices, ["--target", "Open,Close", "--horizon", "2"], "forecast"),
        (prices, ["--target", "Open", "--target", "Close"], "forecast"),
        (prices, ["--target", "Open,Close,Open", "--ignore", "Volume,Volume"], "forecast"),
    ],
)
def test_every_task(make: object, options: list[str], task: str, here: Path) -> None:
    assert callable(make)
    make(here / "data.csv")
    assert unrolled("train", "data.csv", *options, *TINY, "--out", "run").code == 0
    assert Bundle.read("run/model.unrolled").manifest.task == task
    if task == "forecast":
        schema = Bundle.read("run/model.unrolled").manifest.settings["schema"]
        targets = [column["name"] for column in schema["columns"] if column["role"] == "target"]
        assert targets == ["Open", "Close"]


def test_flags_arrive_in_the_config(here: Path) -> None:
    sales(here / "sales.csv")
    options = (
        "--target sales --known promotion --ignore weather --time date --window 9 --horizon 2 --split time "
        "--valid-share 0.1 --test-share 20 --missing mask --no-time-delta --learning-rate 0.01 --seed 5 --lang zh"
    )
    assert unrolled("train", "sales.csv", *options.split(), *TINY, "--out", "run", "--option", "header=yes").code == 0
    found = settings("run")
    data = found.data
    assert (data.target, data.known, data.ignore, data.time) == (("sales",), ("promotion",), ("weather",), "date")
    assert (data.window, data.missing, data.time_delta, data.features) == (9, "mask", False, None)
    assert (data.split.by, data.split.valid, data.split.test) == ("time", 0.1, 20)
    assert found.task["horizon"] == 2 and found.train["learning_rate"] == 0.01
    assert (found.seed, found.language, data.options) == (5, "zh", {"header": "yes"})
    assert 'lang="zh' in Path("run/report.html").read_text(encoding="utf-8")


def test_features_can_be_none_at_all(here: Path) -> None:
    prices(here / "prices.csv")
    assert unrolled("train", "prices.csv", "--target", "Close", "--features", "", *TINY, "--out", "run").code == 0
    schema = Bundle.read("run/model.unrolled").manifest.settings["schema"]
    assert {column["name"]: column["role"] for column in schema["columns"]} == {
        "Close": "target",
        "Open": "ignore",
        "Volume": "ignore",
    }


def test_the_config_of_a_run_gives_the_same_numbers(here: Path) -> None:
    prices(here / "prices.csv")
    assert unrolled("train", "prices.csv", "--target", "Close", *TINY, "--seed", 3, "--out", "one").code == 0
    assert unrolled("train", "--config", "one/config.yaml", "--out", "two").code == 0
    one, two = (Bundle.read(f"{run}/model.unrolled") for run in ("one", "two"))
    assert {k: v.tobytes() for k, v in one.weights.items()} == {k: v.tobytes() for k, v in two.weights.items()}
    assert one.manifest.metrics == two.manifest.metrics
    assert unrolled("train", "--config", "one/config.yaml", "--seed", 4, "--out", "three").code == 0
    assert Bundle.read("three/model.unrolled").manifest.metrics != one.manifest.metrics


def test_a_net_from_a_file(here: Path) -> None:
    prices(here / "prices.csv")
    for name, text in (("bare.yaml", "- lstm: {size: 3}"), ("named.yaml", "net:\n  - lstm: {size: 3}")):
        Path(name).write_text(text)
        out = name.removesuffix(".yaml")
        options = ["--target", "Close", "--epochs", 1, "--net", name, "--out", out]
        assert unrolled("train", "prices.csv", *options).code == 0
        assert settings(out).net == [{"lstm": {"size": 3}}]
    assert "lstm(size=3)" in unrolled("train", "--config", "bare/config.yaml", "--out", "again").out


def test_quiet_prints_the_verdict_and_the_files(here: Path) -> None:
    prices(here / "prices.csv")
    found = unrolled("train", "prices.csv", "--target", "Close", *TINY, "--quiet", "--out", "run")
    assert found.err == "" and len(found.out.splitlines()) == 3


def test_resume_takes_nothing_else(here: Path) -> None:
    prices(here / "prices.csv")
    unrolled("train", "prices.csv", "--target", "Close", *TINY, "--out", "run")
    for wrong, said in (
        (["prices.csv"], "DATA"),
        (["--epochs", "0"], "--epochs"),
        (["--set", "seed=1"], "--set"),
        (["--from", "run"], "--from"),
        (["--no-time-delta"], "--time-delta"),
    ):
        found = unrolled("train", "--resume", "run", *wrong)
        assert found.code == 2 and f"Leave out {said}" in found.err
    assert unrolled("train", "--resume", "run", "--quiet").code == 0
    assert unrolled("train", "--resume", "nowhere").err.startswith("error: nowhere: there is no run here")


def test_fine_tuning_from_a_run(here: Path) -> None:
    prices(here / "prices.csv")
    unrolled("train", "prices.csv", "--target", "Close", "--window", 11, *TINY, "--out", "one")
    found = unrolled("train", "prices.csv", "--target", "Close", "--epochs", 1, "--from", "one", "--out", "two")
    assert found.code == 0 and settings("two").data.window == 11 and "gru(size=4)" in found.out
    refused = unrolled("train", "prices.csv", "--target", "Close", "--from", "one", "--net", "lstm", "--out", "three")
    assert refused.code == 2 and "warm start" in refused.err and "in this net" in refused.err
    assert not Path("three/model.unrolled").exists()


def _start(*arguments: str) -> subprocess.Popen[str]:
    source = str(Path(package.__file__).parents[1])
    text = f"import sys; sys.path[:0] = [{source!r}]; from unrolled.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _wait_for_epochs(run: Path, count: int, process: subprocess.Popen[str]) -> None:
    history = run / "metrics.jsonl"
    for _ in range(1200):
        if history.exists() and len(history.read_text().splitlines()) >= count:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("training did not begin")


_LONG = ["--set", "train.patience=null", "--set", "train.checkpoint_seconds=0", "--epochs", "100000"]


def test_ctrl_c_keeps_what_was_learnt(here: Path) -> None:
    prices(here / "prices.csv")
    options = [*map(str, TINY[2:]), *_LONG, "--out", "run", "--quiet"]
    process = _start("train", "prices.csv", "--target", "Close", *options)
    _wait_for_epochs(here / "run", 2, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in err
    assert "interrupted: this model is what was learnt until then" in err and "unrolled train --resume run" in err
    assert "run/model.unrolled" in out
    assert len(unrolled("predict", "run", "prices.csv").out.splitlines()) == 2
    assert RunFolder(Path("run")).read_run().facts.epochs >= 2


def test_a_kill_leaves_a_run_that_can_go_on(here: Path) -> None:
    prices(here / "prices.csv")
    options = [*map(str, TINY[2:]), *_LONG, "--out", "run", "--quiet"]
    process = _start("train", "prices.csv", "--target", "Close", *options)
    _wait_for_epochs(here / "run", 3, process)
    process.kill()
    process.communicate()
    refused = unrolled("predict", "run", "prices.csv")
    assert refused.code == 2 and "there is no bundle in this folder" in refused.err
    shorter = yaml.safe_load(Path("run/config.yaml").read_text())
    shorter["train"]["epochs"] = len(Path("run/metrics.jsonl").read_text().splitlines()) + 9
    Path("run/config.yaml").write_text(yaml.safe_dump(shorter))
    assert unrolled("train", "--resume", "run", "--quiet").code == 0
    whole = unrolled("train", "--config", "run/config.yaml", "--out", "whole", "--quiet")
    assert whole.code == 0
    one, two = (Bundle.read(f"{run}/model.unrolled") for run in ("run", "whole"))
    assert {k: v.tobytes() for k, v in one.weights.items()} == {k: v.tobytes() for k, v in two.weights.items()}
