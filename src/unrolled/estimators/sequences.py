"""What Classifier and Regressor share: one answer for each sequence of X.

Letters: n sequences, T steps, D channels, M targets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError, DataError
from unrolled.estimators.base import Array, Estimator, frame_of, names_of
from unrolled.estimators.job import FEWEST, SHARE
from unrolled.estimators.origin import Label, Origin
from unrolled.prepare.read import read
from unrolled.prepare.table import Table
from unrolled.runtime import Prediction


class Sequences(Estimator):
    """Reads X and y in every form, runs the job, and predicts."""

    _figures: ClassVar[tuple[str, ...]]  # of an evaluation; the first that is there is the score

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, folder: Path | str | None = None) -> Self:
        """Learn from sequences, or from a table of rows.

        Args:
            X: ``(n, T)`` or ``(n, T, D)``, or a list of n arrays ``(T_i,)`` or ``(T_i, D)``; or a table: a file's
                name, or a frame with a row a step. NaN is a missing value.
            y: ``(n,)`` or ``(n, M)`` truth; of a table the name of its column, or a tuple of names (None leaves the
                choice to ``settings`` and the data).
            sample_weight: ``(n,)`` weights in the loss; a sequence of weight 0 is left out.
            folder: where the run is kept (config, metrics, bundle, report); None writes nothing.

        Raises:
            ValueError: X, y or an argument is not usable (``DataError`` and ``ConfigError`` are such errors).
        """
        names = names_of(y)
        if is_table(X) and names is not None:
            return self._fit_table(X, names, sample_weight, folder)
        sequences, origin = self._checked(X, fitting=True)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        truth = self._truth(y)
        truth = truth[:, 0] if truth.shape[1:] == (1,) else truth
        check_consistent_length(sequences, truth)
        weights = None
        if sample_weight is not None:
            weights = _weights(sample_weight, len(truth))
            kept = np.flatnonzero(weights)
            sequences, truth, weights = [sequences[at] for at in kept], truth[kept], weights[kept]
        if len(truth) < 2:
            raise DataError("there is 1 sample, and at least two are needed to learn from", where="X")
        valid = SHARE if round(SHARE * len(truth)) >= FEWEST else 0
        trained = self._train(_table(sequences, self._named(truth)), valid=valid, weights=weights, folder=folder)
        self._keep(trained, origin.model_copy(update={"classes": self._classes_of(trained.bundle, truth)}))
        return self

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy of a classifier (of several labels, the share of sequences without any error), R² of a regressor.

        Args:
            X, y: as in ``fit``; in a table, y is the column that the model learnt to predict.
            sample_weight: ``(n,)``.
        """
        check_is_fitted(self)
        if self._origin.table and names_of(y) is not None:
            found = {metric.name: metric.value for metric in self._evaluate(self._table(X)).model.metrics}
            return next(found[name] for name in self._figures if name in found)
        score: float = super().score(X, y, sample_weight)
        return score

    def predict_table(self, X: Any) -> Any:
        """Predictions as a polars frame: sequence, time where there is one, value and interval.

        Args and errors as in ``predict``.
        """
        return frame_of(self._predicted(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _truth(self, y: Any) -> Array:
        """The truth as an array ``(n,)`` or ``(n, M)``."""
        raise NotImplementedError

    def _named(self, truth: Array) -> Array:
        """The truth as the data road takes it."""
        return truth

    def _classes_of(self, bundle: Bundle, truth: Array | Table) -> tuple[tuple[Label, ...], ...]:
        """Labels in their own type, in the order of the net's output."""
        return ()

    def _fit_table(self, X: Any, target: tuple[str, ...], weights: Any, folder: Path | str | None) -> Self:
        if weights is not None:
            raise ConfigError("a table takes no sample weights", where="sample_weight", mend="give arrays")
        table = read(X, **self._options())
        trained = self._train(table, valid=SHARE, target=target, folder=folder)
        self._keep(trained, Origin(classes=self._classes_of(trained.bundle, table)))
        return self

    def _predicted(self, X: Any) -> Prediction:
        check_is_fitted(self)
        return self._predictor().predict(self._table(X))

    def _table(self, X: Any) -> Table:
        """New data as the model was fitted on it."""
        if self._origin.table:
            return read(X, **self._options())
        return _table(self._checked(X, fitting=False)[0])

    def _checked(self, X: Any, *, fitting: bool) -> tuple[Any, Origin]:
        """The sequences, as an array or a list, and how they look: steps of ``(n, T)``, else channels, are features."""
        numbers = {"dtype": "numeric", "ensure_all_finite": "allow-nan"}
        if is_ragged(X) or getattr(X, "ndim", None) == 3:
            cases = X if is_ragged(X) else check_array(X, allow_nd=True, input_name="X", **numbers)
            width = len(_table(cases).columns)
            if not fitting:
                self._check_width(width)
            return cases, Origin(table=False, features=width)
        array = validate_data(self, X, reset=fitting, **numbers)
        names = tuple(getattr(self, "feature_names_in_", ()))
        return array, Origin(table=False, features=array.shape[1], names=names)


def is_table(X: Any) -> bool:
    """A frame, or files: what can have columns of its own for time, group and target."""
    if isinstance(X, list):
        return bool(X) and all(isinstance(one, str | os.PathLike) for one in X)
    return isinstance(X, str | os.PathLike) or type(X).__module__.partition(".")[0] in ("polars", "pandas")


def is_ragged(X: Any) -> bool:
    """A list of arrays, each a sequence of its own length; lists of lists are arrays, as in scikit-learn."""
    return isinstance(X, list) and bool(X) and all(getattr(case, "ndim", 0) for case in X)


def _table(sequences: Any, truth: Array | None = None) -> Table:
    """The data road's table.

    Raises:
        DataError: a sequence is empty, or has other channels than the rest.
    """
    table = read((sequences, truth))
    assert table.starts is not None
    lengths = np.diff(table.starts)
    if not lengths.all():
        raise DataError("it has no steps", where=f"X, sequence {int(np.argmin(lengths))}")
    return table


def _weights(given: Any, count: int) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = check_array(
        given, ensure_2d=False, dtype=np.float64, ensure_non_negative=True, input_name="sample_weight"
    )
    if weights.shape != (count,):
        raise ValueError(f"sample_weight has the shape {weights.shape}, expected ({count},)")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights
