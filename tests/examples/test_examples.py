"""Every example runs, as a reader would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SAID = {
    "architecture": "most frequent class",
    "classify_arrays": "accuracy",
    "drop_in_lstm": "step 150",
    "forecast_csv": "truth",
    "keyword_spotting": "s  down",
    "own_cell": "the cell holds its contract",
    "policy_cartpole": "mean return",
}


OWN = ("architecture", "forecast_csv", "policy_cartpole")  # which have a test of their own
CATALOGUE: dict[str, Any] = yaml.safe_load((ROOT / "examples/architectures.yaml").read_text(encoding="utf-8"))


def run(example: str, folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{example}.py"), *arguments]
    environment = {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", [name for name in SAID if name not in OWN])
def test_example(example: str, tmp_path: Path) -> None:
    assert SAID[example] in run(example, tmp_path)


def test_every_architecture_trains_on_real_data(tmp_path: Path) -> None:
    """A pass over a few recordings; each job says how its model stands beside its baselines."""
    jobs = {name: len(entry["jobs"]) for name, entry in CATALOGUE.items() if "jobs" in entry}
    said = run("architecture", tmp_path, "all", "1").splitlines()
    assert [line.split(":")[0] for line in said] == [name for name, count in jobs.items() for _ in range(count)]
    assert sum(SAID["architecture"] in line for line in said) > len(jobs)


def test_policy_in_a_short_run(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium", reason="needs the extra rl")
    assert SAID["policy_cartpole"] in run("policy_cartpole", tmp_path, "4096")


def test_forecast_and_predict_without_torch(tmp_path: Path) -> None:
    """The bundle of one example is read by the other, which must give the same numbers without torch."""
    trained = run("forecast_csv", tmp_path).splitlines()
    predicted = run("predict_without_torch", tmp_path, "oil.unrolled", "past.csv").splitlines()
    rows = [line.split(",") for line in predicted[predicted.index("id,time,step,OT,OT_low,OT_high") + 1 :]]
    assert len(rows) == 24
    assert [f"{float(row[3]):.2f}" for row in rows[:6]] == [line.split()[2] for line in trained[:6]]
    assert [row[1].replace("T", " ") for row in rows[:6]] == [" ".join(line.split()[:2]) for line in trained[:6]]


def test_every_example_is_run_and_short() -> None:
    assert {path.stem for path in EXAMPLES} == {*SAID, "predict_without_torch"}
    for path in EXAMPLES:
        assert len(path.read_text(encoding="utf-8").splitlines()) < 40, path.name
