"""Figures of merit of predicted classes, for classification and failure.

Letters: n samples, K classes, R draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.tasks.statistic import Additive, Float, Index, Ranking, Statistic, mean

Values = npt.NDArray[np.floating[Any]]

_BINS = 15  # of the calibration error (Guo et al. 2017)


def confusion_figures(truth: Index, predicted: Index, classes: int) -> tuple[Statistic, ...]:
    """Accuracy, balanced accuracy, macro F1.

    Args:
        truth: ``(n,)`` codes.
        predicted: ``(n,)`` codes.
        classes: K.
    """
    figures = {"accuracy": _accuracy, "balanced_accuracy": _balanced, "macro_f1": _macro_f1}
    return tuple(_of_confusion(name, truth, predicted, classes, finish) for name, finish in figures.items())


def class_figures(truth: Index, predicted: Index, names: Sequence[str]) -> tuple[Statistic, ...]:
    """Precision, recall and F1 of each class, named ``f1:V``."""
    figures = {"precision": _precision, "recall": _recall, "f1": _f1}

    def of_class(code: int, figure: Any) -> Any:
        return lambda counts: figure(counts)[:, code]

    return tuple(
        _of_confusion(f"{name}:{label}", truth, predicted, len(names), of_class(code, figure))
        for code, label in enumerate(names)
        for name, figure in figures.items()
    )


def alarm_figures(truth: Index, predicted: Index) -> tuple[Statistic, ...]:
    """F1, precision and recall of the positive class of two."""
    figures = {"f1": _f1, "precision": _precision, "recall": _recall}

    def of_alarm(figure: Any) -> Any:
        return lambda counts: figure(counts)[:, 1]

    return tuple(_of_confusion(name, truth, predicted, 2, of_alarm(figure)) for name, figure in figures.items())


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


def ranking_figures(positive: npt.NDArray[np.bool_], score: Values) -> tuple[Statistic, ...]:
    """Average precision and ROC AUC of a score."""
    exact: Float = score.astype(np.float64)
    return (
        Ranking("average_precision", "higher", "average_precision", exact, positive),
        Ranking("roc_auc", "higher", "roc_auc", exact, positive),
    )


def confusion(truth: Index, predicted: Index, classes: int) -> Index:
    """``(K, K)`` counts, rows true classes."""
    cells = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def _of_confusion(name: str, truth: Index, predicted: Index, classes: int, finish: Any) -> Additive:
    def of_counts(sums: Float) -> Float:
        result: Float = finish(sums.reshape(-1, classes, classes))
        return result

    cells = truth * classes + predicted
    return Additive(name, "higher", np.ones((len(truth), 1)), of_counts, cells, classes * classes)


def _diagonal(counts: Float) -> Float:
    return np.diagonal(counts, axis1=1, axis2=2)


def _accuracy(counts: Float) -> Float:
    result: Float = _diagonal(counts).sum(1) / counts.sum((1, 2))
    return result


def _recall(counts: Float) -> Float:
    """``(R, K)``; 0 where a class never occurs."""
    occurs = counts.sum(2)
    return np.where(occurs > 0, _diagonal(counts) / occurs, 0.0)


def _precision(counts: Float) -> Float:
    """``(R, K)``; 0 where a class is never predicted."""
    predicted = counts.sum(1)
    return np.where(predicted > 0, _diagonal(counts) / predicted, 0.0)


def _f1(counts: Float) -> Float:
    """``(R, K)``; 0 where a class neither occurs nor is predicted."""
    both = counts.sum(2) + counts.sum(1)
    return np.where(both > 0, 2 * _diagonal(counts) / both, 0.0)


def _balanced(counts: Float) -> Float:
    """Mean recall of the classes that occur."""
    occurs = counts.sum(2) > 0
    result: Float = _recall(counts).sum(1) / occurs.sum(1)
    return result


def _macro_f1(counts: Float) -> Float:
    """Mean F1 of the classes that occur or are predicted."""
    seen = counts.sum(2) + counts.sum(1) > 0
    result: Float = _f1(counts).sum(1) / seen.sum(1)
    return result


def _ece(sums: Float) -> Float:
    confidence, correct, count = np.moveaxis(sums, -1, 0)
    result: Float = np.abs(confidence - correct).sum(1) / count.sum(1)
    return result
