"""Whether two sequences, or two texts, are alike.

Letters: n pairs, T and U steps, D channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array

from unrolled.core.errors import DataError
from unrolled.estimators.base import Estimator
from unrolled.estimators.classes import Classes
from unrolled.estimators.forms import listed
from unrolled.estimators.origin import Origin
from unrolled.estimators.sequences import Labelled
from unrolled.prepare.pairing import as_pairs
from unrolled.prepare.readers.arrays import cases_of
from unrolled.prepare.readers.sides import pairs
from unrolled.prepare.table import Array, Table

if TYPE_CHECKING:
    from unrolled.workflow.config import Config

_SIDES = ("first", "second")


@dataclass(kw_only=True, eq=False, repr=False)
class PairClassifier(Classes, Labelled, ClassifierMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Tells whether two sequences are alike, by one encoder that reads both.

    Args:
        similar: the label of pairs that are alike; None takes the last of the two.
        pair: of a table its two columns of texts, or the one column that says to which side a row belongs.
        net, window, epochs, batch_size, learning_rate, valid, random_state, settings: as of ``Arguments``.

    Attributes:
        classes_: ``(2,)`` labels in their own type.
        n_features_in_: channels of sequences of numbers.
        evaluation_: figures beside those of the baselines; of texts also beside TF-IDF.
        bundle_: everything a prediction needs.

    Example:
        >>> from unrolled import PairClassifier
        >>> cats, dogs = ["a cat", "the kitten", "my cat"], ["a dog", "the puppy", "my dog"]
        >>> X = [(one, other) for one in cats + dogs for other in cats + dogs] * 3
        >>> y = [(one in cats) == (other in cats) for one, other in X]
        >>> model = PairClassifier(epochs=20, learning_rate=0.01, random_state=0).fit(X, y)
        >>> model.predict([("my kitten", "a cat"), ("my kitten", "the dog")]).tolist()
        [True, False]
    """

    _task = "pairs"
    _figures = ("accuracy",)
    similar: Any = None
    pair: str | tuple[str, ...] | None = None

    def predict(self, X: Any) -> Array:
        """``(n,)`` the label of each pair.

        Args:
            X: n pairs ``(text, text)``, or ``(first, second)`` of arrays ``(T_i, D)`` and ``(U_i, D)`` (``(T_i,)`` of
                one channel), or ``(n, 2, T)`` or ``(n, 2, T, D)``; or a table.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        return self._likeliest(self._predicted(X).answer)

    def predict_proba(self, X: Any) -> Array:
        """``(n, 2)`` probabilities in the order of ``classes_``, calibrated where there was a validation part.

        Args and errors as of ``predict``.
        """
        return self._chances(self._predicted(X).answer)[0]

    def _given(self) -> Config:
        pair = [self.pair] if isinstance(self.pair, str) else self.pair
        return super()._given().over({"data": {"options": {"pair": pair}}}, where="pair")

    def _checked(self, X: Any, *, fitting: bool) -> tuple[Any, Origin]:
        given = listed(X)
        if not given:
            raise DataError("there is no pair", where="X", mend="give a list of (first, second), or (n, 2, T, D)")
        for number, couple in enumerate(given):
            if isinstance(couple, str) or not hasattr(couple, "__len__") or len(couple) != 2:
                raise DataError("it is no pair", where=f"X, pair {number}", mend="give (first, second)")
        texts = isinstance(given[0][0], str)
        self._check_words(fitting, words=texts)
        if texts:
            return given, Origin(table=False)
        width = len(self._tabled(given).columns) - 1
        if not fitting:
            self._check_width(width)
        return given, Origin(table=False, features=width)

    def _tabled(self, sequences: Any, truth: Array | None = None) -> Table:
        labels = {} if truth is None else {"y": truth}
        if isinstance(sequences[0][0], str):
            sides = {name: np.array([couple[at] for couple in sequences], object) for at, name in enumerate(_SIDES)}
            return as_pairs(Table({**sides, **labels}, "X"), _SIDES, labels=tuple(labels))
        cases = [cases_of([np.asarray(couple[at]) for couple in sequences], f"X, {_SIDES[at]}") for at in (0, 1)]
        return pairs(cases[0], cases[1], labels, "X")

    def _truth(self, y: Any) -> Array:
        truth: Array = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(truth)
        return truth
