"""Peak memory of training from a Parquet file larger than that: ``python -m benchmarks.memory.parquet [GIGABYTES]``.

The file is made here (random walks, incompressible), training runs in a process of its own, and its peak resident set
is read from the operating system. Goal: 4 GB train under 1.5 GB.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from unrolled.core.files import write_text

_COLUMNS = 8
_ROWS = 1_000_000  # of one row group
_GOAL = 1.5  # GB


def main(gigabytes: float) -> None:
    """Make the file, train in a child, write the result."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walks.parquet"
        rows = make(path, gigabytes)
        size = path.stat().st_size / 1e9
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "benchmarks.memory.parquet", "--train", str(path)], check=True)
        seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    verdict = "reached" if peak < _GOAL else "NOT reached"
    text = (
        f"training from Parquet: {size:.2f} GB, {rows:,} rows of {_COLUMNS} columns and a time\n"
        f"peak resident set of the training process: {peak:.2f} GB (goal: under {_GOAL} GB for 4 GB: {verdict})\n"
        f"{seconds:.0f} s in all: reading, one epoch of 200 batches, validation, evaluation\n"
        f"{platform.machine()}, python {platform.python_version()}, torch {torch.__version__}\n"
    )
    print(text)
    write_text(Path(__file__).parent / "results" / "parquet.txt", text)


def make(path: Path, gigabytes: float) -> int:
    """Write random walks until the file has the size; returns the rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    groups = max(1, round(gigabytes * 1e9 / (_ROWS * (_COLUMNS * 4 + 8))))
    names = [f"sensor_{number}" for number in range(_COLUMNS)]
    schema = pa.schema([("time", pa.timestamp("s")), *((name, pa.float32()) for name in names)])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for group in range(groups):
            seconds = np.arange(group * _ROWS, (group + 1) * _ROWS).astype("datetime64[s]")
            walks = [random.standard_normal(_ROWS).cumsum().astype(np.float32) for _ in names]
            writer.write_table(pa.table([pa.array(seconds), *map(pa.array, walks)], schema=schema))
    return groups * _ROWS


def train_from(path: str) -> None:
    """The job under measurement."""
    from unrolled.workflow.config import Config
    from unrolled.workflow.train import train

    config = Config.parse(
        {
            "data": {"path": path, "target": ["sensor_0"], "time": "time"},
            "task": {"name": "forecast", "horizon": 12},
            "train": {"epochs": 1, "epoch_batches": 200},
        }
    )
    train(config)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train_from(sys.argv[2])
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0)
