"""A metric as a function of how much each sample weighs: one value, or a thousand resampled ones at once.

Letters: n samples, G groups of samples that are drawn together, R draws, P cells, A amounts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Better = Literal["lower", "higher", "nominal"]


@dataclass(frozen=True)
class Statistic(ABC):
    """One figure of merit over n samples."""

    name: str
    better: Better

    @abstractmethod
    def draws(self, weights: Float, member: Index) -> Float:
        """``(R,)`` values when group g of draw r counts ``weights[r, g]`` times.

        Args:
            weights: ``(R, G)``.
            member: ``(n,)`` the group of each sample.
        """

    @property
    @abstractmethod
    def value(self) -> float:
        """The figure over all samples, each counted once; NaN where it is not defined."""


@dataclass(frozen=True)
class Additive(Statistic):
    """A function of sums over the samples: means, ratios, everything that a confusion matrix gives.

    Attributes:
        amounts: ``(n, A)`` what each sample adds.
        finish: ``(R, P, A)`` sums -> ``(R,)`` values.
        cells: ``(n,)`` which of the P cells a sample adds to; None means cell 0.
        count: P.
    """

    amounts: Float
    finish: Callable[[Float], Float]
    cells: Index | None = None
    count: int = 1

    def draws(self, weights: Float, member: Index) -> Float:
        groups, width = weights.shape[1], self.amounts.shape[1]
        place = member * self.count + (0 if self.cells is None else self.cells)
        size = groups * self.count
        sums = np.stack([np.bincount(place, amount, minlength=size) for amount in self.amounts.T], axis=-1)
        total = weights @ sums.reshape(groups, self.count * width)
        with np.errstate(divide="ignore", invalid="ignore"):  # an empty draw gives NaN, which callers look for
            return self.finish(total.reshape(-1, self.count, width))

    @property
    def value(self) -> float:
        return float(self.draws(np.ones((1, 1)), np.zeros(len(self.amounts), dtype=np.int64))[0])


_CHUNK = 4_000_000  # weights held at once by a ranking


@dataclass(frozen=True)
class Ranking(Statistic):
    """How well a score ranks positive samples above negative ones: "average_precision" or "roc_auc"."""

    score: Float
    positive: npt.NDArray[np.bool_]

    def draws(self, weights: Float, member: Index) -> Float:
        order = np.argsort(-self.score, kind="stable")
        positive, member = self.positive[order], member[order]
        ends = np.flatnonzero(np.append(np.diff(self.score[order]) != 0, True))  # of equal scores
        measure = {"average_precision": _average_precision, "roc_auc": _roc_auc}[self.name]
        rows = max(1, _CHUNK // max(1, len(order)))
        values = []
        for at in range(0, len(weights), rows):
            weight = weights[at : at + rows, member]
            hits = np.cumsum(weight * positive, axis=1)[:, ends]
            false = np.cumsum(weight * ~positive, axis=1)[:, ends]
            with np.errstate(divide="ignore", invalid="ignore"):
                values.append(measure(hits, false))
        return np.concatenate(values)

    @property
    def value(self) -> float:
        if len(self.score) == 0:
            return float("nan")
        return float(self.draws(np.ones((1, 1)), np.zeros(len(self.score), dtype=np.int64))[0])


@dataclass(frozen=True)
class Opaque(Statistic):
    """A user's own metric: one value, without an interval."""

    figure: float

    def draws(self, weights: Float, member: Index) -> Float:
        return np.full(len(weights), np.nan)

    @property
    def value(self) -> float:
        return self.figure


@dataclass(frozen=True)
class Among(Statistic):
    """A figure that speaks of some of the samples; the others are drawn too, and add nothing.

    Attributes:
        figure: over ``len(rows)`` samples.
        rows: ``(k,)`` which of the n samples those are.
    """

    figure: Statistic
    rows: Index

    def draws(self, weights: Float, member: Index) -> Float:
        return self.figure.draws(weights, member[self.rows])

    @property
    def value(self) -> float:
        return self.figure.value


def among(known: npt.NDArray[np.bool_], figures: Sequence[Statistic]) -> tuple[Statistic, ...]:
    """Figures over the ``known`` ``(n,)`` of n samples as figures over all of them."""
    if known.all():
        return tuple(figures)
    rows = np.flatnonzero(known)
    return tuple(Among(figure.name, figure.better, figure, rows) for figure in figures)


def ratio(sums: Float) -> Float:
    """``(R, 1, 2)`` sums of amounts and of counts -> their quotient."""
    result: Float = sums[:, 0, 0] / sums[:, 0, 1]
    return result


def mean(name: str, amounts: npt.NDArray[Any], better: Better = "lower") -> Additive:
    """The mean over all entries of ``amounts`` ``(n, ...)`` that are not NaN."""
    flat = amounts.reshape(len(amounts), -1)
    pairs = np.stack([np.nansum(flat, axis=1), np.isfinite(flat).sum(1)], axis=1)
    return Additive(name, better, pairs.astype(np.float64), ratio)


def _average_precision(hits: Float, false: Float) -> Float:
    """Area under the precision-recall steps; ``(R, ends)`` cumulated weights -> ``(R,)``."""
    precision = np.where(hits + false > 0, hits / (hits + false), 0.0)
    gained = np.diff(hits, axis=1, prepend=0)
    result: Float = (precision * gained).sum(1) / hits[:, -1]
    return result


def _roc_auc(hits: Float, false: Float) -> Float:
    """Area under the ROC curve by trapezoids; ``(R, ends)`` cumulated weights -> ``(R,)``."""
    before = np.concatenate([np.zeros((len(hits), 1)), hits[:, :-1]], axis=1)
    area = (np.diff(false, axis=1, prepend=0) * (hits + before) / 2).sum(1)
    result: Float = area / (hits[:, -1] * false[:, -1])
    return result
