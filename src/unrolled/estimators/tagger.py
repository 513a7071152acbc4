"""A label for each step of a sequence.

Letters: n sequences, T steps, D channels, N rows, M targets, K classes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from unrolled.core.errors import DataError
from unrolled.data import VALID_SHARE
from unrolled.estimators.base import Estimator, names_of
from unrolled.estimators.classes import Classes
from unrolled.estimators.forms import is_table, listed
from unrolled.estimators.job import FEWEST
from unrolled.prepare.readers.words import is_row
from unrolled.prepare.table import Array

_TAG = "y"


class Tagger(Classes, Estimator):
    """Gives each step of a sequence a label: words their slots, samples of a sensor their state.

    Args:
        window: rows of the pieces into which long sequences are cut; None lets the data decide.
        net, epochs, batch_size, learning_rate, valid, random_state, settings: as of ``Arguments``. A net that looks
            back only, such as ``"tag-live"``, also answers as steps arrive.

    Attributes:
        classes_: ``(K,)`` labels in their own type; a list of M such arrays of a table with several targets.
        n_features_in_: steps of ``(n, T)``, channels of numbers in another form.
        evaluation_: figures beside those of the baselines; of labels B-, I-, O also those of chunks.
        bundle_: everything a prediction needs.

    Example:
        >>> from unrolled import Tagger
        >>> X = [["from", "rome", "to", "oslo"], ["to", "rome"], ["rome", "please"], ["to", "oslo", "from", "rome"]] * 9
        >>> y = [["O", "start", "O", "goal"], ["O", "goal"], ["start", "O"], ["O", "goal", "O", "start"]] * 9
        >>> model = Tagger([{"gru": {"size": 8}}], epochs=30, learning_rate=0.03, random_state=0).fit(X, y)
        >>> model.predict([["to", "rome", "from", "oslo"]]), model.score(X, y)
        ([['O', 'goal', 'O', 'start']], 1.0)
    """

    _task = "tag"

    def fit(self, X: Any, y: Any, *, folder: Path | str | None = None) -> Self:
        """Learn from sequences, or from a table of rows.

        Args:
            X: n lists of words; ``(n, T)`` or ``(n, T, D)`` numbers, or a list of n arrays ``(T_i,)`` or
                ``(T_i, D)``; or a table: a file's name, or a frame with a row a step. NaN is a missing value.
            y: ``(n, T)`` labels, or n lists of T_i of them; None or NaN is a step without a label, which counts
                nowhere. Of a table the name of its column, or a tuple of names.
            folder: where the run is kept (config, metrics, bundle, report); None writes nothing.

        Raises:
            ValueError: X, y or an argument is not usable (``DataError`` and ``ConfigError`` are such errors).
        """
        names = names_of(y)
        if is_table(X) and names is not None:
            return self._fit_table(X, names, folder)
        if names is not None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is {y!r}")
        sequences, origin = self._checked(X, fitting=True)
        tags = _flat(y, list(map(len, sequences)))
        known = np.array([tag is not None for tag in tags])
        if not known.any():
            raise DataError("no step has a label", where="y")
        truth = np.array(tags[known].tolist())
        column = np.full(len(tags), None, dtype=object)
        column[known] = self._named(truth)
        table = self._tabled(sequences)
        table = replace(
            table, columns={**table.columns, _TAG: column}, hints=replace(table.hints, target=(_TAG,), task="tag")
        )
        trained = self._train(table, spare=round(VALID_SHARE * len(sequences)) >= FEWEST, folder=folder)
        self._keep(trained, origin.model_copy(update={"classes": self._classes_of(trained.bundle, truth)}))
        return self

    def predict(self, X: Any) -> Any:
        """The most probable label of each step.

        Args:
            X: as in ``fit``; a table needs no target column.

        Returns:
            ``(n, T)`` of an array, else n lists of T_i labels; of a table ``(N,)``, or ``(N, M)`` of several targets.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        return self._by_sequence(X, self._likeliest(self._predicted(X).answer), lists=True)

    def predict_proba(self, X: Any) -> Any:
        """Probability of each class at each step, calibrated where there was a validation part.

        Returns:
            ``(n, T, K)`` of an array, else n arrays ``(T_i, K)``, in the order of ``classes_``; of a table
            ``(N, K)``, or a list of M such arrays.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        found = self._chances(self._predicted(X).answer)
        return found if len(found) > 1 else self._by_sequence(X, found[0])

    def score(self, X: Any, y: Any = None) -> float:
        """Share of the labelled steps whose label is right.

        Args:
            X, y: as in ``fit``; in a table, y is the column that the model learnt to predict.
        """
        check_is_fitted(self)
        if self._origin.table and names_of(y) is not None:
            found = {metric.name: metric.value for metric in self._evaluate(X).model.metrics}
            return found.get("exact_match", found.get("accuracy", np.nan))
        sequences, _ = self._checked(X, fitting=False)
        tags = _flat(y, list(map(len, sequences)))
        said = self._likeliest(self._predicted(X).answer)
        right = [one == other for one, other in zip(tags, said.tolist(), strict=True) if one is not None]
        return float(np.mean(right)) if right else float("nan")

    def _by_sequence(self, X: Any, rows: Array, *, lists: bool = False) -> Any:
        """What is said of the rows, as the sequences of X are given."""
        if self._origin.table:
            return rows
        sequences, _ = self._checked(X, fitting=False)
        if isinstance(sequences, np.ndarray):
            return rows.reshape(*sequences.shape[:2], *rows.shape[1:])
        parts = np.split(rows, np.cumsum([len(case) for case in sequences])[:-1])
        return [part.tolist() for part in parts] if lists else parts


def _flat(y: Any, lengths: list[int]) -> Array:
    """``(N,)`` labels of all steps as objects, None where there is none.

    Raises:
        DataError: there is not one for each step.
    """
    given = listed(y)
    if len(given) != len(lengths):
        raise DataError(f"there are {len(given)} sequences of labels for {len(lengths)} sequences", where="y")
    tags: list[Any] = []
    for number, (own, length) in enumerate(zip(given, lengths, strict=True)):
        if not is_row(own) or len(own) != length:
            count = f"{len(own)} labels" if is_row(own) else "no row of labels"
            raise DataError(f"it has {count} for {length} steps", where=f"y, sequence {number}")
        tags += own.tolist() if isinstance(own, np.ndarray) else list(own)
    out = np.empty(len(tags), dtype=object)
    out[:] = [None if tag is None or tag != tag else tag for tag in tags]
    return out
