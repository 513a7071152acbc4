"""A label for each sequence.

Letters: n sequences, T steps, D channels, M targets, K classes.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array

from unrolled.estimators.base import Estimator
from unrolled.estimators.classes import Classes
from unrolled.estimators.sequences import Labelled
from unrolled.prepare.table import Array


class Classifier(Classes, Labelled, ClassifierMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classifies sequences with a recurrent net and calibrated probabilities.

    Args:
        window: last steps of a sequence that are looked at; None takes all.
        epochs: most passes over the data; None lets the data decide.
        valid: share or number of sequences that only choose when to stop and calibrate the probabilities; None takes
            15 %, and none of them where labels are scarce.
        net, batch_size, learning_rate, random_state, settings: as of ``Arguments``.

    Attributes:
        classes_: ``(K,)`` labels in their own type; a list of M such arrays where y is ``(n, M)``.
        n_features_in_: steps of ``(n, T)``, channels of sequences in another form.
        evaluation_: figures beside those of the baselines.
        bundle_: everything a prediction needs.

    Example:
        >>> import numpy as np
        >>> from unrolled import Classifier
        >>> slope = np.arange(20) / 20
        >>> X = np.stack([slope, -slope] * 20) + np.random.default_rng(0).normal(0, 0.1, (40, 20))
        >>> y = np.array(["up", "down"] * 20)
        >>> model = Classifier(net=[{"gru": {"size": 8}}], epochs=5, learning_rate=0.02, random_state=0).fit(X, y)
        >>> model.predict(X[:2]).tolist(), model.score(X, y)
        (['up', 'down'], 1.0)
    """

    _task = "classify"
    _figures = ("exact_match", "accuracy")

    def predict(self, X: Any) -> Array:
        """The most probable label of each sequence.

        Args:
            X: as in ``fit``; a table needs no target column. Where its labels change along a sequence, one answer a
                window, in the order of ``predict_table``.

        Returns:
            ``(n,)``, or ``(n, M)`` of several targets.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        return self._likeliest(self._predicted(X).answer)

    def predict_proba(self, X: Any) -> Any:
        """Probability of each class, calibrated where there was a validation part.

        Returns:
            ``(n, K)`` in the order of ``classes_``, or a list of M such arrays.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        found = self._chances(self._predicted(X).answer)
        return found[0] if len(found) == 1 else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _truth(self, y: Any) -> Array:
        truth: Array = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(truth)
        return truth
