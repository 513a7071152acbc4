"""Which learning rate: the loss while it rises from batch to batch (Smith 2017, arXiv 1506.01186, section 3.3)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

import numpy as np
from torch import nn

from unrolled.core.diagnosis import Finding, Level
from unrolled.core.records import CurvePicture
from unrolled.data import Batch
from unrolled.diagnose.wording import finding
from unrolled.train.machine import build_fabric
from unrolled.train.protocols import Batches, Loss
from unrolled.train.settings import TrainSettings
from unrolled.train.stepper import Stepper

_LOWEST, _HIGHEST, _STEPS = 1e-6, 10.0, 120
_SMOOTH = 0.85  # weight of the past in the running mean of the loss
_BURST = 4.0  # times the lowest loss, or more above it than the whole fall, at which the test ends
_MARGIN = 10.0  # between the rate of the lowest loss and the one to choose (the rule of thumb of fastai's finder)


def rate_range(net: nn.Module, batches: Batches, loss: Loss, settings: TrainSettings) -> Finding:
    """Train a copy of a fresh net for at most 120 steps, each at a rate 14 % above the last.

    Args:
        net: as it begins; it is left as it is.
        batches: of the training part.
        loss, settings: of the run; its optimiser, decay and clipping are kept.

    Returns:
        The curve, the rate of the steepest fall, that of the lowest loss, and a verdict on the run's own rate.
    """
    rates, losses = _trace(deepcopy(net).train(), batches, loss, settings)
    smooth = _smoothed(losses)
    lowest = int(smooth.argmin())
    fall = np.gradient(smooth[: lowest + 1]) if lowest > 1 else np.zeros(1)
    chosen, own = rates[lowest] / _MARGIN, settings.learning_rate
    figures = {
        "chosen": float(f"{chosen:.1e}"),
        "steepest": float(rates[int(fall.argmin())]),
        "lowest": float(rates[lowest]),
        "ends": float(rates[-1]),
        "own": own,
    }
    too_high, too_low = own > rates[lowest], own < chosen / _MARGIN**2
    level: Level = "watch" if too_high or too_low else "fine"
    code = "rate_above_range" if too_high else "rate_below_range" if too_low else "rate_in_range"
    picture = CurvePicture(
        name="loss_by_rate",
        x_label="log10_rate",
        y_label="loss",
        x=tuple(np.log10(rates).tolist()),
        lines={"loss": tuple(losses.tolist()), "smoothed": tuple(smooth.tolist())},
    )
    return finding(code, level, probe="rates", figures=figures, pictures=[picture])


def _trace(net: nn.Module, batches: Batches, loss: Loss, settings: TrainSettings) -> tuple[Any, Any]:
    """Rates and the loss at each, until it bursts."""
    stepper = Stepper(net, loss, settings, build_fabric(settings))
    stepper.begin(0)
    rates, losses, smooth = [], [], []
    source = _endless(batches)
    for rate in np.geomspace(_LOWEST, _HIGHEST, _STEPS):
        batch = next(source)
        value, norm = stepper.gradients([batch], len(batch))
        if not (math.isfinite(float(value)) and math.isfinite(float(norm))):
            break
        stepper.update(float(rate))
        rates.append(rate)
        losses.append(float(value))
        smooth = _smoothed(np.array(losses))
        rise, fallen = smooth[-1] - smooth.min(), smooth[0] - smooth.min()
        if len(losses) > _STEPS // 4 and rise > max(fallen, (_BURST - 1) * abs(smooth.min())):
            break
    stepper.end()
    return np.array(rates), np.array(losses)


def _endless(batches: Batches) -> Iterator[Batch]:
    for number in count():
        yield from batches.epoch(number)


def _smoothed(losses: Any) -> Any:
    """Running mean that forgets, corrected for its beginning."""
    total, weight, found = 0.0, 0.0, []
    for loss in losses:
        total, weight = _SMOOTH * total + (1 - _SMOOTH) * loss, _SMOOTH * weight + (1 - _SMOOTH)
        found.append(total / weight)
    return np.array(found)
