"""Unrolled: from a file of sequences to a small, fast, explained recurrent model that runs anywhere.

Names are loaded on first use: importing the package loads nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.core.errors import UnrolledError
    from unrolled.estimators import (
        AnomalyDetector,
        Classifier,
        Forecaster,
        PairClassifier,
        Recommender,
        Regressor,
        Tagger,
    )
    from unrolled.nets.accelerate import accelerate
    from unrolled.nets.drop_in import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
    from unrolled.nets.keras import from_keras

__version__ = "0.1.0"

_HOMES = {
    "GRU": "unrolled.nets.drop_in",
    "GRUCell": "unrolled.nets.drop_in",
    "LSTM": "unrolled.nets.drop_in",
    "LSTMCell": "unrolled.nets.drop_in",
    "RNN": "unrolled.nets.drop_in",
    "RNNCell": "unrolled.nets.drop_in",
    "AnomalyDetector": "unrolled.estimators",
    "Classifier": "unrolled.estimators",
    "Forecaster": "unrolled.estimators",
    "PairClassifier": "unrolled.estimators",
    "Recommender": "unrolled.estimators",
    "Regressor": "unrolled.estimators",
    "Tagger": "unrolled.estimators",
    "UnrolledError": "unrolled.core.errors",
    "accelerate": "unrolled.nets.accelerate",
    "from_keras": "unrolled.nets.keras",
}

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AnomalyDetector",
    "Classifier",
    "Forecaster",
    "GRUCell",
    "LSTMCell",
    "PairClassifier",
    "RNNCell",
    "Recommender",
    "Regressor",
    "Tagger",
    "UnrolledError",
    "accelerate",
    "from_keras",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name].startswith("unrolled.nets."):
        from unrolled.core.optional import require

        require("torch", extra="train", purpose=f"unrolled.{name}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
