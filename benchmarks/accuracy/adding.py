"""The adding problem at T = 200 and 400 (Hochreiter & Schmidhuber 1997, section 5.4): RNN, GRU and LSTM.

Two columns: random numbers from 0 to 1, and a mark at one step of each half; the answer is the sum of the two marked
numbers. One layer of 64 units as this package begins it, the head on its last step, fresh sequences in every batch,
Adam, gradients clipped. Who always says 1 has a mean squared error of 1/6; the goal is 0.01. A run ends once it is
well below. With a curriculum the length of a batch is a random number, at first of up to 50, from the middle of the
training on of up to T; the figures are always those of T.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.adding
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from benchmarks.accuracy.curves import RESULTS, RUN, Curve, Draw, Trial, courses, figures, learn
from benchmarks.accuracy.ledger import Ledger
from benchmarks.accuracy.picture import picture
from unrolled.core.files import write_text
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

GOAL, ENOUGH, HIDDEN, SHORT = 0.01, 0.003, 64, 50
LENGTHS, SEEDS = (200, 400), (0, 1, 2)
NETS = {
    "gru": Trial([{"gru": {"size": HIDDEN}}], rate=0.01, steps=2500),
    "lstm": Trial([{"lstm": {"size": HIDDEN}}], rate=0.01, steps=2500),
    "lstm, curriculum": Trial([{"lstm": {"size": HIDDEN}}], rate=0.01, steps=2000),
    "rnn": Trial([{"rnn": {"size": HIDDEN}}], rate=0.01, steps=500),
}
_COLUMNS = f"{'net':18}{'seed':>5}{'error':>9}{'below goal after':>18}{'batches':>9}{'of':>6}{'seconds':>9}  | course"


def draw(length: int, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs ``(B, T, 2)`` and sums ``(B,)``."""
    value, mark = torch.rand(count, length, generator=random), torch.zeros(count, length)
    for begin in (0, length // 2):
        mark.scatter_(1, torch.randint(begin, begin + length // 2, (count, 1), generator=random), 1.0)
    return torch.stack([value, mark], 2), (value * mark).sum(1)


def curriculum(length: int, share: float) -> Draw:
    """Batches of a random even length, up to more and more."""
    longest = SHORT + round(min(1.0, 2 * share) * (length - SHORT))

    def lesson(count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        return draw(2 * int(torch.randint(1, longest // 2 + 1, (), generator=random)), count, random)

    return lesson


def loss(answer: Tensor, y: Tensor) -> Tensor:
    return mse_loss(answer.flatten(), y)


def run(name: str, trial: Trial, length: int, seed: int) -> Curve:
    torch.manual_seed(seed)
    net = Net(trial.spec, Inputs(numbers=2), Outputs())
    lessons = partial(curriculum, length) if "curriculum" in name else None
    train = partial(learn, seed=seed, steps=trial.steps, rate=trial.rate, enough=ENOUGH, lessons=lessons)
    return train(net, partial(draw, length), loss)


def line(name: str, seed: int, trial: Trial, curve: Curve) -> str:
    """What is said of a run."""
    when = curve.below(GOAL) or "never"
    told = f"{curve.final:9.4f}{when:>18}{curve.batches:9}{trial.steps:6}{curve.seconds:9.0f}"
    return f"{name:18}{seed:5}{told}  {curve.course}"


def judged(lines: list[str]) -> list[str]:
    """Of every net the median error, and how many runs reached the goal."""
    return [
        f"{net:18}  all{statistics.median(errors):9.4f} the median, {sum(error < GOAL for error in errors)} of "
        f"{len(errors)} below {GOAL}"
        for net, errors in figures(lines, 0).items()
    ]


def main() -> None:
    """Train every net with every seed; the table and the picture of a length are written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=int, nargs="*", default=LENGTHS)
    parser.add_argument("--net", nargs="*", choices=list(NETS), default=list(NETS))
    parser.add_argument("--seed", type=int, nargs="*", default=SEEDS)
    asked = parser.parse_args()
    for length in asked.length:
        title = f"Adding problem, T = {length}: held-out mean squared error"
        heading = (
            f"Adding problem, T = {length}: mean squared error on 500 new sequences; always 1: {1 / 6:.4f}; {HIDDEN} "
            "units, batches of 50, Adam 0.01, gradients clipped at 1; seconds of processor time"
        )
        ledger = Ledger(RESULTS / f"adding_{length}.txt", heading, RUN, judged, _COLUMNS)
        for name in asked.net:
            for seed in asked.seed:
                text = line(name, seed, NETS[name], run(name, NETS[name], length, seed))
                ledger.add(text)
                print(f"T {length}  {text}", flush=True)
                write_text(RESULTS / f"adding_{length}.svg", picture(title, courses(ledger.lines), ("always 1", 1 / 6)))


if __name__ == "__main__":
    main()
