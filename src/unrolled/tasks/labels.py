"""Figures of merit of predicted classes, for classification and failure.

Letters: n samples, K classes, R draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.tasks.statistic import Additive, Float, Index, Ranking, Statistic, mean

Values = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

_BINS = 15  # of the calibration error (Guo et al. 2017)


def confusion_figures(truth: Index, predicted: Index, classes: int) -> tuple[Statistic, ...]:
    """Accuracy, balanced accuracy, macro F1.

    Args:
        truth: ``(n,)`` codes.
        predicted: ``(n,)`` codes.
        classes: K.
    """
    figures = {"accuracy": _accuracy, "balanced_accuracy": _balanced, "macro_f1": _macro_f1}
    cells, ones = truth * classes + predicted, np.ones((len(truth), 1))

    def of_counts(finish: Callable[[Float], Float]) -> Callable[[Float], Float]:
        return lambda sums: finish(sums.reshape(-1, classes, classes))

    return tuple(
        Additive(name, "higher", ones, of_counts(finish), cells, classes * classes) for name, finish in figures.items()
    )


def class_figures(truth: Index, predicted: Index, names: Sequence[str]) -> tuple[Statistic, ...]:
    """Precision, recall and F1 of each class, named ``f1:V``."""
    return tuple(
        figure
        for code, label in enumerate(names)
        for figure in detection_figures(truth == code, predicted == code, f":{label}")
    )


def detection_figures(actual: Flags, said: Flags, suffix: str = "") -> tuple[Statistic, ...]:
    """Precision, recall and F1 of something that is there or not; 0 where there is nothing to divide by."""
    return counted_figures(actual & said, said, actual, after=suffix)


def counted_figures(
    hit: Flags, said: Flags, actual: Flags, *, before: str = "", after: str = ""
) -> tuple[Statistic, ...]:
    """Precision, recall and F1 from what each sample adds to the hits, to what was said and to what is there."""
    amounts = np.stack([hit, said, actual], axis=1).astype(np.float64)

    def over(divisor: Callable[[Float], Float]) -> Callable[[Float], Float]:
        def share(sums: Float) -> Float:
            below = divisor(sums[:, 0])
            return np.divide(sums[:, 0, 0], below, out=np.zeros(len(sums)), where=below > 0)

        return share

    figures = {
        "precision": over(lambda sums: sums[:, 1]),
        "recall": over(lambda sums: sums[:, 2]),
        "f1": over(lambda sums: (sums[:, 1] + sums[:, 2]) / 2),
    }
    return tuple(Additive(before + name + after, "higher", amounts, finish) for name, finish in figures.items())


def probability_figures(truth: Index, probability: Values) -> tuple[Statistic, ...]:
    """Log loss, and expected calibration error of the likeliest class in 15 bins (Guo et al. 2017).

    Args:
        truth: ``(n,)`` codes.
        probability: ``(n, K)``.
    """
    chance = probability[np.arange(len(truth)), truth].astype(np.float64)
    return mean("log_loss", -np.log(np.maximum(chance, 1e-15))), calibration_error(truth, probability)


def calibration_error(truth: Index, probability: Values) -> Statistic:
    """Expected calibration error of the likeliest class."""
    confidence = probability.max(-1).astype(np.float64)
    correct = probability.argmax(-1) == truth
    cells = np.clip(np.ceil(confidence * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    amounts = np.stack([confidence, correct, np.ones(len(truth))], axis=1)
    return Additive("ece", "lower", amounts, _ece, cells, _BINS)


def ranking_figures(positive: Flags, score: Values) -> tuple[Statistic, ...]:
    """Average precision and ROC AUC of a score."""
    exact: Float = score.astype(np.float64)
    return (
        Ranking("average_precision", "higher", exact, positive),
        Ranking("roc_auc", "higher", exact, positive),
    )


def confusion(truth: Index, predicted: Index, classes: int) -> Index:
    """``(K, K)`` counts, rows true classes."""
    cells = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def _diagonal(counts: Float) -> Float:
    return np.diagonal(counts, axis1=1, axis2=2)


def _accuracy(counts: Float) -> Float:
    result: Float = _diagonal(counts).sum(1) / counts.sum((1, 2))
    return result


def _balanced(counts: Float) -> Float:
    """Mean recall of the classes that occur."""
    occurs = counts.sum(2)
    recall = np.divide(_diagonal(counts), occurs, out=np.zeros_like(occurs), where=occurs > 0)
    result: Float = recall.sum(1) / (occurs > 0).sum(1)
    return result


def _macro_f1(counts: Float) -> Float:
    """Mean F1 of the classes that occur or are predicted."""
    both = counts.sum(2) + counts.sum(1)
    f1 = np.divide(2 * _diagonal(counts), both, out=np.zeros_like(both), where=both > 0)
    result: Float = f1.sum(1) / (both > 0).sum(1)
    return result


def _ece(sums: Float) -> Float:
    confidence, correct, count = np.moveaxis(sums, -1, 0)
    result: Float = np.abs(confidence - correct).sum(1) / count.sum(1)
    return result
