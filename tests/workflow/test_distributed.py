"""The command under torchrun: two processes train one model, and one of them speaks and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workflow.small import prices

import unrolled
from unrolled.workflow.predict import predict

_TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "unrolled"]
_OPTIONS = ["--target", "Close", "--epochs", "2", "--batch-size", "16", "--set", "net=[{gru: {size: 4}}]"]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(unrolled.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)


def test_two_processes_make_one_run(tmp_path: Path) -> None:
    data = str(prices(tmp_path / "prices.csv"))
    options = [*_OPTIONS, "--set", "train.device=cpu"]
    both = _run(*_TORCHRUN, "train", data, *options, "--out", str(tmp_path / "two"))
    assert both.returncode == 0, both.stderr
    assert both.stdout.count("Took the task") == 1 and both.stdout.count("report.html") == 1
    alone = _run("-m", "unrolled", "train", data, *options, "--out", str(tmp_path / "one"))
    assert alone.returncode == 0, alone.stderr
    texts = [(tmp_path / run / "metrics.jsonl").read_text() for run in ("one", "two")]
    rows = [[json.loads(line) for line in text.splitlines()] for text in texts]
    assert len(rows[0]) == len(rows[1]) == 2
    for one, two in zip(*rows, strict=True):
        for figure in ("train_loss", "valid_loss"):
            assert two[figure] == pytest.approx(one[figure], rel=1e-4)
    values = [predict(tmp_path / run, data).answer.value for run in ("one", "two")]
    assert values[1] == pytest.approx(values[0], rel=1e-4)
    again = _run(*_TORCHRUN, "train", data, *options, "--out", str(tmp_path / "two"))
    assert again.returncode != 0 and "holds a run already" in again.stderr
