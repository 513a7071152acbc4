"""The adding problem at T = 200 and 400 (Hochreiter & Schmidhuber 1997, section 5.4): RNN, GRU and LSTM.

Two columns: random numbers from 0 to 1, and a mark at one step of each half; the answer is the sum of the two marked
numbers. One layer of 64 units as this package begins it, the head on its last step, fresh sequences in every batch,
Adam, gradients clipped. Who always says 1 has a mean squared error of 1/6; the goal is 0.01. A run ends once it is
well below.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.adding
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from benchmarks.accuracy.curves import RESULTS, Curve, learn, picture, surroundings
from unrolled.core.files import write_text
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

GOAL, ENOUGH, HIDDEN = 0.01, 0.003, 64
LENGTHS, SEEDS = (200, 400), (0, 1, 2)
NETS: dict[str, list[Any]] = {
    "gru": [{"gru": {"size": HIDDEN}}],
    "lstm": [{"lstm": {"size": HIDDEN}}],
    "rnn": [{"rnn": {"size": HIDDEN}}],
}


def draw(length: int, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs ``(B, T, 2)`` and sums ``(B,)``."""
    value, mark = torch.rand(count, length, generator=random), torch.zeros(count, length)
    for begin in (0, length // 2):
        mark.scatter_(1, torch.randint(begin, begin + length // 2, (count, 1), generator=random), 1.0)
    return torch.stack([value, mark], 2), (value * mark).sum(1)


def loss(answer: Tensor, y: Tensor) -> Tensor:
    return mse_loss(answer.flatten(), y)


def run(name: str, length: int, seed: int, steps: int) -> Curve:
    torch.manual_seed(seed)
    net = Net(NETS[name], Inputs(numbers=2), Outputs())
    return learn(net, partial(draw, length), loss, seed=seed, steps=steps, enough=ENOUGH)


def main() -> None:
    """Train every net with every seed; write a table and a picture for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=int, action="append", help=f"{LENGTHS} when not given")
    parser.add_argument("--steps", type=int, default=2500, help="batches of 50 at most")
    asked = parser.parse_args()
    for length in asked.length or LENGTHS:
        lines = [
            f"Adding problem, T = {length}: mean squared error on 500 new sequences; always 1: {1 / 6:.4f}",
            f"{HIDDEN} units, at most {asked.steps} batches of 50, Adam 0.01, gradients clipped at 1; goal {GOAL}; "
            "seconds of processor time",
            "",
            f"{'net':6}{'seed':>5}{'error':>9}{'below goal after':>18}{'batches':>9}{'seconds':>9}",
        ]
        print("\n".join(lines), flush=True)
        curves: dict[str, list[Curve]] = {name: [] for name in NETS}
        for name, several in curves.items():
            for seed in SEEDS:
                several.append(run(name, length, seed, asked.steps))
                lines.append(_row(name, seed, several[-1]))
                print(lines[-1], flush=True)
            solved = sum(curve.final < GOAL for curve in several)
            median = statistics.median(curve.final for curve in several)
            lines.append(f"{name:6}  all{median:9.4f} the median, {solved} of {len(SEEDS)} below {GOAL}")
        title = f"Adding problem, T = {length}: held-out mean squared error"
        write_text(RESULTS / f"adding_{length}.svg", picture(title, curves, ("always 1", 1 / 6)))
        write_text(RESULTS / f"adding_{length}.txt", "\n".join([*lines, "", surroundings()]) + "\n")


def _row(name: str, seed: int, curve: Curve) -> str:
    when = curve.below(GOAL) or "never"
    return f"{name:6}{seed:5}{curve.final:9.4f}{when:>18}{curve.batches[-1]:9}{curve.seconds:9.0f}"


if __name__ == "__main__":
    main()
