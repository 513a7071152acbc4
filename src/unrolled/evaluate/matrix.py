"""The confusion matrix that the report draws.

Letters: n samples, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unrolled.core.records import ConfusionPicture
from unrolled.tasks.labels import confusion


def confusion_picture(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: Sequence[str]
) -> ConfusionPicture:
    """Counts, and precision, recall and F1 of each class (0 where there is nothing to divide by)."""
    counts = confusion(truth, predicted, len(classes))
    hits, predictions, occurrences = np.diag(counts), counts.sum(0), counts.sum(1)
    precision = hits / np.maximum(predictions, 1)
    recall = hits / np.maximum(occurrences, 1)
    f1 = 2 * hits / np.maximum(predictions + occurrences, 1)
    return ConfusionPicture(
        classes=tuple(classes),
        counts=tuple(tuple(row) for row in counts.tolist()),
        precision=_floats(precision),
        recall=_floats(recall),
        f1=_floats(f1),
    )


def _floats(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
