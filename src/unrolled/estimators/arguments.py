"""What every estimator can be told, written once: scikit-learn reads it from the signature that a dataclass makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import BaseEstimator


@dataclass(kw_only=True, eq=False, repr=False)
class Arguments(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Arguments of a constructor; an estimator that takes more of them is a dataclass with those alone.

    Args:
        net: a preset's name, a list of layers, or a torch module (see ``nets.CustomNet``); None takes the preset
            of the task.
        window: last steps of a sequence that are looked at at once; None lets task and data decide.
        epochs: most passes over the data; None takes the task's own number.
        batch_size: sequences a step of training.
        learning_rate: of the optimiser.
        valid: share or number of sequences that only choose when to stop and calibrate the answers; None takes 15 %,
            where that makes ten sequences, and none otherwise.
        random_state: seed of every random choice.
        settings: anything else a job can be told, nested as in ``config.yaml``: ``{"train": {"clip_norm": 5.0}}``.
    """

    net: Any = field(default=None, kw_only=False)
    window: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    valid: float | int | None = None
    random_state: Any = None
    settings: Mapping[str, Any] | None = None
