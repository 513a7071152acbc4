"""Whether one input alone gives the answer away.

Letters: n samples, D inputs, H horizon, M targets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from unrolled.core.diagnosis import Finding
from unrolled.data import Batch
from unrolled.diagnose.wording import finding

_GIVEN_AWAY = 0.995  # of the variance of a number, or of the entropy-free accuracy gained over the usual class
_ENOUGH = 20  # samples
_STEPS = 24  # of a horizon that are looked at

_Values = npt.NDArray[np.float64]


def leak(batches: Sequence[Batch], columns: Sequence[str], own: int, classes: bool) -> Finding:
    """The input that explains the truth best, judged by its value at the last step and by its mean.

    In a forecast, by what it explains beyond the target's own last value: prices of one day explain each other.

    Args:
        batches: of the part looked at.
        columns: names of the D inputs.
        own: leading columns that are the targets' own past, which may explain a lot.
        classes: the truth is class codes.
    """
    truth = torch.cat([batch.y.reshape(len(batch), -1, batch.y.shape[-1])[:, :_STEPS] for batch in batches])
    best, name = 0.0, ""
    last = [_summaries(batches, at)[0] for at in range(own)]
    for at in range(own, batches[0].x.shape[2]):
        for values in _summaries(batches, at):
            for target in range(truth.shape[2]):
                past = last[target] if target < own else None
                for wanted in truth[:, :, target].T.double().numpy():
                    share = _explained(values, wanted, past, classes)
                    if share > best:
                        best, name = share, columns[at] if at < len(columns) else str(at)
    given = best > _GIVEN_AWAY
    return finding(
        "leaked_target" if given else "no_leak",
        "broken" if given else "fine",
        probe="leak",
        figures={"share": best},
        column=repr(name),
    )


def _explained(values: _Values, truth: _Values, past: _Values | None, classes: bool) -> float:
    usable = np.isfinite(truth) & np.isfinite(values)
    if usable.sum() < _ENOUGH:
        return 0.0
    if classes:
        return _classes(values[usable], truth[usable])
    known = np.ones((int(usable.sum()), 1)) if past is None else np.stack([np.ones(len(past)), past], 1)[usable]
    return _numbers(values[usable], truth[usable], known)


def _summaries(batches: Sequence[Batch], at: int) -> list[_Values]:
    last, mean = [], []
    for batch in batches:
        column = batch.x[:, :, at].double()
        time = column.shape[1]
        lengths = torch.full((len(column),), time) if batch.lengths is None else batch.lengths
        inside = torch.arange(time) < lengths[:, None]
        last.append(column.gather(1, (lengths - 1).clamp_min(0)[:, None])[:, 0])
        mean.append(torch.where(inside, column, 0).sum(1) / lengths.clamp_min(1))
    return [torch.cat(part).numpy() for part in (last, mean)]


def _numbers(values: _Values, truth: _Values, known: _Values) -> float:
    """Squared correlation of what is left of both when ``known`` has explained what it can."""
    rest = [part - known @ np.linalg.lstsq(known, part, rcond=None)[0] for part in (values, truth)]
    sizes = [float(np.square(part).sum()) for part in rest]
    if (
        min(size / (float(np.square(part).sum()) or 1) for size, part in zip(sizes, (values, truth), strict=True))
        < 1e-12
    ):
        return 0.0
    return float((rest[0] @ rest[1]) ** 2 / (sizes[0] * sizes[1]))


def _classes(values: _Values, truth: _Values) -> float:
    """Accuracy of the best division of the axis into one stretch a class, above that of the usual class, as a share."""
    codes = truth.astype(np.int64)
    counts = np.bincount(codes)
    usual = counts.max() / len(codes)
    if usual == 1:
        return 0.0
    centres = np.array([np.median(values[codes == code]) if count else np.inf for code, count in enumerate(counts)])
    nearest = np.abs(values[:, None] - centres).argmin(1)
    return float(((nearest == codes).mean() - usual) / (1 - usual))
