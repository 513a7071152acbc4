"""What estimators share whose answers are labels: classes in their own type, the likeliest one, and probabilities.

Letters: n answers, M targets, K classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.estimators.base import frame_of
from unrolled.estimators.labels import classes_of, in_column, named
from unrolled.estimators.origin import Label
from unrolled.estimators.sequences import Sequences
from unrolled.prepare.answer import Answer
from unrolled.prepare.decoding import ClassDecoding, PairDecoding
from unrolled.prepare.table import Array, Table

if TYPE_CHECKING:
    import polars as pl


class Classes(Sequences):
    """Answers with labels."""

    @property
    def classes_(self) -> Any:
        """``(K,)`` sorted labels, or a list of M such arrays."""
        found = [np.sort(labels) for labels in self._labels]
        return found[0] if len(found) == 1 else found

    def predict_table(self, X: Any) -> pl.DataFrame:
        """Predictions as a polars frame: sequence, time where there is one, label and probability of each class.

        Args and errors as in ``predict``.
        """
        prediction = self._predicted(X)
        columns = zip(prediction.answer.targets, self._decoded(prediction.answer), strict=True)
        return frame_of(prediction).with_columns(**dict(columns))

    def _likeliest(self, answer: Answer) -> Array:
        """``(n,)``, or ``(n, M)`` of several targets."""
        labels = self._decoded(answer)
        return labels[0] if len(labels) == 1 else np.stack(labels, axis=1)

    def _chances(self, answer: Answer) -> list[Array]:
        """``(n, K)`` of each target, in the order of ``classes_``."""
        assert answer.probability is not None
        return [answer.probability[:, at, np.argsort(own)] for at, own in enumerate(self._labels)]

    def _decoded(self, answer: Answer) -> list[Array]:
        """The labels ``(n,)`` of each target."""
        codes = answer.value.astype(np.int64)
        return [own[codes[:, at]] for at, own in enumerate(self._labels)]

    def _named(self, truth: Array) -> Array:
        return named(truth)

    def _classes_of(self, bundle: Bundle, truth: Array | Table) -> tuple[tuple[Label, ...], ...]:
        decoding = bundle.manifest.settings["decoding"]
        if isinstance(truth, Table):
            columns = truth.columns | truth.case_columns
            given = [in_column(columns.get(name)) for name in decoding["targets"]]
        else:
            given = list(truth.reshape(len(truth), -1).T)
        classes = _by_target(decoding["classes"])
        return tuple(classes_of(names, column) for names, column in zip(classes, given, strict=True))

    def _adopt(self, bundle: Bundle) -> None:
        super()._adopt(bundle)
        decoding = self._predictor().settings.decoding
        assert isinstance(decoding, ClassDecoding | PairDecoding)
        classes = _by_target(decoding.classes)
        given = self._origin.classes or classes
        if [len(labels) for labels in given] != [len(names) for names in classes]:
            raise BundleError("its labels are not those of its classes", where="the manifest")
        self._labels = [np.array(labels) for labels in given]


def _by_target(classes: Any) -> Any:
    """Names of classes target by target, also of pairs, which have one target."""
    return [classes] if isinstance(classes[0], str) else classes
