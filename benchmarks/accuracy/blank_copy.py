"""Copy after a pause (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016, section 4.1): ten letters over 100 blanks.

Ten letters of eight are shown, then 99 blanks, a mark, and ten blanks during which the letters must be given back in
order; at all other steps the answer is the blank. Who remembers nothing has a cross-entropy of 10 ln 8 / (T + 20), a
mean over all steps. The plain RNN, an LSTM, the memory layer, and a rotation with modReLU (`rnn_modrelu` with
`orthogonal: true`; and tanh in the place of modReLU) learn from fresh sequences in every batch, with Adam, gradients
clipped. With a curriculum letters and blanks of a batch are random numbers: letters at first 1, from the middle of the
training on up to 10; blanks up to 5 until then, up to 100 in the last quarter, many of them few. The figures are always
those of 10 and 100. A run ends once it is well below. The memory layer has a small controller, which cannot remember
letters by itself, sharp heads, and 128 slots, as in the paper's copy, more than there are steps.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.blank_copy
"""

from __future__ import annotations

import argparse
import math
import statistics
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.accuracy.curves import RESULTS, RUN, Curve, Draw, Trial, courses, figures, learn
from benchmarks.accuracy.ledger import Ledger
from benchmarks.accuracy.picture import picture
from benchmarks.accuracy.stepwise import Stepwise
from unrolled.core.files import write_text

LETTERS, SHOWN, SHORT, BLANKS = 8, 10, 5, 100
SYMBOLS, MARK = LETTERS + 2, LETTERS + 1
NOTHING = SHOWN * math.log(LETTERS) / (BLANKS + 2 * SHOWN)
ENOUGH, SEEDS = 0.001, (0, 1, 2)

NETS = {
    "rotation, modReLU": Trial([{"rnn_modrelu": {"size": 128, "orthogonal": True}}], rate=0.001, steps=500),
    "rnn": Trial([{"rnn": {"size": 128}}], rate=0.001, steps=500),
    "rotation, tanh": Trial([{"rnn": {"size": 128, "orthogonal": True}}], rate=0.001, steps=500),
    "lstm": Trial([{"lstm": {"size": 128}}], rate=0.001, steps=500),
    "lstm, curriculum": Trial([{"lstm": {"size": 128}}], rate=0.001, steps=2000),
    "memory, curriculum": Trial(
        [{"memory": {"size": 16, "slots": 128, "width": 12, "sharp": True}}], rate=0.01, steps=800
    ),
}
_COLUMNS = f"{'net':20}{'seed':>5}{'rate':>7}{'loss':>9}{'letters right':>15}{'batches':>9}{'seconds':>9}  | course"


def draw(count: int, random: torch.Generator, shown: int = SHOWN, blanks: int = BLANKS) -> tuple[Tensor, Tensor]:
    """One-hot symbols ``(B, T, 10)``, 0 the blank, and the symbols to answer ``(B, T)``; T is blanks + 2 shown."""
    letters = torch.randint(1, LETTERS + 1, (count, shown), generator=random)
    given, wanted = torch.zeros(2, count, blanks + 2 * shown, dtype=torch.long)
    given[:, :shown], given[:, -shown - 1], wanted[:, -shown:] = letters, MARK, letters
    return one_hot(given, SYMBOLS).float(), wanted


def curriculum(share: float) -> Draw:
    """Batches of a random number of letters and blanks, first up to more letters, then up to more blanks.

    What is drawn of blanks is the logarithm, so that short pauses stay frequent.
    """
    letters, wait = min(1.0, 2 * share), min(1.0, max(0.0, 4 * share - 2))
    longest = SHORT * (BLANKS / SHORT) ** wait

    def lesson(count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        shown = int(torch.randint(1, 2 + round(letters * (SHOWN - 1)), (), generator=random))
        return draw(count, random, shown, round(longest ** float(torch.rand((), generator=random))))

    return lesson


def loss(answer: Tensor, y: Tensor) -> Tensor:
    return cross_entropy(answer.flatten(0, 1), y.flatten())


@torch.no_grad()
def recalled(net: nn.Module, seed: int) -> float:
    """Share of the letters that come back right, of 500 new sequences."""
    x, y = draw(500, torch.Generator().manual_seed(5000 + seed))
    found: Tensor = net(x)[:, -SHOWN:].argmax(2) == y[:, -SHOWN:]
    return float(found.float().mean())


def run(name: str, trial: Trial, seed: int) -> tuple[Curve, float]:
    """The course of a training, and the share of the letters that come back right after it."""
    torch.manual_seed(seed)
    net, lessons = Stepwise(trial.spec, SYMBOLS, LETTERS + 1), curriculum if "curriculum" in name else None
    train = partial(learn, seed=seed, steps=trial.steps, rate=trial.rate, enough=ENOUGH, lessons=lessons)
    return train(net, draw, loss), recalled(net, seed)


def line(name: str, seed: int, trial: Trial) -> str:
    """What is said of a run."""
    curve, right = run(name, trial, seed)
    told = f"{trial.rate:7g}{curve.final:9.4f}{right:15.3f}{curve.batches:9}{curve.seconds:9.0f}"
    return f"{name:20}{seed:5}{told}  {curve.course}"


def judged(lines: list[str]) -> list[str]:
    """Of every net the median share of letters that come back right."""
    right = figures(lines, 2)
    return [f"{net:20}  all: median of letters right {statistics.median(own):.3f}" for net, own in right.items()]


def main() -> None:
    """Train every net with every seed; the table and the picture are written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", nargs="*", choices=list(NETS), default=list(NETS))
    parser.add_argument("--seed", type=int, nargs="*", default=SEEDS)
    asked = parser.parse_args()
    heading = (
        f"Copy of {SHOWN} letters over {BLANKS} blanks: cross-entropy of all steps; remembering nothing {NOTHING:.4f}; "
        "batches of 50, Adam, gradients clipped at 1; seconds of processor time"
    )
    ledger = Ledger(RESULTS / "blank_copy.txt", heading, RUN, judged, _COLUMNS)
    title = f"Copy over {BLANKS} blanks: held-out cross-entropy"
    for name in asked.net:
        for seed in asked.seed:
            text = line(name, seed, NETS[name])
            ledger.add(text)
            print(text, flush=True)
            write_text(
                RESULTS / "blank_copy.svg", picture(title, courses(ledger.lines), ("remembers nothing", NOTHING))
            )


if __name__ == "__main__":
    main()
