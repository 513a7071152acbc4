"""What estimators of sequences share: X in every form, and one answer for each sequence of it.

Letters: n sequences, T steps, D channels, M targets.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from unrolled.core.bundle import Bundle
from unrolled.core.errors import DataError
from unrolled.data import VALID_SHARE
from unrolled.estimators.base import Estimator, frame_of, names_of
from unrolled.estimators.forms import is_pieced, is_ragged, is_table, joined, refuse_weights, to_table, to_weights
from unrolled.estimators.job import FEWEST
from unrolled.estimators.origin import Label, Origin
from unrolled.prepare.readers.words import are_words
from unrolled.prepare.table import Array, Table
from unrolled.runtime import Prediction

if TYPE_CHECKING:
    import polars as pl


class Sequences(Estimator):
    """Reads X in every form, and predicts."""

    def predict_table(self, X: Any) -> pl.DataFrame:
        """Predictions as a polars frame: sequence, time where there is one, value and interval.

        Args and errors as in ``predict``.
        """
        return frame_of(self._predicted(X))

    def _fit_table(self, X: Any, target: tuple[str, ...], folder: Path | str | None) -> Self:
        table = self._opened(X, target)
        trained = self._train(table, target=target, folder=folder)
        self._keep(trained, Origin(classes=self._classes_of(trained.bundle, table)))
        return self

    def _classes_of(self, bundle: Bundle, truth: Array | Table) -> tuple[tuple[Label, ...], ...]:
        """Labels in their own type, in the order of the net's output."""
        return ()

    def _predicted(self, X: Any) -> Prediction:
        check_is_fitted(self)
        return self._predictor().predict(X if self._origin.table else self._tabled(self._checked(X, fitting=False)[0]))

    def _tabled(self, sequences: Any, truth: Array | None = None) -> Table:
        """What ``_checked`` gives as a table of the data road, with a truth of each sequence."""
        return to_table(sequences, truth)

    def _checked(self, X: Any, *, fitting: bool) -> tuple[Any, Origin]:
        """The sequences, as an array or a list, and how they look: steps of ``(n, T)``, else channels, are features."""
        if are_words(X):
            self._check_words(fitting, words=True)
            return X, Origin(table=False)
        self._check_words(fitting, words=False)
        numbers = {"dtype": "numeric", "ensure_all_finite": "allow-nan"}
        if is_pieced(X):
            X = joined(X)
        if is_ragged(X) or getattr(X, "ndim", None) == 3:
            cases = X if is_ragged(X) else check_array(X, allow_nd=True, input_name="X", **numbers)
            width = len(to_table(cases).columns)
            if not fitting:
                self._check_width(width)
            return cases, Origin(table=False, features=width)
        array = validate_data(self, X, reset=fitting, **numbers)
        names = tuple(getattr(self, "feature_names_in_", ()))
        return array, Origin(table=False, features=array.shape[1], names=names)

    def _check_words(self, fitting: bool, *, words: bool) -> None:
        """Refuse words where numbers were learnt from, and the other way round."""
        own = not self._origin.table and self._origin.features is None if not fitting else words
        if own != words:
            kinds = ("words", "numbers") if words else ("numbers", "words")
            raise ValueError(f"X holds {kinds[0]}, and {type(self).__name__} was fitted on {kinds[1]}")


class Labelled(Sequences):
    """Learns from sequences and the truth of each."""

    _figures: ClassVar[tuple[str, ...]]  # of an evaluation; the first that is there is the score

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, folder: Path | str | None = None) -> Self:
        """Learn from sequences, or from a table of rows.

        Args:
            X: ``(n, T)`` or ``(n, T, D)``, or a list of n arrays ``(T_i,)`` or ``(T_i, D)``; pieces of sequences,
                ``(n, P, T, D)`` or n lists of arrays ``(T_ip, D)``, which a layer ``pieces: {column: D}`` tells
                apart; or n lists of words; or a table: a file's name, or a frame with a row a step. NaN is a missing
                value, and in ``(n, P, T, D)`` padding where it fills the end of a piece.
            y: ``(n,)`` or ``(n, M)`` truth; of a table the name of its column, or a tuple of names (None leaves the
                choice to ``settings`` and the data).
            sample_weight: ``(n,)`` weights in the loss; a sequence of weight 0 is left out.
            folder: where the run is kept (config, metrics, bundle, report); None writes nothing.

        Raises:
            ValueError: X, y or an argument is not usable (``DataError`` and ``ConfigError`` are such errors).
        """
        names = names_of(y)
        if is_table(X) and names is not None:
            refuse_weights(sample_weight)
            return self._fit_table(X, names, folder)
        sequences, origin = self._checked(X, fitting=True)
        truth = self._truth(self._values(y))
        truth = truth[:, 0] if truth.shape[1:] == (1,) else truth
        check_consistent_length(sequences, truth)
        weights = None
        if sample_weight is not None:
            weights = to_weights(sample_weight, len(truth))
            kept = np.flatnonzero(weights)
            sequences, truth, weights = [sequences[at] for at in kept], truth[kept], weights[kept]
        if len(truth) < 2:
            raise DataError("there is 1 sample, and at least two are needed to learn from", where="X")
        spare = round(VALID_SHARE * len(truth)) >= FEWEST
        trained = self._train(self._tabled(sequences, self._named(truth)), spare=spare, weights=weights, folder=folder)
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
            refuse_weights(sample_weight)
            found = {metric.name: metric.value for metric in self._evaluate(X).model.metrics}
            return next(found[name] for name in self._figures if name in found)
        score: float = super().score(X, self._values(y), sample_weight)
        return score

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

    def _values(self, y: Any) -> Any:
        if y is None or isinstance(y, str):
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is {y!r}")
        return y
