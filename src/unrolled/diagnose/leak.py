"""Whether one input alone gives the answer away.

Letters: n samples, D inputs, M targets.
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


def leak(batches: Sequence[Batch], columns: Sequence[str], own: int, classes: bool) -> Finding:
    """The input that explains the truth best, judged by its value at the last step and by its mean.

    Args:
        batches: of the part looked at.
        columns: names of the D inputs.
        own: leading columns that are the targets' own past, which may explain a lot.
        classes: the truth is class codes.
    """
    truth = torch.cat([batch.y.reshape(len(batch), -1)[:, :1] for batch in batches])[:, 0].double().numpy()
    known = np.isfinite(truth)
    best, name = 0.0, ""
    for at in range(own, batches[0].x.shape[2]):
        for values in _summaries(batches, at):
            usable = known & np.isfinite(values)
            if usable.sum() >= _ENOUGH:
                share = (_classes if classes else _numbers)(values[usable], truth[usable])
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


def _summaries(batches: Sequence[Batch], at: int) -> list[npt.NDArray[np.float64]]:
    last, mean = [], []
    for batch in batches:
        column = batch.x[:, :, at].double()
        time = column.shape[1]
        lengths = torch.full((len(column),), time) if batch.lengths is None else batch.lengths
        inside = torch.arange(time) < lengths[:, None]
        last.append(column.gather(1, (lengths - 1).clamp_min(0)[:, None])[:, 0])
        mean.append(torch.where(inside, column, 0).sum(1) / lengths.clamp_min(1))
    return [torch.cat(part).numpy() for part in (last, mean)]


def _numbers(values: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> float:
    """Squared correlation."""
    if values.std() == 0 or truth.std() == 0:
        return 0.0
    return float(np.corrcoef(values, truth)[0, 1] ** 2)


def _classes(values: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> float:
    """Accuracy of the best division of the axis into one stretch a class, above that of the usual class, as a share."""
    codes = truth.astype(np.int64)
    counts = np.bincount(codes)
    usual = counts.max() / len(codes)
    if usual == 1:
        return 0.0
    centres = np.array([np.median(values[codes == code]) if count else np.inf for code, count in enumerate(counts)])
    nearest = np.abs(values[:, None] - centres).argmin(1)
    return float(((nearest == codes).mean() - usual) / (1 - usual))
