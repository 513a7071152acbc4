"""The learning rate over time, as a function of the optimiser steps taken.

``step``, ``cosine``, ``one_cycle`` (Smith & Topin 2018, arXiv 1708.07120) and ``plateau`` follow torch's schedulers
of these names; being functions of the step they have nothing to restore at resume, ``plateau`` excepted.
"""

from __future__ import annotations

import math

from unrolled.train.settings import TrainSettings

_RISE = 0.3  # share of one_cycle's steps on the way up
_FIRST, _LAST = 1 / 25, 1 / 25e4  # one_cycle's first and last rate, of the peak


class Schedule:
    """Learning rate of each optimiser step.

    Args:
        settings: names the schedule and its figures.
        steps_per_epoch: optimiser steps of one epoch.
    """

    def __init__(self, settings: TrainSettings, steps_per_epoch: int) -> None:
        self._settings = settings
        self._per_epoch = steps_per_epoch
        self._total = settings.epochs * steps_per_epoch
        self._warmup = round(settings.warmup * steps_per_epoch)
        self._reduction = 1.0
        self._waited = 0

    def rate(self, step: int) -> float:
        """Learning rate of optimiser step ``step``, the first being 0."""
        rise = min(1.0, (step + 1) / self._warmup) if self._warmup else 1.0
        return self._settings.learning_rate * rise * self._factor(step)

    def observe(self, improved: bool) -> None:
        """Tell schedule plateau how an epoch ended."""
        self._waited = 0 if improved else self._waited + 1
        if self._waited > self._settings.plateau_patience:
            self._reduction *= self._settings.plateau_factor
            self._waited = 0

    def state_dict(self) -> dict[str, float]:
        return {"reduction": self._reduction, "waited": self._waited}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self._reduction, self._waited = state["reduction"], int(state["waited"])

    def _factor(self, step: int) -> float:
        settings = self._settings
        match settings.schedule:
            case "constant":
                return 1.0
            case "step":
                return float(settings.step_factor ** (step // self._per_epoch // settings.step_epochs))
            case "cosine":
                return _cosine(1.0, 0.0, step / self._total)
            case "one_cycle":
                return self._one_cycle(step)
            case "plateau":
                return self._reduction

    def _one_cycle(self, step: int) -> float:
        top, last = _RISE * self._total - 1, self._total - 1
        if step <= top:
            return _cosine(_FIRST, 1.0, step / top if top > 0 else 1.0)
        return _cosine(1.0, _LAST, (step - top) / (last - top))


def _cosine(start: float, end: float, share: float) -> float:
    """From ``start`` to ``end`` along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
