"""A run killed (-9) at any moment ends with the same numbers as one never killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).with_name("small.py")
_SETTINGS = {
    "epochs": 4,
    "batch_size": 8,
    "patience": None,
    "averaging": "ema",
    "schedule": "plateau",
    "plateau_patience": 0,
    "learning_rate": 0.02,
    "threads": 1,
    "checkpoint_seconds": 0,
    "checkpoint_batches": 1,
}


class _Runs:
    """Runs in processes of their own, one at a time."""

    def __init__(self) -> None:
        source = str(Path(__file__).parents[2] / "src")
        environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, str(_SCRIPT), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> _Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def start(self, folder: Path) -> int:
        """Begin or resume the run in ``folder``; its process, once training has begun."""
        assert self._server.stdin is not None
        arguments = [str(folder), json.dumps(_SETTINGS), "--dropout", "0.3"]
        self._server.stdin.write(json.dumps(arguments) + "\n")
        self._server.stdin.flush()
        process = int(self._line())
        assert self._line() == "started"
        return process

    def kill(self, process: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(process, signal.SIGKILL)
        assert self._line() in ("ended -9", "ended 0")

    def finish(self, folder: Path) -> dict[str, Any]:
        """Wait for the end; what the run answered."""
        assert self._line() == "ended 0"
        answer: dict[str, Any] = json.loads((folder / "answer-0.json").read_text())
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["train_loss"] for line in lines] == [row["train_loss"] for row in answer["rows"]]
        return answer

    def _line(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()


def kills(count: int, seed: int, folder: Path) -> None:
    """Kill runs ``count`` times at random moments; every run, once resumed, must end as the undisturbed one."""
    chance, killed = random.Random(seed), 0
    with _Runs() as runs:
        began = time.monotonic()
        runs.start(folder / "whole")
        expected = runs.finish(folder / "whole")
        duration = time.monotonic() - began
        while killed < count:
            run = folder / f"run-{killed}"
            # A checkpoint is written after every batch, so that each piece of a run makes some progress.
            for _ in range(chance.randint(1, min(3, count - killed))):
                process = runs.start(run)
                time.sleep(chance.uniform(0, 0.6 * duration))
                runs.kill(process)
                killed += 1
            runs.start(run)
            assert runs.finish(run) == expected, f"after {killed} kills"
            shutil.rmtree(run)


def test_killed_runs_end_as_the_undisturbed_one(tmp_path: Path) -> None:
    kills(3, seed=os.getpid(), folder=tmp_path)


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
def test_fifty_kills(tmp_path: Path) -> None:
    kills(50, seed=os.getpid(), folder=tmp_path)
