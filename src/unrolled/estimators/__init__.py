"""The estimators, in scikit-learn's manner; fitting goes the same road as the command line.

Names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrolled.core.optional import require

if TYPE_CHECKING:
    from unrolled.estimators.anomaly_detector import AnomalyDetector
    from unrolled.estimators.classifier import Classifier
    from unrolled.estimators.forecaster import Forecaster
    from unrolled.estimators.pair_classifier import PairClassifier
    from unrolled.estimators.recommender import Recommender
    from unrolled.estimators.regressor import Regressor
    from unrolled.estimators.tagger import Tagger

_HOMES = {
    "AnomalyDetector": "anomaly_detector",
    "Classifier": "classifier",
    "Forecaster": "forecaster",
    "PairClassifier": "pair_classifier",
    "Recommender": "recommender",
    "Regressor": "regressor",
    "Tagger": "tagger",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("sklearn", extra="train", purpose="an estimator")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["AnomalyDetector", "Classifier", "Forecaster", "PairClassifier", "Recommender", "Regressor", "Tagger"]
