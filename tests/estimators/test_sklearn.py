"""scikit-learn's own checks of what an estimator is."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from unrolled import Classifier, Regressor


@parametrize_with_checks([Classifier(net=[{"gru": {"size": 8}}], epochs=6, batch_size=16, learning_rate=0.03, random_state=0),
 Regressor(net=[{"gru": {"size": 8}}], epochs=6, batch_size=16, learning_rate=0.03, random_state=0)])
def test_checks(estimator: Any, check: Any) -> None:
    check(estimator)
