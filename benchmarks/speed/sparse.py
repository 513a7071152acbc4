"""Steps of a delta network that multiply with what has changed, beside steps that multiply with everything.

A ``gru_delta`` behind ``delta``, untrained, reads the hours of a transformer (ETTh1, seven columns, standardised);
multiplications are those with its weights, times are of one step at batch 1, process time, the three streams in turn,
the median of nine rounds. ``lazy`` is NumPy, and pays where a product takes longer than a score of calls into it;
``whole`` is the native library on the same net, ``gru`` on a plain GRU of that size.

    OMP_NUM_THREADS=1 python -m benchmarks.speed.sparse
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from benchmarks.accuracy.curves import surroundings
from unrolled.core.files import write_text
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs
from unrolled.workflow.demo import shipped

SIZES, THRESHOLDS, STEPS, ROUNDS = (64, 256, 512, 1024), (0.05, 0.2), 60, 9
_RESULT = Path(__file__).parent / "results" / "sparse.txt"


def made(cell: dict[str, Any], delta: float | None) -> Net:
    """A net of one recurrent layer."""
    torch.manual_seed(0)
    before = [] if delta is None else [{"delta": {"threshold": delta}}]
    return Net([*before, cell, {"pool": {"kind": "last"}}, "linear"], Inputs(numbers=7), Outputs()).eval()


def main() -> None:
    """All sizes and thresholds."""
    rows = pl.read_csv(shipped("ETTh1.csv")).drop("date").to_numpy().astype(np.float32)
    rows = (rows - rows.mean(0)) / rows.std(0)
    lines = ["microseconds a step, and the share of multiplications that a lazy stream saves", ""]
    lines.append(f"{'size':>5}{'threshold':>11}{'lazy':>9}{'whole':>9}{'gru':>9}{'saved':>8}")
    for size in SIZES:
        for threshold in THRESHOLDS:
            net = made({"gru_delta": {"size": size, "threshold": threshold}}, threshold)
            plain = made({"gru": {"size": size}}, None)
            streams = {"lazy": net.stream(lazy=True), "whole": net.stream(), "gru": plain.stream()}
            spent: dict[str, list[float]] = {name: [] for name in streams}
            for round_ in range(ROUNDS + 1):
                part = rows[round_ * STEPS : (round_ + 1) * STEPS]
                for name, stream in streams.items():
                    begun = time.process_time()
                    for x in part:
                        stream.step(x)
                    if round_:  # the first only warms up
                        spent[name].append(1e6 * (time.process_time() - begun) / STEPS)
            done, dense = streams["lazy"].multiplications
            medians = "".join(f"{statistics.median(values):9.0f}" for values in spent.values())
            lines.append(f"{size:5}{threshold:11.2f}{medians}{1 - done / dense:8.0%}")
            print(lines[-1], flush=True)
    write_text(_RESULT, "\n".join([*lines, "", surroundings()]) + "\n")


if __name__ == "__main__":
    main()
