"""Two real processes under torchrun against one process on the joined batches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).with_name("small.py")
_TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def _run(folder: Path, settings: dict[str, Any], *, processes: int) -> list[dict[str, Any]]:
    """What each process answered."""
    launch = _TORCHRUN if processes == 2 else []
    share = ["--share"] if processes == 2 else []
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launch, str(_SCRIPT), str(folder), json.dumps(settings), *share]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"answer-{rank}.json").read_text()) for rank in range(processes)]


def test_two_processes_equal_one(tmp_path: Path) -> None:
    """61 samples in batches of 9: shares of 5 and 4, and of 4 and 3, two batches accumulated."""
    settings = {
        "epochs": 3,
        "batch_size": 9,
        "accumulate": 2,
        "learning_rate": 0.05,
        "optimizer": "sgd",
        "clip_norm": 0.2,
        "weight_decay": 0.01,
        "state_l2": 0.001,
        "device": "cpu",
    }
    first, second = _run(tmp_path / "two", settings, processes=2)
    (alone,) = _run(tmp_path / "one", settings, processes=1)
    assert first["weights"] == second["weights"]
    assert len(alone["rows"]) == 3
    for row, expected in zip(first["rows"], alone["rows"], strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    assert len((tmp_path / "two" / "metrics.jsonl").read_text().splitlines()) == 3
