"""The next steps of one or several series.

Letters: S series, T steps, H horizon, M targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_scalar

from unrolled.core.errors import ConfigError
from unrolled.data import VALID_SHARE
from unrolled.estimators.base import Estimator, bounds_of, frame_of, names_of
from unrolled.estimators.forms import is_table
from unrolled.estimators.job import FEWEST
from unrolled.estimators.origin import Origin
from unrolled.estimators.past import Past, Shape, end_of
from unrolled.prepare.decoding import NumberDecoding
from unrolled.prepare.series import Series
from unrolled.prepare.table import Array, Table
from unrolled.runtime import Prediction
from unrolled.runtime.predictor import Settings
from unrolled.runtime.windows import to_predict

if TYPE_CHECKING:
    import polars as pl


@dataclass(kw_only=True, eq=False, repr=False)
class Forecaster(Estimator):
    """Forecasts series with a recurrent net, and says how sure it is.

    Args:
        horizon: steps ahead.
        window: steps that a forecast looks back on; None lets horizon, season and length decide.
        valid: share or number of the last rows that only choose when to stop and calibrate the intervals; None takes
            15 %, where that makes ten windows, and none otherwise.
        net, epochs, batch_size, learning_rate, random_state, settings: as of ``Arguments``; by name only.

    Attributes:
        n_features_in_: columns of an array.
        evaluation_: figures beside those of the baselines.
        bundle_: everything a prediction needs.

    Example:
        >>> import numpy as np
        >>> from unrolled import Forecaster
        >>> wave = np.sin(np.arange(300) / 5)
        >>> model = Forecaster(horizon=10, net=[{"gru": {"size": 8}}], epochs=20, learning_rate=0.02, random_state=0)
        >>> ahead = model.fit(wave).predict()
        >>> ahead.shape, bool(np.abs(ahead - np.sin(np.arange(300, 310) / 5)).max() < 0.2)
        ((10,), True)
        >>> low, high = model.predict_interval()
        >>> model.predict(wave[:150]).shape, model.score(wave) > 0.9
        ((10,), True)
    """

    _task = "forecast"
    horizon: int = field(default=1, kw_only=False)
    net: Any = None

    def fit(self, X: Any, y: str | tuple[str, ...] | None = None, *, folder: Path | str | None = None) -> Self:
        """Learn from series.

        Args:
            X: ``(T,)`` one series; ``(T, M)`` one of M targets; ``(S, T, M)`` or a list of arrays ``(T_i,)`` or
                ``(T_i, M)`` several; or a table: a file's name, or a frame with a row a step. NaN is a missing value.
            y: the column to forecast, or a tuple of them; None takes every column of an array, and in a table what
                ``settings`` say or the only candidate. The rest are features.
            folder: where the run is kept (config, metrics, bundle, report); None writes nothing.

        Raises:
            ValueError: X, y or an argument is not usable (``DataError`` and ``ConfigError`` are such errors).
        """
        target = names_of(y)
        if target is None:
            raise ConfigError("it holds values, and the truth of a forecast lies in X", where="y", mend="leave it out")
        check_scalar(self.horizon, "horizon", Integral, min_val=1)
        past = None if is_table(X) else Past.of(X)
        table = self._opened(X, target) if past is None else past.table
        if past is not None and not target and not self._given().data.target:
            target = tuple(table.columns)
        lengths = np.diff([0, table.rows] if table.starts is None else table.starts)
        windows = sum(max(0, round(VALID_SHARE * rows) - self.horizon + 1) for rows in lengths.tolist())
        trained = self._train(table, spare=windows >= FEWEST, target=target, folder=folder)
        width = None if past is None else len(table.columns)
        self._keep(trained, Origin(table=past is None, features=width))
        self._remember(table, past)
        return self

    def predict(self, X: Any = None, horizon: int | None = None) -> Array:
        """Forecast from the end of X.

        Args:
            X: as in ``fit``; None goes on from the end of what the estimator was fitted on.
            horizon: the first steps only; None gives all.

        Returns:
            ``(H,)`` in original units, with an axis of targets behind where X is ``(T, M)`` or a table's targets are
            several, and an axis of series before where X holds several.

        Raises:
            ValueError: X is not what the estimator was fitted on, or too short.
        """
        prediction, shape = self._forecast(X)
        return shape.of(prediction.answer.value, horizon)

    def predict_interval(self, X: Any = None, horizon: int | None = None) -> tuple[Array, Array]:
        """Lower and upper bounds that hold 90 % of new truths (``settings["task"]["coverage"]`` chooses another share).

        Args:
            X, horizon: as in ``predict``.

        Returns:
            two arrays in the shape of ``predict``.

        Raises:
            ValueError: as ``predict``, or no validation part calibrated the interval.
        """
        prediction, shape = self._forecast(X)
        low, high = bounds_of(prediction.answer)
        return shape.of(low, horizon), shape.of(high, horizon)

    def predict_table(self, X: Any = None) -> pl.DataFrame:
        """The forecast as a polars frame: series, time where there is one, step, value and interval.

        Series that are too short are left out. Args and errors as in ``predict``.
        """
        return frame_of(self._forecast(X)[0])

    def score(self, X: Any, y: str | tuple[str, ...] | None = None) -> float:
        """Skill over every window of X: ``1 - MSE / MSE of persistence`` (Murphy 1988), the mean over targets.

        1 is perfect, 0 is what repeating the last value reaches, below 0 is worse than that.

        Args:
            X: as in ``fit``; at least one window and horizon long.
            y: not looked at: the targets are those of ``fit``.
        """
        past = self._past(X)
        evaluation = self._evaluate(X if past is None else past.table)
        reference = next(scores for scores in evaluation.baselines if scores.name == "persistence")
        targets = [column.name for column in self._predictor().preprocessor.schema.of_role("target")]
        figures = [f"rmse:{target}" for target in targets] if len(targets) > 1 else ["rmse"]
        return float(np.mean([_skill(evaluation.model[name].value, reference[name].value) for name in figures]))

    def _arguments(self, told: Settings) -> dict[str, Any]:
        assert isinstance(told.decoding, NumberDecoding)
        return {**super()._arguments(told), "horizon": told.decoding.horizon}

    def _past(self, X: Any) -> Past | None:
        """New arrays, checked; None of a table."""
        check_is_fitted(self)
        past = None if is_table(X) else Past.of(X)
        if past is not None and not self._origin.table:
            self._check_width(len(past.table.columns))
        return past

    def _forecast(self, X: Any) -> tuple[Prediction, Shape]:
        check_is_fitted(self)
        predictor = self._predictor()
        if X is not None:
            past = self._past(X)
            series = predictor.series(X if past is None else past.table)
            return predictor.predict(series), self._shape(series, past)
        end: tuple[Series, Shape] | None = getattr(self, "_end", None)  # what ``fit`` ended in; a bundle has none
        if end is None:
            raise ConfigError("a bundle does not hold the series it was fitted on", where="X", mend="give their end")
        series, shape = end
        return predictor.predict(series), shape

    def _shape(self, series: Series, past: Past | None) -> Shape:
        if past is not None:
            return Shape(series.ids, several=past.several, wide=past.wide)
        schema = self._predictor().settings.reading
        several = schema.group is not None or len(series.ids) > 1
        return Shape(series.ids, several=several, wide=len(schema.of_role("target")) > 1)

    def _remember(self, table: Table, past: Past | None) -> None:
        """Keep what ``predict`` needs to go on from here."""
        predictor = self._predictor()
        series, schema = predictor.series(table), predictor.settings.reading
        window, horizon = predictor.settings.window, predictor.preprocessor.horizon
        samples, _ = to_predict(series, schema, window=window, horizon=horizon, which="last", stride=1)
        self._end = end_of(series, samples, horizon), self._shape(series, past)


def _skill(error: float, reference: float) -> float:
    """As scikit-learn's R²: 1 or 0 where there is nothing to explain."""
    if reference == 0:
        return float(error == 0)
    return 1 - (error / reference) ** 2
