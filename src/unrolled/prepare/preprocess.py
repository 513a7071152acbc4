"""From samples of a series to a model's arrays, and from its answers back to original units.

Letters: B batch, T time, D inputs, H horizon, M targets, Q quantiles, K static inputs, F known inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import BundleError, ConfigError, DataError
from unrolled.core.records import Note, Record
from unrolled.core.validation import restored
from unrolled.prepare import assemble
from unrolled.prepare import truth as truths
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.binding import Binding, Fitted, Float, position
from unrolled.prepare.layout import Layout
from unrolled.prepare.row_scaler import RowScaler, row_scaler
from unrolled.prepare.samples import Samples
from unrolled.prepare.scaling import DEFAULT, Scaling, Wanted
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.prepare.training import Spans, sequences, stream_array, stream_rows
from unrolled.prepare.transforms import Chain, Step
from unrolled.program.shapes import Inputs

_Float64 = npt.NDArray[np.float64]

_CHUNK = 4096
"""Samples inverted at once."""

_KEPT = 4
"""Series whose bindings are kept: training, validation, test and one more."""


class _Stored(Record):
    """A fitted preprocessor as it stands in a bundle."""

    reading: Schema
    horizon: int = Field(ge=0, le=1_000_000)
    transforms: dict[str, list[Step]]
    per_series: bool
    cap: float | None
    masked: tuple[int, ...]
    scaling: dict[str, Any]
    static: dict[str, Any]
    labels: dict[str, Any]


class Preprocessor:
    """Everything between a ``Series`` and a net, the same in training and at the edge; stored in the bundle as JSON.

    Args:
        schema: what the columns mean.
        horizon: steps ahead of a forecast, 0 for any other task.
        transforms: lists of transforms by role ("target", "feature", "known", "static") or column name; each step
            is a name or ``{name: {option: value}}``. Standard scaling where nothing is said.
        per_series: in a forecast, every series of the training part gets its own scale; a series that training did
            not see is scaled by the window at hand.
        cap: ceiling of a numeric target in training (remaining useful life); not for forecasts.

    Attributes:
        schema: after ``fit``, the categories of inputs are those of the training part.
        notes: what fitting found.

    Raises:
        ConfigError: options that contradict each other, or an unknown transform.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        horizon: int = 0,
        transforms: Wanted | None = None,
        per_series: bool = False,
        cap: float | None = None,
    ) -> None:
        _refuse_contradictions(schema, horizon, per_series, cap)
        self.horizon, self.per_series, self.cap = horizon, per_series, cap
        self.transforms: dict[str, list[Step]] = {key: list(steps) for key, steps in (transforms or {}).items()}
        self.notes: tuple[Note, ...] = ()
        self._set(schema)

    @property
    def schema(self) -> Schema:
        return self._fitted.schema

    def obstacle(self) -> str | None:
        """What keeps inputs from being prepared as rows arrive; None where nothing does."""
        schema, layout = self.schema, self._fitted.layout
        local = sorted({name for chain in self._fitted.scaling.chains for name in chain.looking_ahead})
        if local:
            return f"the transform {', '.join(local)} measures the whole window"
        if self.per_series:
            return "a series that training did not see is scaled by its whole window (per_series)"
        if schema.missing == "interpolate":
            return "missing values are interpolated from the rows after them"
        if schema.resample is not None:
            return "rows are gathered into steps of equal length (resample)"
        if layout.knows_ahead:
            names = ", ".join(repr(column.name) for column in (*layout.known_numbers, *layout.known_codes))
            return f"the columns {names} must be known over the whole horizon"
        return None

    @property
    def lag(self) -> int:
        """Rows of the past that the inputs of a row are made from, besides the row."""
        return max(self._fitted.scaling.lag, int(self._fitted.layout.time_delta))

    @property
    def summed(self) -> tuple[bool, ...]:
        """For each target of a forecast, whether its steps in model scale are changes that ``invert`` adds up."""
        return self._fitted.scaling.summed

    @property
    def classes(self) -> tuple[tuple[str, ...], ...]:
        """The classes of each target; empty for a numeric one."""
        return tuple(column.categories for column in self._fitted.layout.targets)

    def fit(self, series: Series, spans: Spans, *, least: int = 1) -> Preprocessor:
        """Learn categories, transforms and masks from the training part, ``(sequence, first row, end row)`` each.

        Items of sessions and words of texts that stand in fewer than ``least`` rows of it are not told apart.

        Raises:
            DataError: the training part is empty, shows one class only, or leaves a transform's domain.
        """
        spans = [span for span in spans if span[2] > span[1]]
        if not spans:
            raise DataError("the training part is empty", where=series.source, mend="give more data")
        self._set(truths.narrowed(self.schema, series, spans, least))
        layout, scaling = self._fitted.layout, self._fitted.scaling
        scaling.fit(series, spans, [position(series, column) for column in layout.numbers])
        static = [position(series, column) for column in layout.static_numbers]
        self._fitted.static.fit(stream_array(series.cases[sequences(spans)][:, static]))
        self._fit_labels(series, spans)
        if self.schema.missing == "mask":
            self._mask(series, spans)
        if self.schema.task != "anomaly":  # which learns from one class
            self.notes = truths.refuse_one_class(self.schema, series, spans)
        return self

    @property
    def layout(self) -> Layout:
        """Which column stands where in a batch."""
        return self._fitted.layout

    def inputs(self, length: int | None = None) -> Inputs:
        """Sizes of a net's inputs; ``length`` is T where all windows have the same."""
        fitted = self._fitted
        return fitted.layout.inputs(fitted.masked, length, forecast=self.schema.forecast)

    def arrays(self, series: Series, samples: Samples, *, truth: bool = True) -> Arrays:
        """Gather a batch in model scale.

        Args:
            series: built with this schema.
            samples: the windows, B of them.
            truth: gather ``y`` too; NaN where it is missing or beyond the end of the series.

        Raises:
            DataError: known covariates do not cover the horizon, or the truth has an unknown label.
        """
        bound = self._bind(series)
        layout, forecast = self._fitted.layout, self.schema.forecast
        if layout.knows_ahead:
            assemble.refuse_short(bound, samples, self.horizon)
        windows = bound.windows(samples, self.horizon if truth or layout.knows_ahead else 0)
        answered = samples.answered() if self.schema.every else None
        ragged = bool(len(samples)) and bool(np.ptp(samples.lengths))
        y: Float | None = None
        if answered is not None:
            y = self._each_step(bound, samples, windows.x, answered, truth)
        elif truth:
            ahead = windows.later_numbers[..., : len(layout.targets)]
            y = np.ascontiguousarray(ahead) if forecast else self._scaled_labels(bound, samples)
        return Arrays(
            x=assemble.inputs(bound, samples, windows, ragged=ragged),
            lengths=samples.lengths if ragged else None,
            static=None if bound.static is None else bound.static[samples.series],
            known=assemble.known(bound, samples, windows, self.horizon) if forecast else None,
            y=y,
            answered=answered,
        )

    def row_scaler(self) -> RowScaler:
        """What takes ``(T, C)`` rows of the numeric inputs to ``(T, D)`` in model scale, each by itself: for streams.

        Raises:
            ConfigError: rows cannot be prepared one by one, or other inputs belong to them.
        """
        return row_scaler(self._fitted, alone=self.obstacle() is None)

    def truth(self, series: Series, samples: Samples) -> _Float64:
        """``(B, H, M)`` true values in original units; ``(B, 1, M)`` values or class codes if not a forecast.

        B is the number of rows with an answer where answers are one a row; M is 1 where there is no target. NaN where
        the truth is missing or beyond the end of the series.

        Raises:
            DataError: an unknown label.
        """
        bound = self._bind(series)
        samples = samples.rows() if self.schema.by_row else samples
        if not self._fitted.layout.targets:
            return np.full((len(samples), 1, 1), np.nan)
        return truths.ahead(bound, samples, self.horizon) if self.schema.forecast else truths.at_end(bound, samples)

    def invert(self, values: npt.NDArray[Any], series: Series, samples: Samples) -> _Float64:
        """A net's values ``(B, H, M)`` or ``(B, H, M, Q)`` (H = 1 if not a forecast) in original units.

        Columns of classes come back as they are; a cap on the target is not undone.
        """
        values = np.asarray(values, dtype=np.float64)
        if self.schema.forecast:
            out = np.empty_like(values)
            for at in range(0, len(samples), _CHUNK):
                some = slice(at, at + _CHUNK)
                out[some] = self._inverted(values[some], series, samples[some])
            return out
        numeric, out = self._numeric_targets(), values.copy()
        blank = np.full((len(values), 0, len(numeric)), np.nan)
        past = self._labels.past(blank, np.zeros(len(values), dtype=np.int64))[1]
        out[:, :, numeric] = _each_quantile(values[:, :, numeric], lambda piece: self._labels.invert(piece, past))
        return out

    def _inverted(self, values: _Float64, series: Series, samples: Samples) -> _Float64:
        contexts = self._bind(series).contexts(samples)
        return _each_quantile(values, lambda piece: self._fitted.scaling.invert(piece, contexts))

    def times(self, series: Series, samples: Samples) -> npt.NDArray[Any] | None:
        """``(B, H)`` times of the forecast steps; None without a time column.

        Raises:
            DataError: the step between rows is unknown.
        """
        if series.time is None:
            return None
        return assemble.times(self._bind(series), samples, self.horizon)

    def to_json(self) -> dict[str, Any]:
        """Options and fitted values, ready for JSON."""
        fitted = self._fitted
        stored = _Stored(
            reading=fitted.schema,
            horizon=self.horizon,
            transforms=self.transforms,
            per_series=self.per_series,
            cap=self.cap,
            masked=fitted.masked,
            scaling=fitted.scaling.fitted(),
            static=fitted.static.fitted(),
            labels=self._labels.fitted(),
        )
        return stored.model_dump(mode="json")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocessor:
        """Rebuild a fitted preprocessor.

        Raises:
            BundleError: the data is damaged or contradicts itself.
        """
        stored = restored(_Stored, data, where="the preprocessing")
        try:
            made = cls(
                stored.reading,
                horizon=stored.horizon,
                transforms=stored.transforms,
                per_series=stored.per_series,
                cap=stored.cap,
            )
            made._fitted.scaling.load(stored.scaling)
            made._fitted.static.load(stored.static, 1)
            made._labels.load(stored.labels, 1)
            made._set_masked(stored.masked)
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
            said = " ".join(str(error).split())[:200]
            raise BundleError(f"the preprocessing is damaged ({type(error).__name__}: {said})") from error
        return made

    def _set(self, schema: Schema) -> None:
        """Make the parts for a schema, not yet fitted."""
        layout = Layout.of(schema)
        keys = {"target", "feature", "known", "static", *(column.name for column in schema.columns)}
        for key in self.transforms.keys() - keys:
            raise ConfigError(f"there is no column and no role {key!r}", where="option transform")
        static = Chain(_names(layout.static_numbers), self.transforms.get("static", DEFAULT))
        steps: list[Step] = list(self.transforms.get("target", DEFAULT))
        if self.cap is not None:
            steps.insert(0, {"cap": {"limit": self.cap}})
        self._labels = Chain(
            () if schema.forecast else _names(tuple(c for c in layout.targets if c.kind == "number")), steps
        )
        if static.local or (self._labels.local and not schema.forecast):
            raise ConfigError(
                "static columns, and targets that are not forecast, have no window to be transformed by",
                where="option transform",
                mend="use standard, minmax, robust, log or log1p there",
            )
        scaling = Scaling(layout.numbers, self.transforms, per_series=self.per_series)
        self._fitted = Fitted(schema, layout, scaling, static)
        self._bound: dict[int, Binding] = {}

    def _set_masked(self, masked: Sequence[int]) -> None:
        fitted = self._fitted
        if any(not 0 <= at < len(fitted.layout.numbers) for at in masked):
            raise BundleError("the columns whose holes are inputs are damaged")
        self._fitted = Fitted(fitted.schema, fitted.layout, fitted.scaling, fitted.static, tuple(masked))

    def _mask(self, series: Series, spans: Spans) -> None:
        """Give the net a mask for every numeric input with holes in the training part."""
        places = [position(series, column) for column in self._fitted.layout.numbers]
        holes = np.zeros(len(places), dtype=bool)
        for chunk in stream_rows(series.values, places, spans).chunks():
            holes |= np.isnan(chunk.values).any(axis=0)
        self._set_masked([int(at) for at in np.flatnonzero(holes)])

    def _bind(self, series: Series) -> Binding:
        """The binding of a series, which keeps it alive; the last few are kept."""
        bound = self._bound.get(id(series))
        if bound is None:
            bound = Binding(series, self._fitted)
            while len(self._bound) >= _KEPT:
                del self._bound[next(iter(self._bound))]
            self._bound[id(series)] = bound
        return bound

    def _numeric_targets(self) -> list[int]:
        return [at for at, column in enumerate(self._fitted.layout.targets) if column.kind == "number"]

    def _fit_labels(self, series: Series, spans: Spans) -> None:
        """Fit the transforms of numeric targets that are not forecast."""
        targets = self._fitted.layout.targets
        columns = [] if self.schema.forecast else [targets[at] for at in self._numeric_targets()]
        places = [position(series, column) for column in columns]
        if columns and all(column.level == "case" for column in columns):
            self._labels.fit(stream_array(series.cases[sequences(spans)][:, places]))
        elif columns:
            self._labels.fit(stream_rows(series.values, places, spans))

    def _each_step(
        self, bound: Binding, samples: Samples, x: Float, answered: npt.NDArray[np.bool_], truth: bool
    ) -> Float | None:
        """``(B, T, M)`` truth of every step in model scale, NaN where it is unknown or does not count.

        Of tags the codes, where they are asked for; of anomalies the numeric inputs.
        """
        if self.schema.task == "anomaly":
            numbers = x[..., : len(self._fitted.layout.numbers)]
            return np.where(answered[..., None], numbers, np.nan).astype(np.float32)
        if not truth:
            return None
        y = np.full((*answered.shape, len(self._fitted.layout.targets)), np.nan, dtype=np.float32)
        y[answered] = truths.at_end(bound, samples.rows())[:, 0]
        return y

    def _scaled_labels(self, bound: Binding, samples: Samples) -> Float:
        """``(B, M)`` truth of a task that is not a forecast, in model scale."""
        truth, numeric = truths.at_end(bound, samples), self._numeric_targets()
        one = np.zeros(len(samples), dtype=np.int64)
        truth[..., numeric] = self._labels.past(truth[..., numeric], one)[0]
        return truth[:, 0].astype(np.float32)


def _refuse_contradictions(schema: Schema, horizon: int, per_series: bool, cap: float | None) -> None:
    if schema.forecast and horizon < 1:
        raise ConfigError(f"a forecast {horizon} steps ahead is none", where="option horizon", mend="give 1 or more")
    if not schema.forecast and horizon:
        raise ConfigError(f"the task {schema.task!r} has no horizon of steps", where="option horizon", mend="give 0")
    if per_series and not schema.forecast:
        raise ConfigError(
            "a scale for each series is for forecasts, where the same series come back",
            where="option per_series",
            mend="use the transform instance, which scales every window by itself",
        )
    if cap is not None and schema.forecast:
        raise ConfigError("a cap on the target is not for forecasts", where="option cap")


def _names(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


def _each_quantile(values: _Float64, invert: Callable[[_Float64], _Float64]) -> _Float64:
    """``invert`` on ``(B, H, M)``, or on every quantile of ``(B, H, M, Q)``."""
    if values.ndim == 3:
        return invert(values)
    return np.stack([invert(values[..., q]) for q in range(values.shape[3])], axis=3)
