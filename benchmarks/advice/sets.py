"""Sets that claims are measured on, as arrays, and nets trained on them the same way.

Letters: n sequences, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled import Classifier
from unrolled.prepare.read import read

SEEDS = (0, 1, 2)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Arrays:
    """Training and test part: ``(n, T)`` values and ``(n,)`` labels."""

    train: Float
    train_y: npt.NDArray[Any]
    test: Float
    test_y: npt.NDArray[Any]

    def resampled(self, steps: int) -> Arrays:
        """Every sequence on a line through its values, at so many places."""
        return replace(self, train=_at(self.train, steps), test=_at(self.test, steps))

    def noisy(self, deviations: float, seed: int) -> Arrays:
        """White noise of so many standard deviations of the training part added to all of it."""
        random = np.random.default_rng(seed)
        size = deviations * self.train.std()
        train, test = (part + size * random.normal(size=part.shape) for part in (self.train, self.test))
        return replace(self, train=train, test=test)


def ucr(name: str) -> Arrays:
    """A set of equal lengths and one channel."""
    parts = []
    for end in ("TRAIN", "TEST"):
        table = read(str(DATA / "ucr_uea" / name / f"{name}_{end}.ts"))
        (values,) = table.columns.values()
        (labels,) = table.case_columns.values()
        parts += [values.reshape(len(labels), -1), labels]
    return Arrays(*parts)


def gunpoint() -> Arrays:
    """50 to learn from, 150 for the test, 150 steps, two classes."""
    return ucr("GunPoint")


def accuracy(
    net: list[Any], data: Arrays, seed: int, *, epochs: int = 60, rate: float = 5e-3, decay: float | None = None
) -> float:
    """On the test part, after so many passes in batches of 16, everything else as the task has it."""
    settings: dict[str, Any] = {} if decay is None else {"train": {"weight_decay": decay}}
    model = Classifier(
        net=net, epochs=epochs, batch_size=16, learning_rate=rate, valid=0, random_state=seed, settings=settings
    )
    return float((model.fit(data.train, data.train_y).predict(data.test) == data.test_y).mean())


def _at(values: Float, steps: int) -> Float:
    place = np.linspace(0, values.shape[1] - 1, steps)
    return np.stack([np.interp(place, np.arange(values.shape[1]), row) for row in values])
