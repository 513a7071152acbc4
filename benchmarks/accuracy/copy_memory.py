"""Copy and repeat-copy (Graves et al. 2014, arXiv 1410.5401, sections 4.1 and 4.2): the memory layer and an LSTM.

A sequence of 1 to 10 random vectors of 6 bits is shown, then an end mark; the net must give it back, in repeat-copy as
often as a number at the end mark says (1 to 4), with an end mark after it. Both nets learn on the same sequences, at
first of one vector, from the middle of training on of up to 10; the figures are errors on 512 new sequences of 10,
and on sequences twice as long as any in training. This package's layers, Adam, gradients clipped; the paper trained on
longer sequences, with RMSprop, for many more of them.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.copy_memory
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.accuracy.curves import RESULTS, RUN, figures
from benchmarks.accuracy.ledger import Ledger
from benchmarks.accuracy.stepwise import Stepwise

BITS, SHORT, LONGEST, TIMES, BATCH = 6, 1, 10, 4, 32
NETS: dict[str, list[Any]] = {
    "memory": [{"memory": {"size": 16, "slots": 32, "width": 12}}],
    "lstm": [{"lstm": {"size": 128}}],
}
TASKS = ("copy", "repeat-copy")
SEEDS = (0, 1, 2)
_COLUMNS = (
    f"{'net':8}{'seed':>5}{'bits wrong':>12}{'sequences':>11}{'twice: bits':>13}{'sequences':>11}{'seconds':>9}"
    "  | bits wrong on the way"
)


@dataclass(frozen=True)
class Lesson:
    """Inputs ``(B, T, BITS + 2)``, answers ``(B, T, BITS + 1)`` and at which steps an answer is asked ``(T,)``."""

    x: Tensor
    y: Tensor
    asked: Tensor


def lesson(task: str, length: int, times: int, batch: int, random: torch.Generator) -> Lesson:
    """Sequences of one length; the last column of x marks the end and says how often."""
    times = times if task == "repeat-copy" else 1
    bits = torch.randint(0, 2, (batch, length, BITS), generator=random).float()
    total = length + 1 + times * length + 1
    x, y = torch.zeros(batch, total, BITS + 2), torch.zeros(batch, total, BITS + 1)
    x[:, :length, :BITS] = bits
    x[:, length, BITS], x[:, length, BITS + 1] = 1, times / TIMES
    y[:, length + 1 : -1, :BITS] = bits.repeat(1, times, 1)
    y[:, -1, BITS] = 1
    return Lesson(x, y, torch.arange(total) > length)


def draw(task: str, progress: float, random: torch.Generator) -> Lesson:
    """A batch of training: length and number of times at random, up to what ``progress`` (0 to 1) allows."""
    longest = SHORT + round(min(1.0, 2 * progress) * (LONGEST - SHORT))
    length, times = (int(torch.randint(1, most + 1, (), generator=random)) for most in (longest, TIMES))
    return lesson(task, length, times, BATCH, random)


def train(task: str, spec: list[Any], seed: int, steps: int, rate: float) -> tuple[Stepwise, list[str]]:
    """A net after ``steps`` batches, and the course of its bit errors."""
    torch.manual_seed(seed)
    net, random = Stepwise(spec, BITS + 2, BITS + 1), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)
    course = []
    for step in range(1, steps + 1):
        given = draw(task, step / steps, random)
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(net(given.x)[:, given.asked], given.y[:, given.asked])
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % max(1, steps // 10) == 0:
            course.append(f"{errors(net, task, LONGEST)[0]:.3f}")
    return net, course


@torch.no_grad()
def errors(net: Stepwise, task: str, length: int) -> tuple[float, float]:
    """Share of wrong bits, and of sequences with one or more, over 512 sequences of this length and all repeats."""
    random = torch.Generator().manual_seed(1000 + length)
    bits, wholes = [], []
    for times in range(1, TIMES + 1) if task == "repeat-copy" else (1,):
        given = lesson(task, length, times, 512 // (TIMES if task == "repeat-copy" else 1), random)
        wrong = ((net(given.x) > 0) != (given.y > 0.5))[:, given.asked].flatten(1).float()
        bits.append(wrong.mean().item())
        wholes.append(wrong.amax(1).mean().item())
    return sum(bits) / len(bits), sum(wholes) / len(wholes)


def line(task: str, name: str, seed: int, steps: int, rate: float) -> str:
    """What is said of a run."""
    begun = time.process_time()
    net, course = train(task, NETS[name], seed, steps, rate)
    seconds = time.process_time() - begun
    (bits, whole), (longer, wholes) = errors(net, task, LONGEST), errors(net, task, 2 * LONGEST)
    told = f"{bits:12.4f}{whole:11.4f}{longer:13.4f}{wholes:11.4f}{seconds:9.0f}"
    return f"{name:8}{seed:5}{told}  | {' '.join(course)}"


def judged(lines: list[str]) -> list[str]:
    """Of every net the sequences with a wrong bit, of the length in training and twice as long."""
    trained, longer = (figures(lines, place) for place in (1, 3))
    return [
        f"{net:8}  all: sequences with a wrong bit {max(own):.4f} at most, twice as long {max(longer[net]):.4f}"
        for net, own in trained.items()
    ]


def main() -> None:
    """Train both nets on both tasks with every seed; the table is written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="for copy; repeat-copy gets twice as many")
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--task", nargs="*", choices=TASKS, default=TASKS)
    parser.add_argument("--net", nargs="*", choices=list(NETS), default=list(NETS))
    asked = parser.parse_args()
    for task in asked.task:
        steps = asked.steps * (1 if task == "copy" else 2)
        heading = f"{task}: errors at {LONGEST} vectors; {steps} batches of {BATCH}, Adam {asked.rate:g} to a tenth"
        ledger = Ledger(RESULTS / f"{task.replace('-', '_')}.txt", heading, RUN, judged, _COLUMNS)
        for name in asked.net:
            for seed in asked.seed:
                text = line(task, name, seed, steps, asked.rate)
                ledger.add(text)
                print(text, flush=True)


if __name__ == "__main__":
    main()
