"""Forecasting: the next steps of one or several targets.

Letters: n samples, B batch, S steps, M targets, V values, Q probability levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from unrolled.core.errors import ConfigError
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import intervals
from unrolled.prepare.decoding import Decoding, NumberDecoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.program.shapes import Outputs
from unrolled.tasks import losses, numbers
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Statistic, mean
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, numeric_targets
from unrolled.tasks.windows import Span, sliding, too_short

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch


class ForecastSettings(TaskSettings):
    """What a forecast can be asked.

    Attributes:
        horizon: steps ahead.
        strategy: "direct" gives all steps at once; "recursive" trains for one step and rolls the net out.
        loss: what training minimises, or a function ``(output (B, S, M, V), truth (B, S, M)) -> loss``, scalar
            or with B rows.
        delta: of the Huber loss, in standard deviations of the target.
        quantiles: of the quantile loss, ascending; the first and the last make the interval.
        coverage: of the interval that is calibrated on the validation part when the loss gives points.
        season: steps in a season, for the seasonal naive baseline and MASE; None finds it from the time stamps.
    """

    horizon: int = Field(1, ge=1)
    strategy: Literal["direct", "recursive"] = "direct"
    loss: Literal["mse", "mae", "huber", "quantile"] | Plugin = "mse"
    delta: float = Field(1.0, gt=0)
    quantiles: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    coverage: float = Field(0.9, gt=0, lt=1)
    season: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _quantiles_make_sense(self) -> Self:
        levels = self.quantiles
        if not levels or min(levels) <= 0 or max(levels) >= 1 or list(levels) != sorted(set(levels)):
            raise ValueError("quantiles must be ascending numbers between 0 and 1")
        return self


@dataclass(frozen=True)
class Forecast(Task):
    """Numbers of the next ``horizon`` steps, with intervals."""

    name: ClassVar[str] = "forecast"
    baselines: ClassVar[tuple[str, ...]] = ("persistence", "seasonal_naive", "linear")
    options: ClassVar[type[TaskSettings]] = ForecastSettings
    settings: ForecastSettings = field(default_factory=ForecastSettings)

    @property
    def steps(self) -> int:
        """Steps that the net itself predicts; fewer than the horizon means that it is rolled out."""
        return self.settings.horizon if self.settings.strategy == "direct" else 1

    @property
    def monitors(self) -> tuple[str, ...]:
        """The metric that is nearest to the loss."""
        return {"mse": ("mse",), "quantile": ("crps",)}.get(self.settings.loss, ("mae",))

    def outputs(self, columns: Columns) -> Outputs:
        targets = numeric_targets(columns, self.name)
        return Outputs(steps=self.steps, targets=len(targets), values=max(1, len(self._quantiles)))

    def samples(
        self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1, last: bool = False
    ) -> Samples:
        """Windows whose whole horizon lies in a span."""
        if window is None:
            raise ConfigError("a forecast needs a window", where="option window", mend="give --window, such as 96")
        horizon = self.settings.horizon
        found = sliding(series, spans, window=window, ahead=horizon, stride=stride, last=last)
        if spans and not len(found):
            raise too_short(series, window, horizon)
        return found

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        settings = self.settings
        truth = batch.y[:, : output.shape[1]]
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, truth, batch.weight)
        if settings.loss == "quantile":
            loss = losses.pinball(output, truth, settings.quantiles)
        else:
            loss = losses.pointwise(settings.loss, output[..., 0], truth, settings.delta)
        return losses.mean_over_known(loss, ~truth.isnan(), batch.weight)

    def decoding(self, columns: Columns) -> NumberDecoding:
        return self._decoding(tuple(column.name for column in columns.of_role("target")))

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """Conformal offsets per step and target; outputs are rolled out to the horizon when the net is recursive."""
        if not isinstance(decoding, NumberDecoding) or not len(output):
            return decoding
        return intervals(decoding, output, truth, self.settings.coverage)

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        value, error = answer.value, answer.value.astype(np.float64) - truth
        found = [mean("mse", error**2), *numbers.errors(truth, value), *numbers.percentages(truth, value)]
        if scales.naive is not None:
            found.append(numbers.scaled(truth, value, scales.naive))
        if scales.deviation is not None:
            standard = error / np.where(scales.deviation > 0, scales.deviation, np.nan)
            found += [mean("mse_standardised", standard**2), mean("mae_standardised", np.abs(standard))]
        if answer.quantiles is not None:
            found += numbers.interval_figures(truth, answer.quantiles, answer.levels)
        if len(answer.targets) > 1:
            found += [numbers.root_mean_square(f"rmse:{t}", error[..., m]) for m, t in enumerate(answer.targets)]
        return tuple(found)

    def headline(self, answer: Answer, scales: Scales) -> str:
        """MASE over several series, standardised MSE over several targets, RMSE otherwise."""
        if scales.naive is not None and len(np.unique(np.nan_to_num(scales.naive), axis=0)) > 1:
            return "mase"
        return "mse_standardised" if len(answer.targets) > 1 and scales.deviation is not None else "rmse"

    @property
    def _quantiles(self) -> tuple[float, ...]:
        return self.settings.quantiles if self.settings.loss == "quantile" else ()

    def _plain(self, output: Values) -> NumberDecoding:
        return self._decoding(tuple(str(number) for number in range(output.shape[2])))

    def _decoding(self, targets: tuple[str, ...]) -> NumberDecoding:
        return NumberDecoding(
            task="forecast", targets=targets, horizon=self.settings.horizon, quantiles=self._quantiles
        )
