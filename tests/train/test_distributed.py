"""Two real processes under torchrun against one process on the joined batches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.train.small import main

_SCRIPT = Path(__file__).with_name("small.py")
_TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
_SETTINGS = {
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


def _two_processes(folder: Path, *options: str) -> None:
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    command = [*_TORCHRUN, str(_SCRIPT), str(folder), json.dumps(_SETTINGS), "--share", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_two_processes_equal_one_also_when_stopped_and_resumed(tmp_path: Path) -> None:
    """61 samples in batches of 9: shares of 5 and 4, and of 4 and 3, two batches accumulated.

    The run is stopped by a hook, which the first process alone has.
    """
    two = tmp_path / "two"
    _two_processes(two, "--stop-after", "1")
    for rank in range(2):
        stopped = _read(two / f"stopped-{rank}.json")
        assert (stopped["stopped"], len(stopped["rows"])) == ("enough", 1)
    main([str(tmp_path / "one"), json.dumps(_SETTINGS)])
    first, second, alone = (_read(path) for path in (*sorted(two.glob("answer-*")), tmp_path / "one/answer-0.json"))
    assert first["weights"] == second["weights"]
    assert len(alone["rows"]) == 3
    for row, expected in zip(first["rows"], alone["rows"], strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    assert len((two / "metrics.jsonl").read_text().splitlines()) == 3
