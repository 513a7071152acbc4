"""Gradient clipping at T = 1000: the share of runs that diverge, clipped and not.

The adding problem (Hochreiter & Schmidhuber 1997, section 5.4) at a length of 1000: a channel of noise, a channel
that marks one step in each half, and the sum of the two marked values as the answer; inputs standardised. Nets begin
as in this package by default (orthogonal recurrence, Xavier inputs, forget bias 1), the ReLU net with the identity
(Le, Jaitly & Hinton 2015, arXiv 1504.00941). Training is this package's loop: SGD with momentum 0.9, a fixed rate.

A run diverged when its loss or gradient is no longer finite, or when its loss on held-out sequences is above that of
the untrained net. Each run is 60 steps, far too few to solve the problem and enough to lose it.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.clipping
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.accuracy.curves import RESULTS, surroundings
from unrolled.core.errors import TrainingError
from unrolled.core.files import write_text
from unrolled.data.batch import Batch
from unrolled.train import TrainSettings, fit

LENGTH, HIDDEN, BATCH, STEPS, HELD_OUT = 1000, 32, 16, 60, 64
SEEDS = range(20)
RATES = (0.01, 0.1)
NETS = ("RNN, tanh", "RNN, ReLU", "LSTM")
RESULT = RESULTS / "clipping.txt"


class Adding:
    """Sequences of the adding problem, ``(N, 1000, 2)`` to ``(N, 1)``, in a fixed order."""

    def __init__(self, count: int, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        value = torch.rand(count, LENGTH, generator=random)
        mark = torch.zeros(count, LENGTH)
        for begin in (0, LENGTH // 2):
            at = torch.randint(begin, begin + LENGTH // 2, (count, 1), generator=random)
            mark.scatter_(1, at, 1.0)
        x = torch.stack([value, mark], dim=2)
        self.x = (x - x.mean((0, 1))) / x.std((0, 1))
        self.y = (value * mark).sum(1, keepdim=True)

    def __len__(self) -> int:
        return -(-len(self.x) // BATCH)

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        for at in range(start * BATCH, len(self.x), BATCH):
            yield Batch(x=self.x[at : at + BATCH], y=self.y[at : at + BATCH])


class Net(nn.Module):
    """A recurrent layer of torch's and a linear head on its last step: (B, T, 2) to (B, 1)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        if kind == "LSTM":
            self.recurrent: nn.RNNBase = nn.LSTM(2, HIDDEN, batch_first=True)
        else:
            relu = kind.endswith("ReLU")
            self.recurrent = nn.RNN(2, HIDDEN, nonlinearity="relu" if relu else "tanh", batch_first=True)
        self.head = nn.Linear(HIDDEN, 1)
        self._begin(identity=kind.endswith("ReLU"))

    def forward(self, x: Tensor, **_: None) -> Tensor:
        answer: Tensor = self.head(self.recurrent(x)[0][:, -1])
        return answer

    @torch.no_grad()
    def _begin(self, identity: bool) -> None:
        for name, weight in self.recurrent.named_parameters():
            gates = torch.split(weight, HIDDEN)
            if "bias" in name:
                nn.init.zeros_(weight)
                if name == "bias_ih_l0" and isinstance(self.recurrent, nn.LSTM):
                    nn.init.ones_(gates[1])  # the forget gate
            elif "weight_hh" in name and identity:
                nn.init.eye_(gates[0])
            else:
                for gate in gates:
                    nn.init.orthogonal_(gate) if "weight_hh" in name else nn.init.xavier_uniform_(gate)


@dataclass(frozen=True)
class Outcome:
    """How one run ended; ``loss`` is that on held-out sequences, infinite when it broke off."""

    loss: float
    start: float

    @property
    def diverged(self) -> bool:
        return not self.loss <= self.start


def squared_error(output: Tensor, batch: Batch) -> Tensor:
    return nn.functional.mse_loss(output, batch.y)


def trial(kind: str, rate: float, clip_norm: float | None, seed: int) -> Outcome:
    torch.manual_seed(seed)
    net, held_out = Net(kind), Adding(HELD_OUT, seed=1000 + seed)
    with torch.no_grad():
        start = squared_error(net(held_out.x), Batch(x=held_out.x, y=held_out.y)).item()
    settings = TrainSettings(
        epochs=1,
        batch_size=BATCH,
        optimizer="sgd",
        learning_rate=rate,
        weight_decay=0.0,
        clip_norm=clip_norm,
        device="cpu",
        seed=seed,
    )
    try:
        result = fit(net, Adding(STEPS * BATCH, seed), squared_error, settings, valid=held_out)
    except TrainingError:
        return Outcome(math.inf, start)
    return Outcome(result.rows[-1]["valid_loss"], start)


def table() -> Iterator[str]:
    """One line a net, learning rate and clipping."""
    yield f"{'net':10}  {'learning rate':>13}  {'clip_norm':>9}  {'diverged':>8}  {'not finite':>10}  median loss"
    for kind in NETS:
        for rate in RATES:
            for clip_norm in (None, 1.0):
                outcomes = [trial(kind, rate, clip_norm, seed) for seed in SEEDS]
                diverged = sum(outcome.diverged for outcome in outcomes) / len(outcomes)
                broken = sum(math.isinf(outcome.loss) for outcome in outcomes) / len(outcomes)
                losses = torch.tensor([outcome.loss for outcome in outcomes])
                clip = "off" if clip_norm is None else f"{clip_norm}"
                yield (
                    f"{kind:10}  {rate:13}  {clip:>9}  {diverged:8.0%}  {broken:10.0%}  {losses.median().item():.3g}"
                )


def main() -> None:
    began = time.process_time()
    lines = []
    for line in table():
        print(line, flush=True)
        lines.append(line)
    seconds = time.process_time() - began
    sizes = f"T = {LENGTH}, {HIDDEN} units, {STEPS} steps of {BATCH} sequences; {seconds:.0f} s of processor time"
    end = f"{sizes}\nseeds {SEEDS.start} to {SEEDS.stop - 1}; {surroundings()}"
    print(f"\n{end}")
    title = "Clipping at T = 1000: share of diverged runs (adding problem, SGD with momentum 0.9)"
    write_text(RESULT, "\n".join([title, "", *lines, "", end, ""]))


if __name__ == "__main__":
    main()
