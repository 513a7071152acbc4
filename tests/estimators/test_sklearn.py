"""scikit-learn's own checks of what an estimator is."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks

from unrolled import AnomalyDetector, Classifier, Forecaster, Regressor
from unrolled.core.tolerances import TOLERANCES

_WEIGHTS = (
    "the net is trained in shuffled batches behind a scaler that counts rows: a weight of two is not the same as "
    "the sequence twice, up to seven digits (a weight of zero is exactly no sequence, see test_weights.py)"
)
_ROUNDING = (
    "float32 products round by the place of a row in its batch, so the order may change the last digit, which is "
    "more than this check bears; test_order_changes_no_more_than_rounding is the same check with float32's tolerance"
)
_NOT_ROWS = "an answer is for the steps behind X, not for its rows"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "AnomalyDetector": {},
    "Classifier": {"check_sample_weight_equivalence_on_dense_data": _WEIGHTS},
    "Regressor": {
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
        "check_methods_sample_order_invariance": _ROUNDING,
        "check_methods_subset_invariance": _ROUNDING,
    },
    "OneSeries": {
        "check_methods_sample_order_invariance": _NOT_ROWS + ", whose order is time",
        "check_methods_subset_invariance": _NOT_ROWS,
        "check_fit2d_1sample": "rows are steps of one sample; a series of one step is refused in those words",
        "check_fit1d": "a 1-D array is a series",
        "check_fit2d_predict1d": "a 1-D array is a series, which has another number of columns than X",
    },
}


class OneSeries(Forecaster):
    """The checks hand over a y, which a forecast does not have: its truth lies in X."""

    def fit(self, X: Any, y: Any = None) -> OneSeries:  # type: ignore[override]  # as the checks call it
        return super().fit(X)


def _not_applicable(estimator: Any) -> dict[str, str]:
    return NOT_APPLICABLE[type(estimator).__name__]


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no types
    [
        Classifier([{"gru": {"size": 8}}], epochs=6, batch_size=16, learning_rate=0.03, random_state=0),
        Regressor(
            [{"gru": {"size": 8, "bidirectional": True}}],
            epochs=12,
            batch_size=16,
            learning_rate=0.05,
            valid=0,
            random_state=0,
        ),
        AnomalyDetector([{"gru": {"size": 8}}], false_alarms=0.05, epochs=2, batch_size=16, valid=0, random_state=0),
        OneSeries(net=[{"gru": {"size": 4}}], window=2, epochs=1, random_state=0),
    ],
    expected_failed_checks=_not_applicable,
    xfail_strict=False,  # whether a last digit changes depends on the processor
)
def test_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_order_changes_no_more_than_rounding() -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(23, 7)), random.normal(size=23)
    model = Regressor([{"gru": {"size": 8}}], epochs=2, batch_size=16, valid=0, random_state=0).fit(X, y)
    order = random.permutation(23)
    np.testing.assert_allclose(model.predict(X)[order], model.predict(X[order]), *TOLERANCES["float32"])
    np.testing.assert_allclose(model.predict(X)[:5], model.predict(X[:5]), *TOLERANCES["float32"])
