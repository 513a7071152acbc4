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


def _answer(folder: Path, rank: int) -> Any:
    return json.loads((folder / f"answer-{rank}.json").read_text())


def _two_processes(folder: Path, *options: str) -> list[Any]:
    """What each process answered."""
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    command = [*_TORCHRUN, str(_SCRIPT), str(folder), json.dumps(_SETTINGS), "--share", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [_answer(folder, rank) for rank in range(2)]


def test_two_processes_equal_one_also_when_stopped_and_resumed(tmp_path: Path) -> None:
    """61 samples in batches of 9: shares of 5 and 4, and of 4 and 3, two batches accumulated.

    The run is stopped by a hook, which the first process alone has.
    """
    stopped = _two_processes(tmp_path / "two", "--stop-after", "1")
    assert [(one["stopped"], len(one["rows"])) for one in stopped] == [("enough", 1)] * 2
    first, second = _two_processes(tmp_path / "two")
    main([str(tmp_path / "one"), json.dumps(_SETTINGS)])
    alone = _answer(tmp_path / "one", 0)
    assert first["weights"] == second["weights"]
    assert len(alone["rows"]) == 3
    for row, expected in zip(first["rows"], alone["rows"], strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    assert len((tmp_path / "two" / "metrics.jsonl").read_text().splitlines()) == 3
