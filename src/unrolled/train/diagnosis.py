"""Why a loss or a gradient is not finite, judged from what can be seen, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

import torch
from torch import Tensor

from unrolled.data.batch import Batch
from unrolled.train.settings import TrainSettings

_GROWTH = 10.0  # times the usual loss or gradient norm that counts as running away
_OUTLIER = 100.0  # times the usual largest value of a sample that counts as an outlier
_LARGE = 100.0  # gradient norm that is large for any net, where nothing clips it
_OTHERS = 16  # batches read to know the usual


@dataclass(frozen=True)
class Cause:
    """The likely cause in one clause, and the mend."""

    what: str
    mend: str


@dataclass(frozen=True)
class Evidence:
    """What was seen when a step was not finite.

    Attributes:
        loss, norm: of the step; norm is the global gradient norm.
        recent: (loss, norm) of the finite steps before it, oldest first.
        batch: the step's batch; others: batches to compare it with, the first few are read.
    """

    loss: float
    norm: float
    recent: Sequence[tuple[float, float]]
    batch: Batch
    others: Iterable[Batch]


def likely_cause(seen: Evidence, settings: TrainSettings) -> Cause:
    """The first explanation that fits, from the certain ones to the usual one."""
    return (
        _bad_values(seen.batch)
        or _outlier(seen.batch, seen.others)
        or _fp16(settings)
        or _exploding(seen, settings)
        or _diverging(seen, settings)
        or _unknown_truth(seen)
        or _undefined(seen)
        or _too_fast(settings)
    )


def _bad_values(batch: Batch) -> Cause | None:
    for name, value in _tensors(batch).items():
        # NaN in y is truth that is not known, which a loss may leave out.
        bad = _first(value.isinf() if name == "y" else ~value.isfinite())
        if bad is not None:
            return Cause(
                f"the data: {name} has values that are not finite, first in sample {bad + 1} of the batch",
                "choose a policy for missing values, or remove infinite values from the file",
            )
    return None


def _unknown_truth(seen: Evidence) -> Cause | None:
    bad = _first(seen.batch.y.isnan())
    if bad is None or not math.isnan(seen.loss):
        return None
    return Cause(
        f"the data: y is missing (NaN), first in sample {bad + 1} of the batch, and the loss does not leave it out",
        "use a loss that leaves out NaN in y, or choose a policy for missing values",
    )


def _first(bad: Tensor) -> int | None:
    """First sample of a batch that has a true value."""
    rows = bad.reshape(len(bad), -1).any(1).nonzero()
    return int(rows[0]) if len(rows) else None


def _outlier(batch: Batch, others: Iterable[Batch]) -> Cause | None:
    compared = [_largest(batch), *(_largest(other) for other in islice(others, _OTHERS))]
    for name, sizes in compared[0].items():
        usual = float(torch.cat([sample[name].cpu() for sample in compared]).median())
        largest = float(sizes.max())
        if usual > 0 and largest > _OUTLIER * usual:
            return Cause(
                f"an outlier in the data: {name} reaches {largest:.3g} in sample {int(sizes.argmax()) + 1} "
                f"of the batch, {largest / usual:.0f} times the usual largest value of a sample",
                "check that row of the file, or choose a robust or logarithmic transform",
            )
    return None


def _fp16(settings: TrainSettings) -> Cause | None:
    if settings.precision != "fp16":
        return None
    return Cause("overflow in fp16, which ends at 65504", "use precision: bf16 or precision: 32")


def _exploding(seen: Evidence, settings: TrainSettings) -> Cause | None:
    norms = [norm for _, norm in seen.recent]
    clipped = settings.clip_norm is not None
    if clipped:
        # Clipped gradients cannot carry the weights away: where the loss grew too, it was the learning rate.
        fits = _ran_away(norms) and not _ran_away([abs(loss) for loss, _ in seen.recent])
    else:
        fits = _ran_away(norms) or (bool(norms) and norms[-1] > _LARGE)
    if not fits:
        return None
    other = "shorten the windows" if clipped else "clip the gradients: clip_norm: 1.0"
    what = f"exploding gradients: their norm reached {max(norms[-5:]):.3g}, after {median(norms):.3g} as a rule"
    return Cause(what, f"{other}; or {_slower(settings)}")


def _diverging(seen: Evidence, settings: TrainSettings) -> Cause | None:
    losses = [abs(loss) for loss, _ in seen.recent]
    if not _ran_away(losses):
        return None
    what = f"a learning rate that is too high: the loss went from {median(losses):.3g} to {max(losses[-5:]):.3g}"
    return Cause(what, _slower(settings))


def _undefined(seen: Evidence) -> Cause | None:
    if not math.isfinite(seen.loss):
        return None
    return Cause(
        "a derivative that does not exist at this point, such as that of a square root or logarithm at 0: "
        "the loss is finite and its gradient is not",
        "look at the loss and at layers of your own, and add a small constant under the root or logarithm",
    )


def _too_fast(settings: TrainSettings) -> Cause:
    return Cause("a learning rate that is too high for this net and data", _slower(settings))


def _slower(settings: TrainSettings) -> str:
    return f"lower the learning rate, for instance learning_rate: {settings.learning_rate / 10:.2g}"


def _ran_away(values: Sequence[float]) -> bool:
    """Whether the last few values are far above the usual ones before them."""
    before, last = values[:-5], values[-5:]
    return bool(before) and max(last) > _GROWTH * max(median(before), 1e-12)


def _tensors(batch: Batch) -> dict[str, Tensor]:
    """Floating-point parts of a batch, padding of ``x`` set to zero."""
    parts = {"x": batch.x, "y": batch.y, "static": batch.static, "known": batch.known, "weight": batch.weight}
    found = {name: part for name, part in parts.items() if part is not None and part.is_floating_point()}
    if batch.lengths is not None and "x" in found:
        padding = torch.arange(batch.x.shape[1], device=batch.x.device) >= batch.lengths[:, None]
        found["x"] = batch.x.masked_fill(padding[:, :, None], 0.0)
    return found


def _largest(batch: Batch) -> dict[str, Tensor]:
    """(B,) largest magnitude of each sample."""
    return {
        name: value.abs().reshape(len(value), -1).amax(1) for name, value in _tensors(batch).items() if value.numel()
    }
