"""Time and memory of self-attention by length: full, within a window, Linformer, Performer.

A training step (forward and backward) of one layer on one sequence; each in a process of its own, whose seconds on the
processor and growth in memory at its peak are told. Letters: B batch, T time, D columns.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import torch

from benchmarks.speed.measure import write
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layers.self_attention import SelfAttentionSpec
from unrolled.program.shapes import Outputs

KINDS: dict[str, dict[str, Any]] = {
    "full": {},
    "window 64": {"window": 64},
    "projected (Linformer), 64 slots": {"kind": "projected", "slots": 64, "longest": 16_000},
    "random_features (Performer), 64": {"kind": "random_features", "features": 64},
    "the same, causal": {"kind": "random_features", "features": 64, "causal": True},
}
STEPS, SIZE = (1000, 4000, 16_000), 32
_REPEATS = 3  # of which the median is told


def main() -> None:
    """Measure and write the table."""
    lines = []
    for kind in KINDS:
        measured = [_measured(kind, steps) for steps in STEPS]
        growth = [measured[-1][at] / measured[-2][at] for at in (0, 1)]
        cells = "".join(f"{1000 * seconds:11.1f}{megabytes:9.1f}" for seconds, megabytes in measured)
        lines.append(f"{kind:32}{cells}{growth[0]:10.1f}{growth[1]:9.1f}")
        print(lines[-1], flush=True)
    head = "".join(f"{f'T={steps}: ms':>11}{'MB':>9}" for steps in STEPS)
    title = f"Self-attention by length: a training step on (1, T, {SIZE}), one head; growth from 4000 to 16 000 steps"
    write("attention", title, [f"{'':32}{head}{'x time':>10}{'x MB':>9}", *lines])


def _measured(kind: str, steps: int) -> tuple[float, float]:
    """Seconds of a step, and MB that it adds at its peak."""
    command = [sys.executable, "-m", "benchmarks.speed.attention", kind, str(steps)]
    seconds, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(megabytes)


def child(kind: str, steps: int) -> None:
    """Print seconds of the processor a step, and by how many MB the resident set grew."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape = Shape(form="sequence", size=SIZE, outputs=Outputs())
    layer = SelfAttentionSpec(heads=1, **KINDS[kind]).build(shape)

    def step(x: torch.Tensor) -> None:
        layer.zero_grad()
        flow: Flow = layer(Flow(x=x, lengths=None, static=None, known=None))
        torch.autograd.backward(flow.x.square().mean())

    step(torch.randn(1, 200, SIZE))  # loads whatever is loaded once
    x = torch.randn(1, steps, SIZE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(x)
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    taken = []
    for _ in range(_REPEATS):
        begun = time.process_time()
        step(x)
        taken.append(time.process_time() - begun)
    print(statistics.median(taken), megabytes)


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
