"""Copy after a pause (Hochreiter & Schmidhuber 1997; Arjovsky et al. 2016, section 4.1): ten letters over 100 blanks.

Ten letters of eight are shown, then 99 blanks, a mark, and ten blanks during which the letters must be given back in
order; at all other steps the answer is the blank. Who remembers nothing has a cross-entropy of 10 ln 8 / (T + 20), a
mean over all steps. The plain RNN, an LSTM, the memory layer, and a rotation with modReLU (`rnn_modrelu` with
`orthogonal: true`; and tanh in the place of modReLU) learn from fresh sequences in every batch, with Adam, gradients
clipped. A run ends once it is well below.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.blank_copy
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.accuracy.curves import RESULTS, Curve, learn, picture, surroundings
from unrolled.core.files import write_text
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.parse import parse_layers
from unrolled.program.shapes import Outputs

LETTERS, SHOWN, BLANKS = 8, 10, 100
SYMBOLS, MARK = LETTERS + 2, LETTERS + 1
NOTHING = SHOWN * math.log(LETTERS) / (BLANKS + 2 * SHOWN)
ENOUGH, SEEDS = 0.001, (0, 1, 2)


@dataclass(frozen=True)
class Trial:
    """A net, its learning rate and at most how many batches."""

    spec: list[Any]
    rate: float = 0.001
    steps: int = 500


NETS = {
    "rotation, modReLU": Trial([{"rnn_modrelu": {"size": 128, "orthogonal": True}}]),
    "rnn": Trial([{"rnn": {"size": 128}}]),
    "rotation, tanh": Trial([{"rnn": {"size": 128, "orthogonal": True}}]),
    "lstm": Trial([{"lstm": {"size": 128}}]),
    "memory": Trial([{"memory": {"size": 32, "slots": 16, "width": 12}}], rate=0.01),
}


def draw(count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """One-hot symbols ``(B, 120, 10)``, 0 the blank, and the symbols to answer ``(B, 120)``."""
    letters = torch.randint(1, LETTERS + 1, (count, SHOWN), generator=random)
    given, wanted = torch.zeros(2, count, BLANKS + 2 * SHOWN, dtype=torch.long)
    given[:, :SHOWN], given[:, -SHOWN - 1], wanted[:, -SHOWN:] = letters, MARK, letters
    return one_hot(given, SYMBOLS).float(), wanted


def loss(answer: Tensor, y: Tensor) -> Tensor:
    return cross_entropy(answer.flatten(0, 1), y.flatten())


class Stepwise(nn.Module):
    """Layers of a spec with scores of the symbols at every step."""

    def __init__(self, spec: list[Any]) -> None:
        super().__init__()
        layers = parse_layers([*spec, {"dense": {"size": LETTERS + 1, "activation": None}}], "net")
        self.layers = Chain(layers, Shape(form="sequence", size=SYMBOLS, outputs=Outputs()))

    def forward(self, x: Tensor) -> Tensor:
        flow: Flow = self.layers(Flow(x=x))
        return flow.x


@torch.no_grad()
def recalled(net: nn.Module, seed: int) -> float:
    """Share of the letters that come back right, of 500 new sequences."""
    x, y = draw(500, torch.Generator().manual_seed(5000 + seed))
    found: Tensor = net(x)[:, -SHOWN:].argmax(2) == y[:, -SHOWN:]
    return float(found.float().mean())


def run(trial: Trial, seed: int, steps: int) -> tuple[Curve, float]:
    torch.manual_seed(seed)
    net = Stepwise(trial.spec)
    curve = learn(net, draw, loss, seed=seed, steps=steps, rate=trial.rate, enough=ENOUGH)
    return curve, recalled(net, seed)


def main() -> None:
    """Train every net with every seed; write the table and the picture anew after each net."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=list(NETS), action="append", help="these only, and write nothing")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--steps", type=int, help="batches of 50 at most")
    asked = parser.parse_args()
    lines = [
        f"Copy of {SHOWN} letters over {BLANKS} blanks: cross-entropy of all steps; remembering nothing {NOTHING:.4f}",
        "batches of 50, Adam, gradients clipped at 1; each net with its learning rate; seconds of processor time",
        "",
        f"{'net':18}{'rate':>7}{'seed':>5}{'loss':>9}{'letters right':>14}{'batches':>9}{'seconds':>9}",
    ]
    print("\n".join(lines), flush=True)
    curves: dict[str, list[Curve]] = {}
    for name in asked.net or NETS:
        trial, right = NETS[name], []
        for seed in SEEDS[: asked.seeds]:
            curve, share = run(trial, seed, asked.steps or trial.steps)
            curves.setdefault(name, []).append(curve)
            right.append(share)
            figures = f"{curve.final:9.4f}{share:14.3f}{curve.batches[-1]:9}{curve.seconds:9.0f}"
            lines.append(f"{name:18}{trial.rate:7g}{seed:5}{figures}")
            print(lines[-1], flush=True)
        lines.append(f"{name:18}{'':7}  all: median of letters right {statistics.median(right):.3f}")
        if not asked.net and asked.steps is None and asked.seeds == len(SEEDS):
            title = f"Copy over {BLANKS} blanks: held-out cross-entropy"
            write_text(RESULTS / "blank_copy.svg", picture(title, curves, ("remembers nothing", NOTHING)))
            write_text(RESULTS / "blank_copy.txt", "\n".join([*lines, "", surroundings()]) + "\n")


if __name__ == "__main__":
    main()
