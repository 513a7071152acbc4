"""A number for each sequence.

Letters: n sequences, T steps, D channels, M targets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array

from unrolled.estimators.base import Estimator, bounds_of
from unrolled.estimators.sequences import Labelled
from unrolled.prepare.table import Array


class Regressor(Labelled, RegressorMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Predicts a number, or several, for each sequence with a recurrent net.

    Args:
        window: last steps of a sequence that are looked at; None takes all, or 50 rows where the target changes
            along the sequence.
        net, epochs, batch_size, learning_rate, valid, random_state, settings: as of ``Arguments``.

    Attributes:
        n_features_in_: steps of ``(n, T)``, channels of sequences in another form.
        evaluation_: figures beside those of the baselines.
        bundle_: everything a prediction needs.

    Example:
        >>> import numpy as np
        >>> from unrolled import Regressor
        >>> X = np.random.default_rng(0).normal(size=(80, 12, 2))
        >>> y = X[:, :, 0].mean(axis=1)
        >>> model = Regressor([{"gru": {"size": 16}}], epochs=30, learning_rate=0.02, random_state=0).fit(X, y)
        >>> model.predict(X).shape, model.score(X, y) > 0.8
        ((80,), True)
    """

    _task = "regress"
    _figures = ("r2",)

    def predict(self, X: Any) -> Array:
        """The number of each sequence, in the units of y.

        Args:
            X: as in ``fit``; a table needs no target column. Where its target changes along a sequence, one answer a
                window, in the order of ``predict_table``.

        Returns:
            ``(n,)``, or ``(n, M)`` of several targets.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        return _answers(self._predicted(X).answer.value)

    def predict_interval(self, X: Any) -> tuple[Array, Array]:
        """Lower and upper bounds that hold 90 % of new truths (``settings["task"]["coverage"]`` chooses another share).

        Returns:
            two arrays in the shape of ``predict``.

        Raises:
            ValueError: X is not what the estimator was fitted on, or no validation part calibrated the interval.
        """
        low, high = bounds_of(self._predicted(X).answer)
        return _answers(low), _answers(high)

    def _truth(self, y: Any) -> Array:
        truth: Array = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
        return truth


def _answers(values: Array) -> Array:
    """``(n, M)``, or ``(n,)`` of one target."""
    values = values.astype(np.float64)
    return values[:, 0] if values.shape[1] == 1 else values
