"""Peak memory of a training step against ``torch.nn``: each in a process of its own, above what it holds before.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import torch

from benchmarks.speed.measure import write
from benchmarks.speed.subjects import KINDS, pair, training, x_of

_SHAPES = ((64, 500, 64, 128), (32, 500, 128, 256))


def main() -> None:
    """Measure and write the table."""
    lines = []
    for kind in KINDS:
        for index, shape in enumerate(_SHAPES):
            theirs, ours = (_peak(kind, index, side) for side in ("torch", "unrolled"))
            lines.append(f"{kind:6}{shape!s:>22}{theirs:10.0f}{ours:10.0f}{theirs / ours:8.2f}")
    head = f"{'':6}{'shape':>22}{'torch':>10}{'unrolled':>10}{'ratio':>8}"
    write("memory", "Memory that a training step adds at its peak, MB, (B, T, D, H)", [head, *lines])


def _peak(kind: str, index: int, side: str) -> float:
    command = [sys.executable, "-m", "benchmarks.speed.memory", kind, str(index), side]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def child(kind: str, index: int, side: str) -> None:
    """Print by how many MB the resident set grew."""
    torch.set_num_threads(1)
    shape = _SHAPES[index]
    theirs, ours = pair(kind, shape)
    layer = theirs if side == "torch" else ours
    training(layer, x_of((2, 2, *shape[2:])))()  # loads whatever is loaded once
    step = training(layer, x_of(shape))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2]), sys.argv[3]) if len(sys.argv) > 1 else main()
