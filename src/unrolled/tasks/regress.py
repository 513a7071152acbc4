"""Regression: a number for a sequence, such as the remaining useful life of a machine.

Letters: n samples, B batch, M targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import intervals
from unrolled.prepare.decoding import Decoding, NumberDecoding
from unrolled.program.shapes import Outputs
from unrolled.tasks import losses, numbers
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, numeric_targets

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch


class RegressSettings(TaskSettings):
    """What a regression can be asked.

    Attributes:
        loss: what training minimises, or a function ``(output (B, 1, M, 1), truth (B, M)) -> loss``, scalar or
            with B rows.
        delta: of the Huber loss, in standard deviations of the target.
        cap: the target is a remaining useful life, and above this many steps a machine counts as new: training
            sees ``min(life, cap)`` (piecewise linear, Heimes 2008; 125 is usual for C-MAPSS), which is the
            preprocessor's work. None: any number.
        coverage: of the interval calibrated on the validation part.
    """

    loss: Literal["mse", "mae", "huber"] | Plugin = "mse"
    delta: float = Field(1.0, gt=0)
    cap: float | None = Field(None, gt=0)
    coverage: float = Field(0.9, gt=0, lt=1)


@dataclass(frozen=True)
class Regress(Task):
    """One or several numbers for a sequence or a window."""

    name: ClassVar[str] = "regress"
    baselines: ClassVar[tuple[str, ...]] = ("mean",)
    options: ClassVar[type[TaskSettings]] = RegressSettings
    settings: RegressSettings = field(default_factory=RegressSettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        """The metric that is nearest to the loss."""
        return ("rmse",) if self.settings.loss == "mse" else ("mae",)

    def outputs(self, columns: Columns) -> Outputs:
        return Outputs(targets=len(numeric_targets(columns, self.name)))

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        settings, truth = self.settings, batch.y
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, truth, batch.weight)
        loss = losses.pointwise(settings.loss, output[:, 0, :, 0], truth, settings.delta)
        return losses.mean_over_known(loss, ~truth.isnan(), batch.weight)

    def decoding(self, columns: Columns) -> NumberDecoding:
        names = tuple(column.name for column in columns.of_role("target"))
        bounds = (None, None) if self.settings.cap is None else (0.0, self.settings.cap)
        return NumberDecoding(task="regress", targets=names, bounds=bounds)

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """Conformal offsets of each target; the truth is capped where there is a cap, as in training."""
        if not isinstance(decoding, NumberDecoding) or not len(output):
            return decoding
        return intervals(decoding, output, truth, self.settings.coverage)

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        found = self._errors(truth, answer)
        if self.settings.cap is not None:
            capped = self._errors(np.minimum(truth, self.settings.cap), answer)
            found += tuple(replace(statistic, name=f"{statistic.name}_capped") for statistic in capped)
        return found

    def headline(self, answer: Answer, scales: Scales) -> str:
        return "rmse" if self.settings.cap is None else "rmse_capped"

    def _errors(self, truth: Values, answer: Answer) -> tuple[Statistic, ...]:
        truth, value = truth[:, None], answer.value[:, None]
        found = [*numbers.errors(truth, value), numbers.r_squared(truth, value)]
        if self.settings.cap is not None:
            found.append(numbers.nasa_score(truth, value))
        if answer.quantiles is not None:
            found += numbers.interval_figures(truth, answer.quantiles[:, None], answer.levels)
        if len(answer.targets) > 1:
            error = value - truth
            found += [numbers.root_mean_square(f"rmse:{t}", error[..., m]) for m, t in enumerate(answer.targets)]
        return tuple(found)

    def _plain(self, output: Values) -> NumberDecoding:
        return NumberDecoding(task="regress", targets=tuple(str(number) for number in range(output.shape[2])))
