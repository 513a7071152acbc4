"""Where a training run stands: what hooks look at and what a checkpoint keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unrolled.train.best import Best
from unrolled.train.settings import TrainSettings
from unrolled.train.watch import Watch


@dataclass
class Fitting:
    """A run in progress.

    Attributes:
        settings: of the run.
        batches: batches an epoch.
        watch: loss, gradient norm and clip rate of the running epoch.
        best: the best epoch so far.
        epoch: epochs done; batch: batches done of the running epoch; step: optimiser steps done.
        seconds: time spent, resumed parts included; began: ``seconds`` when the running epoch began.
        rows: one a finished epoch, as in ``metrics.jsonl``.
        stop: why training ends after the running epoch, None while it goes on.
    """

    settings: TrainSettings
    batches: int
    watch: Watch
    best: Best
    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    began: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    stop: str | None = None

    def state_dict(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {**numbers, "watch": self.watch.state_dict(), "best": self.best.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in _NUMBERS:
            setattr(self, name, state[name])
        self.watch.load_state_dict(state["watch"])
        self.best.load_state_dict(state["best"])


_NUMBERS = ("batches", "epoch", "batch", "step", "seconds", "began", "rows")
