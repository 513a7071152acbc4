"""Attention against last-step pooling on sequences of 50, 200 and 1000 steps: two tasks made for the purpose.

``event``: one of four shapes of 12 steps stands somewhere in noise; which one? ``order``: two of them stand there, the
first before the second; which comes first, of a pair that is always the same? An attention pooling finds the place of
the first; a mean over steps, however weighted, knows of order only what the GRU below tells it. Both nets
read the same new sequences in training and differ in the pooling alone.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.pooling
"""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.accuracy.curves import RESULTS, surroundings
from unrolled.core.files import write_text
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

LENGTHS, SEEDS = (50, 200, 1000), (0, 1, 2)
POOLS: dict[str, Any] = {
    "last": {"pool": {"kind": "last"}},
    "attention": {"attention": {"kind": "additive", "size": 32}},
}
CLASSES = {"event": 4, "order": 2}
_SHAPE, _NOISE, _BATCH, _STEPS, _RATE, _JUDGED = 12, 0.5, 32, 300, 3e-3, 500
_RESULT = RESULTS / "pooling.txt"


def shapes() -> Tensor:
    """``(4, 12)``: a slow wave, a fast wave, a ramp, a step."""
    t = torch.linspace(0, 1, _SHAPE)
    return 1.5 * torch.stack([(2 * math.pi * t).sin(), (6 * math.pi * t).sin(), 2 * t - 1, (t > 0.5) * 2.0 - 1])


def drawn(task: str, steps: int, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """``(count, steps, 1)`` sequences and their classes."""
    x = _NOISE * torch.randn(count, steps, generator=random)
    label = torch.randint(CLASSES[task], (count,), generator=random)
    places = torch.rand(count, 2, generator=random).sort(dim=1).values
    known = shapes()
    for row in range(count):
        if task == "event":
            begin = int(places[row, 0] * (steps - _SHAPE))
            x[row, begin : begin + _SHAPE] += known[label[row]]
            continue
        for rank in range(2):
            begin = rank * _SHAPE + int(places[row, rank] * (steps - 2 * _SHAPE))
            x[row, begin : begin + _SHAPE] += known[rank if label[row] == 0 else 1 - rank]
    return x[..., None], label


def accuracy(task: str, pool: str, steps: int, seed: int) -> float:
    """Of new sequences, after training."""
    torch.manual_seed(seed)
    net = Net([{"gru": {"size": 32}}, POOLS[pool], "linear"], Inputs(numbers=1), Outputs(values=CLASSES[task]))
    optimizer = torch.optim.Adam(net.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    random = torch.Generator().manual_seed(1000 + seed)
    for _ in range(_STEPS):
        x, label = drawn(task, steps, _BATCH, random)
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(net(x)[:, 0, 0], label))
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    x, label = drawn(task, steps, _JUDGED, torch.Generator().manual_seed(7))
    with torch.no_grad():
        return float((net.eval()(x)[:, 0, 0].argmax(1) == label).double().mean())


def main() -> None:
    """All tasks, lengths, poolings and seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    asked = parser.parse_args()
    lines = [f"Accuracy on {_JUDGED} new sequences; GRU of 32 units, {_STEPS} batches of {_BATCH} sequences", ""]
    for task, classes in CLASSES.items():
        for steps in LENGTHS:
            for pool in POOLS:
                begun = time.process_time()
                found = [accuracy(task, pool, steps, seed) for seed in SEEDS[: asked.seeds]]
                each = ", ".join(f"{value:.3f}" for value in found)
                lines.append(
                    f"{task}  T {steps:4}  {pool:9}  mean {sum(found) / len(found):.3f}  ({each})  chance "
                    f"{1 / classes:.2f}  {time.process_time() - begun:.0f} s of processor"
                )
                print(lines[-1], flush=True)
    lines += ["", surroundings()]
    if asked.seeds == len(SEEDS):
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
