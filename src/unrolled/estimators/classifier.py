"""A label for each sequence.

Letters: n sequences, T steps, D channels, M targets, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.estimators.base import Estimator, frame_of
from unrolled.estimators.labels import classes_of, in_column, named
from unrolled.estimators.origin import Label
from unrolled.estimators.sequences import Labelled
from unrolled.prepare.answer import Answer
from unrolled.prepare.decoding import ClassDecoding
from unrolled.prepare.table import Array, Table

if TYPE_CHECKING:
    import polars as pl


class Classifier(Labelled, ClassifierMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classifies sequences with a recurrent net and calibrated probabilities.

    Args:
        net: a preset's name, a list of layers, or a torch module (see ``nets.CustomNet``); None takes the preset
            for classification.
        window: last steps of a sequence that are looked at; None takes all.
        epochs: most passes over the data; None lets the data decide, as below.
        batch_size: sequences a step of training.
        learning_rate: of the optimiser.
        valid: share or number of sequences that only choose when to stop and calibrate the probabilities; None takes
            15 %, and none of them where labels are scarce.
        random_state: seed of every random choice.
        settings: anything else a job can be told, nested as in ``config.yaml``: ``{"train": {"clip_norm": 5.0}}``.

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

    def __init__(
        self,
        net: Any = None,
        *,
        window: int | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        valid: float | int | None = None,
        random_state: Any = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.net = net
        self.window = window
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.valid = valid
        self.random_state = random_state
        self.settings = settings

    @property
    def classes_(self) -> Any:
        """``(K,)`` sorted labels, or a list of M such arrays."""
        found = [np.sort(labels) for labels in self._labels]
        return found[0] if len(found) == 1 else found

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
        labels = self._decoded(self._predicted(X).answer)
        return labels[0] if len(labels) == 1 else np.stack(labels, axis=1)

    def predict_proba(self, X: Any) -> Any:
        """Probability of each class, calibrated where there was a validation part.

        Returns:
            ``(n, K)`` in the order of ``classes_``, or a list of M such arrays.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        probability = self._predicted(X).answer.probability
        assert probability is not None
        found = [probability[:, at, np.argsort(own)] for at, own in enumerate(self._labels)]
        return found[0] if len(found) == 1 else found

    def predict_table(self, X: Any) -> pl.DataFrame:
        """Predictions as a polars frame: sequence, time where there is one, label and probability of each class.

        Args and errors as in ``predict``.
        """
        prediction = self._predicted(X)
        columns = zip(prediction.answer.targets, self._decoded(prediction.answer), strict=True)
        return frame_of(prediction).with_columns(**dict(columns))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _truth(self, y: Any) -> Array:
        truth: Array = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(truth)
        return truth

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
        return tuple(classes_of(names, column) for names, column in zip(decoding["classes"], given, strict=True))

    def _adopt(self, bundle: Bundle) -> None:
        super()._adopt(bundle)
        decoding = self._predictor().settings.decoding
        assert isinstance(decoding, ClassDecoding)
        given = self._origin.classes or decoding.classes
        if [len(labels) for labels in given] != [len(names) for names in decoding.classes]:
            raise BundleError("its labels are not those of its classes", where="the manifest")
        self._labels = [np.array(labels) for labels in given]
