"""Efficient neural architecture search (Pham et al. 2018, arXiv 1802.03268): weights are trained once, for all.

Two phases alternate. In an epoch of training children take turns, step by step, each updating its share. Then
the controller proposes children, is told how they do on the validation part with the weights as they are, and learns.
What comes out is a ranking by shared weights: a guess, from which the best few are to be trained from scratch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import torch
from torch import Tensor, nn

from unrolled.data.batch import Batch
from unrolled.search.controller import Controller
from unrolled.search.shared import Shared
from unrolled.search.wiring import Wiring
from unrolled.train.protocols import Batches, Loss

_STEPS = 20  # of the controller after each epoch
_CLIP = 1.0  # largest norm of the gradient of the shared weights
_POOL = 8  # children that take turns in an epoch: a new one has to be translated for the kernels first
_PROPOSED = 24  # wirings drawn for the last ranking
_JUDGED_ON = 8  # batches of the validation part, at most
_TRAINING = 0.75  # share of the time for both phases; the rest is for the ranking
_FEWEST = 3  # wirings that are ranked even when the time is over
_WORST = -1.0  # reward of a child that diverges


@dataclass(frozen=True)
class Ranked:
    """A wiring with its loss on the validation part under shared weights."""

    wiring: Wiring
    loss: float


def explore(
    net: nn.Module,
    shared: Shared,
    controller: Controller,
    train: Batches,
    valid: Batches,
    loss: Loss,
    *,
    learning_rate: float,
    seconds: float,
    epochs: int,
) -> tuple[Ranked, ...]:
    """Train super-net and controller, and rank what the controller then proposes, the best first.

    Args:
        net: holds ``shared`` in the place of its recurrent layer, see ``share``.
        shared: the super-net.
        controller: proposes children.
        train, valid: batches.
        loss: of a batch.
        learning_rate: of the shared weights, by Adam.
        seconds: time for all of it; a little is done in any case.
        epochs: at most.
    """
    explorer = _Explorer(net, shared, controller, valid, loss, learning_rate)
    began = time.monotonic()
    end = began + _TRAINING * seconds
    for epoch in range(epochs):
        explorer.train(train.epoch(epoch), end)
        explorer.teach(end)
        if time.monotonic() > end:
            break
    return explorer.ranking(began + seconds)


class _Explorer:
    def __init__(
        self, net: nn.Module, shared: Shared, controller: Controller, valid: Batches, loss: Loss, rate: float
    ) -> None:
        self._net, self._shared, self._controller, self._loss = net, shared, controller, loss
        self._optimizer = torch.optim.Adam(net.parameters(), lr=rate)
        self._valid = valid
        self._stream = _endless(valid)
        self._usual: float | None = None
        self._seen: dict[Wiring, None] = {}

    def train(self, batches: Iterator[Batch], end: float) -> None:
        """One step of the shared weights for each batch, the children of this epoch in turn."""
        self._net.train()
        children = cycle([self._propose() for _ in range(_POOL)])
        for batch, child in zip(batches, children, strict=False):
            self._shared.wiring = child
            loss = self._loss(self._net(**batch.inputs()), batch)
            self._optimizer.zero_grad()
            if torch.isfinite(loss):
                loss.backward()  # type: ignore[no-untyped-call]
                norm = nn.utils.clip_grad_norm_(self._net.parameters(), _CLIP)
                if torch.isfinite(norm):
                    self._optimizer.step()
            if time.monotonic() > end:
                return

    def teach(self, end: float) -> None:
        """Steps of the controller, each rewarded on one validation batch."""
        for _ in range(_STEPS):
            if time.monotonic() > end:
                return
            wiring, log, entropy = self._sample()
            self._controller.learn(self._reward(self._judge(wiring, [next(self._stream)])), log, entropy)

    def ranking(self, end: float) -> tuple[Ranked, ...]:
        """Distinct proposals, then earlier ones, judged on the same validation batches, as many as there is time for.

        A controller that has settled proposes few, and would leave none to be tried next.
        """
        batches = [batch for _, batch in zip(range(_JUDGED_ON), self._valid.epoch(0), strict=False)]
        wirings = dict.fromkeys(self._propose() for _ in range(_PROPOSED)) | self._seen
        ranked: list[Ranked] = []
        for wiring in wirings:
            if len(ranked) >= _FEWEST and time.monotonic() > end:
                break
            ranked.append(Ranked(wiring, self._judge(wiring, batches)))
        return tuple(sorted(ranked, key=lambda one: one.loss if math.isfinite(one.loss) else math.inf))

    def _propose(self) -> Wiring:
        with torch.no_grad():
            return self._sample()[0]

    def _sample(self) -> tuple[Wiring, Tensor, Tensor]:
        found = self._controller.sample()
        self._seen[found[0]] = None
        return found

    @torch.no_grad()
    def _judge(self, wiring: Wiring, batches: list[Batch]) -> float:
        """Mean loss of a child with the weights as they are."""
        self._net.eval()
        self._shared.wiring = wiring
        losses: list[Tensor] = [self._loss(self._net(**batch.inputs()), batch) for batch in batches]
        sizes = torch.tensor([float(len(batch)) for batch in batches])
        return float((torch.stack(losses) * sizes).sum() / sizes.sum())

    def _reward(self, loss: float) -> float:
        """How much better than usual, as a share, whatever the scale of the loss."""
        if not math.isfinite(loss):
            return _WORST
        usual = loss if self._usual is None else self._usual
        self._usual = 0.95 * usual + 0.05 * loss
        return max(_WORST, min(1.0, (usual - loss) / (abs(usual) + 1e-12)))


def _endless(batches: Batches) -> Iterator[Batch]:
    while True:
        yield from batches.epoch(0)
