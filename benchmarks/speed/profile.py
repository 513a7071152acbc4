"""Where the time of a call goes, and how near the products come to the machine's peak; one thread.

Samples this process with Linux's ``perf`` (Debian: ``apt-get install linux-perf``) and sorts the samples by what the
function does. The input projection is part of the same products as the recurrence (``W x`` and ``R h`` meet in the
same registers), so the two are one column; their operations are counted together.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.speed.measure import Call, gemm_peak, write
from benchmarks.speed.subjects import KINDS, Shape, inference, operations, pair, training, x_of
from unrolled.nets import Recurrent

_SECONDS = 1.0
"""Of this process on the processor, for each case."""
_SAMPLES_A_SECOND = 2500
_START = 1.0
"""Seconds that perf needs to attach once it has made its file."""
_PATIENCE = 30.0
"""Seconds until it must have made it."""


class _Case(NamedTuple):
    mode: str
    cell: str
    shape: Shape


_SHAPES: tuple[Shape, ...] = ((32, 50, 8, 32), (64, 96, 1, 64), (64, 100, 64, 128), (32, 200, 128, 256))
_CASES = (
    *(_Case("training", kind, shape) for kind in KINDS for shape in _SHAPES),
    *(_Case("inference", "LSTM", shape) for shape in _SHAPES),
    *(_Case("inference", kind, (1, 300, 8, hidden)) for kind in ("LSTM", "GRU") for hidden in (64, 128)),
    *(_Case("training", cell, (64, 96, 1, 64)) for cell in ("lstm_peephole", "lstm_layer_norm", "gru_before")),
)
_MODES: dict[str, Callable[[torch.nn.Module, torch.Tensor], Call]] = {"training": training, "inference": inference}

# a function belongs to the first part one of whose words it contains
_PARTS = {
    "products": ("::product<",),
    "gradients": ("::outer<", "column_sums", "finish_chunk", "gather", "reduce"),
    "pointwise": ("pointwise<", "tally", "add_columns", "add_products", "spread_sum"),
    "packing": ("pack",),
}
_COLUMNS = (*_PARTS, "steps", "memory", "Python")


def main() -> None:
    """Measure and write the table."""
    if shutil.which("perf") is None:
        raise SystemExit("this script samples with perf, which is not installed (Debian: apt-get install linux-perf)")
    torch.set_num_threads(1)
    peak = gemm_peak() / 1e9
    lines = []
    for case in _CASES:
        seconds, shares = _profile(case)
        products, gradients = (
            count / (seconds * shares[part]) / 1e9 if count and shares[part] else 0.0
            for part, count in zip(("products", "gradients"), _operations(case), strict=True)
        )
        cells = "".join(f"{shares[part]:11.0%}" for part in _COLUMNS) + f"{products:12.0f}{gradients:12.0f}"
        lines.append(f"{case.mode:10}{case.cell:16}{case.shape!s:>20}{seconds * 1e3:9.2f}{cells}")
    head = "".join(f"{part:>11}" for part in _COLUMNS)
    head = f"{'':10}{'':16}{'shape':>20}{'ms':>9}{head}{'GFLOP/s of':>12}{'GFLOP/s of':>12}\n" + (
        " " * (55 + 11 * len(_COLUMNS)) + f"{'products':>12}{'gradients':>12}"
    )
    legend = (
        f"peak of a large product in this run: {peak:.0f} GFLOP/s. products: recurrent, input, and their transposes in",
        "backward; gradients: of the weights; steps: the code between kernels; memory: copies, pages, allocation;",
        "Python: the interpreter, torch and autograd",
    )
    write("profile", "Where the time goes, one thread, (B, T, D, H)", [head, *lines, "", *legend])


def _profile(case: _Case) -> tuple[float, dict[str, float]]:
    """Seconds of a call, and the share of each part."""
    _, _, inputs, hidden = case.shape
    layer = pair(case.cell, case.shape)[1] if case.cell in KINDS else Recurrent(case.cell, inputs, hidden)
    call = _MODES[case.mode](layer, x_of(case.shape))
    for _ in range(3):
        call()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "perf.data"
        options = ["-q", "-e", "cpu-clock", "-F", str(_SAMPLES_A_SECOND), "-o", str(data), "-p", str(os.getpid())]
        with subprocess.Popen(["perf", "record", *options]) as sampler:
            latest = time.perf_counter() + _PATIENCE
            while not data.exists() and time.perf_counter() < latest:
                time.sleep(0.1)
            time.sleep(_START)
            count, began = 0, time.process_time()
            while time.process_time() < began + _SECONDS:
                call()
                count += 1
            seconds = (time.process_time() - began) / count
            sampler.terminate()
        report = ["perf", "report", "-i", str(data), "--no-children", "--sort", "dso,symbol", "-t", "|", "--stdio"]
        text = subprocess.run(report, capture_output=True, text=True, check=True).stdout
    return seconds, _shares(text)


def _shares(report: str) -> dict[str, float]:
    shares: defaultdict[str, float] = defaultdict(float)
    for line in report.splitlines():
        if line.startswith("#") or line.count("|") < 2:
            continue
        share, library, symbol = line.strip().split("|", 2)
        shares[_part(library.strip(), symbol)] += float(share.strip().rstrip("%")) / 100
    if not shares:
        raise SystemExit("perf took no samples; is kernel.perf_event_paranoid above 2?")
    return shares


def _part(library: str, symbol: str) -> str:
    if library.startswith("_unrolled_native"):
        return next((part for part, words in _PARTS.items() if any(word in symbol for word in words)), "steps")
    return "memory" if library.startswith(("libc.", "[kernel")) else "Python"


def _operations(case: _Case) -> tuple[float, float]:
    """Multiplications and additions of all products of a call, and of the gradients of weights."""
    forward = operations(case.cell, case.shape) / 3
    return (2 * forward, forward) if case.mode == "training" else (forward, 0.0)


if __name__ == "__main__":
    main()
