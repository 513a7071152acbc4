"""Peak memory of training from a Parquet file larger than that: ``python -m benchmarks.memory.parquet [GIGABYTES]``.

The file is made here (random walks, incompressible; for ``--task regress`` and ``--task failure`` of machines that run
until they fail), training runs in a process of its own, and its peak resident set is read from the operating system.
Goal: 4 GB train under 1.5 GB.
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unrolled.core.files import write_text

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = 8
_ROWS = 1_000_000  # of one row group
_LIFE = 10_000  # rows until a machine fails
_GOAL = 1.5  # GB
_JOBS: dict[str, dict[str, Any]] = {
    "forecast": {
        "data": {"target": ["sensor_0"], "time": "time"},
        "task": {"name": "forecast", "horizon": 12},
    },
    "regress": {
        "data": {"target": ["life"], "time": "cycle", "group": "machine", "ignore": ["failed"]},
        "task": {"name": "regress"},
    },
    "failure": {
        "data": {"target": ["failed"], "time": "cycle", "group": "machine", "ignore": ["life"]},
        "task": {"name": "failure", "horizon": 100},
    },
}


def main(gigabytes: float, task: str) -> None:
    """Make the file, train in a child, write the result."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walks.parquet"
        rows = make(path, gigabytes, task)
        size = path.stat().st_size / 1e9
        began = time.monotonic()
        command = [sys.executable, "-m", "benchmarks.memory.parquet", "--task", task, "--train", str(path)]
        subprocess.run(command, check=True)
        seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    verdict = "reached" if peak < _GOAL else "NOT reached"
    others = "a time" if task == "forecast" else "machine, cycle, life and failure"
    text = (
        f"training ({task}) from Parquet: {size:.2f} GB, {rows:,} rows of {_COLUMNS} columns and {others}\n"
        f"peak resident set of the training process: {peak:.2f} GB (goal: under {_GOAL} GB for 4 GB: {verdict})\n"
        f"{seconds:.0f} s in all: reading, one epoch of 200 batches, validation, evaluation\n"
        f"{platform.machine()}, python {platform.python_version()}, torch {torch.__version__}\n"
    )
    print(text)
    name = "parquet.txt" if task == "forecast" else f"parquet_{task}.txt"
    write_text(Path(__file__).parent / "results" / name, text)


def make(path: Path, gigabytes: float, task: str) -> int:
    """Write random walks until the file has the size; returns the rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    names = [f"sensor_{number}" for number in range(_COLUMNS)]
    places = _moments(0) if task == "forecast" else _lives(0)
    schema = pa.schema(
        [*((name, cells.type) for name, cells in places.items()), *((name, pa.float32()) for name in names)]
    )
    width = sum(int(field.type.bit_width) for field in schema) // 8
    groups = max(1, round(gigabytes * 1e9 / (_ROWS * width)))
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for group in range(groups):
            places = _moments(group) if task == "forecast" else _lives(group)
            walks = [random.standard_normal(_ROWS).cumsum().astype(np.float32) for _ in names]
            writer.write_table(pa.table([*places.values(), *map(pa.array, walks)], schema=schema))
    return groups * _ROWS


def _moments(group: int) -> dict[str, pa.Array]:
    """The time of each row of a row group."""
    import pyarrow as pa

    return {"time": pa.array(np.arange(group * _ROWS, (group + 1) * _ROWS).astype("datetime64[s]"))}


def _lives(group: int) -> dict[str, pa.Array]:
    """Whose row it is, its place in that machine's life, what remains, and whether it fails there."""
    import pyarrow as pa

    row = np.arange(group * _ROWS, (group + 1) * _ROWS)
    cycle = row % _LIFE
    columns = {"machine": row // _LIFE, "cycle": cycle, "life": _LIFE - 1 - cycle, "failed": cycle == _LIFE - 1}
    return {name: pa.array(cells.astype(np.int32)) for name, cells in columns.items()}


def train_from(path: str, task: str) -> None:
    """The job under measurement."""
    from unrolled.workflow.config import Config
    from unrolled.workflow.train import train

    job = _JOBS[task]
    config = {"data": {"path": path, **job["data"]}, "task": job["task"], "train": {"epochs": 1, "epoch_batches": 200}}
    train(Config.parse(config))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gigabytes", type=float, nargs="?", default=4.0)
    parser.add_argument("--task", choices=_JOBS, default="forecast")
    parser.add_argument("--train", metavar="FILE", help="train from this file, and measure nothing")
    asked = parser.parse_args()
    if asked.train:
        train_from(asked.train, asked.task)
    else:
        main(asked.gigabytes, asked.task)
