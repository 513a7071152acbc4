"""What is unusual: a score and an alarm for each sequence, or for each row of a table.

Letters: n sequences, T steps, D channels, N rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from unrolled.core.errors import DataError
from unrolled.data import VALID_SHARE
from unrolled.estimators.base import Estimator, names_of
from unrolled.estimators.forms import is_table, to_table
from unrolled.estimators.job import FEWEST
from unrolled.estimators.sequences import Sequences
from unrolled.prepare.answer import Answer
from unrolled.prepare.decoding import AnomalyDecoding
from unrolled.prepare.table import Array

_USUAL = "usual"


@dataclass(kw_only=True, eq=False, repr=False)
class AnomalyDetector(Sequences, OutlierMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learns what is usual from sequences presumed to be so, and finds what is not.

    Args:
        false_alarms: share of usual sequences (rows of a table) that are to give an alarm; None takes 0.01.
        window: rows of the pieces into which long sequences of a table are cut; None lets the data decide.
        valid: share or number of sequences that choose when to stop and where the threshold lies; None takes 15 %,
            where that makes ten sequences, and none otherwise: the threshold is then that of the training part.
        net, epochs, batch_size, learning_rate, random_state, settings: as of ``Arguments``; settings such as
            ``{"task": {"score": "reconstruction"}}``.

    Attributes:
        offset_: minus the threshold; what lies below is unusual.
        n_features_in_: steps of ``(n, T)``, channels of sequences in another form.
        evaluation_: figures beside those of the baselines, on sequences that are all usual.
        bundle_: everything a prediction needs.

    Example:
        >>> import numpy as np
        >>> from unrolled import AnomalyDetector
        >>> X = np.sin(np.arange(30) / 3 + np.random.default_rng(0).uniform(0, 6, (100, 1)))
        >>> model = AnomalyDetector([{"gru": {"size": 16}}], epochs=20, learning_rate=0.01, random_state=0).fit(X)
        >>> model.predict(np.stack([X[0], np.random.default_rng(1).normal(size=30)])).tolist()
        [1, -1]
    """

    _task = "anomaly"
    false_alarms: float | None = None

    def fit(self, X: Any, y: Any = None, *, folder: Path | str | None = None) -> Self:
        """Learn from sequences, or from a table of rows.

        Args:
            X: as of ``Classifier.fit``.
            y: not looked at, as is usual for detectors; of a table the name of its column of labels, which judges.
            folder: where the run is kept (config, metrics, bundle, report); None writes nothing.

        Raises:
            ValueError: X or an argument is not usable (``DataError`` and ``ConfigError`` are such errors).
        """
        if is_table(X):
            return self._fit_table(X, names_of(y) or (), folder)
        sequences, origin = self._checked(X, fitting=True)
        if len(sequences) < 2:
            raise DataError("there is 1 sample, and at least two are needed to learn from", where="X")
        labels = np.full(len(sequences), _USUAL, dtype=object)
        spare = round(VALID_SHARE * len(sequences)) >= FEWEST
        self._keep(self._train(to_table(sequences, labels), spare=spare, folder=folder), origin)
        return self

    @property
    def offset_(self) -> float:
        """Minus the threshold."""
        check_is_fitted(self)
        decoding = self._predictor().settings.decoding
        assert isinstance(decoding, AnomalyDecoding)
        return -decoding.threshold

    def score_samples(self, X: Any) -> Array:
        """How usual each sequence is, ``(n,)``, or each row of a table, ``(N,)``: minus its score.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        answer: Answer = self._predicted(X).answer
        assert answer.score is not None
        return -answer.score[:, 0].astype(np.float64)

    def decision_function(self, X: Any) -> Array:
        """As ``score_samples``, from the threshold on: below 0 is unusual."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Array:
        """-1 where it is unusual, 1 where it is not; shapes and errors as of ``score_samples``."""
        return np.where(self.decision_function(X) < 0, -1, 1)
