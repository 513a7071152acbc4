"""What the curves of training say: learning, diverging, over-fitting, clipping."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from unrolled.core.diagnosis import Finding
from unrolled.diagnose.wording import finding
from unrolled.train.vitals import CLIPPED, FAST

_NOTHING = 0.02  # of the first loss: less of a fall is nothing learnt
_LOST, _LATE = 0.5, 3  # of what had been learnt; epochs at the end whose median is taken
_HIGH, _FALLING = 0.5, 0.05  # of the first loss; of the loss a quarter of the epochs before
_OVERFITTED = 1.2


def learning(rows: Sequence[Mapping[str, float]]) -> Iterator[Finding]:
    """Findings from the rows of ``metrics.jsonl``, one an epoch; none from fewer than two."""
    losses = [row["train_loss"] for row in rows if "train_loss" in row]
    if len(losses) < 2:
        return
    yield _course(losses)
    held = [row["valid_loss"] for row in rows if "valid_loss" in row]
    if len(held) > 2 and 0 < min(held) and losses[-1] < losses[0] and held[-1] > _OVERFITTED * min(held):
        yield finding("overfitting", "watch", probe="learning", figures={"rise": held[-1] / min(held)})
    yield from _unfinished(losses)
    yield from _steps(rows)


def _steps(rows: Sequence[Mapping[str, float]]) -> Iterator[Finding]:
    """How long steps were: beside the weights, and beside the clipping norm."""
    ratio, rate = max(((row["update_ratio"], row["lr"]) for row in rows if "update_ratio" in row), default=(0.0, 0.0))
    if ratio > FAST:  # of all epochs: weights that have run away are large, and later change by less of their size
        yield finding("learning_rate_high", "broken", probe="learning", figures={"ratio": ratio, "rate": rate / 10})
    clipped = [row["clip_rate"] for row in rows if "clip_rate" in row]
    share = sum(clipped) / len(clipped) if clipped else 0.0
    if share > CLIPPED:
        yield finding("clipped_often", "watch", probe="learning", figures={"share": share})


def _unfinished(losses: Sequence[float]) -> Iterator[Finding]:
    """A loss that is still high and still falls."""
    quarter = losses[-1 - len(losses) // 4]
    if len(losses) < 8 or not 0 < losses[-1] < quarter or losses[0] <= 0:
        return
    share, fall = losses[-1] / losses[0], 1 - losses[-1] / quarter
    if share > _HIGH and fall > _FALLING:
        yield finding("underfitting", "watch", probe="learning", figures={"share": share, "fall": fall})


def _course(losses: Sequence[float]) -> Finding:
    """Losses may be negative (a likelihood), so that a share of the first is only said of positive ones."""
    first, best = losses[0], min(losses)
    last = losses[-1] if not math.isfinite(losses[-1]) else median(losses[-max(1, min(_LATE, len(losses) // 4)) :])
    lost = (last - best) / max(first - best, _NOTHING * abs(first), 1e-12)
    if not math.isfinite(last) or lost > _LOST:
        return finding("diverging", "broken", probe="learning", figures={"lost": lost, "rise": last - best})
    share = last / first if first > 0 else 1 - (first - last) / max(abs(first), 1e-12)
    if share > 1 - _NOTHING:
        return finding("not_learning", "broken", probe="learning", figures={"share": share})
    return finding("learned", "fine", probe="learning", figures={"share": share})
