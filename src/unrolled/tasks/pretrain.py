"""Pretraining: the encoder of a net learns from series without labels, and a later task starts from its weights.

Letters: n samples, B batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, Self

from pydantic import Field, model_validator

from unrolled.core.errors import ConfigError
from unrolled.core.records import Metric
from unrolled.prepare.answer import Answer
from unrolled.prepare.decoding import Decoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.program.shapes import Outputs
from unrolled.tasks.statistic import Statistic
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values
from unrolled.tasks.windows import Span, sliding, too_short, whole

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch

MEASURES = {
    "contrast": ("info_nce", "chance"),
    "masked": ("mse_standardised", "interpolation"),
    "next": ("mse_standardised", "persistence"),
}
"""Kind of question -> what is measured, and the simple method beside it."""

_TAKES = {"contrast": {"temperature", "warp", "scale", "noise"}, "masked": {"share", "span"}, "next": set[str]()}


class PretrainSettings(TaskSettings):
    """What a pretraining can be asked; there are no metrics of one's own.

    Attributes:
        kind: "masked" hides spans of steps and finds them again; "next" foretells the step after each step, and
            needs layers that look back only; "contrast" tells two distorted views of a sequence from all others.
        share: masked: of the steps that is hidden, about; None is 0.3.
        span: masked: steps hidden in a row, at least; None is 5.
        temperature: contrast: divides the cosine of two views; None is 0.2.
        warp: contrast: strength of time warping, as of the layer ``augment``; None is 0.2.
        scale: contrast: deviation of a factor on each view; None is 0.2.
        noise: contrast: added to each view, in standard deviations of the input; None is 0.2.
    """

    kind: Literal["masked", "next", "contrast"] = "masked"
    share: float | None = Field(None, gt=0, lt=1)
    span: int | None = Field(None, ge=1, le=10_000)
    temperature: float | None = Field(None, gt=0)
    warp: float | None = Field(None, ge=0, le=1)
    scale: float | None = Field(None, ge=0, le=1)
    noise: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _options_of_this_kind(self) -> Self:
        for kind, names in _TAKES.items():
            for name in sorted(names - _TAKES[self.kind]):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} is an option of kind {kind}, and this is kind {self.kind}")
        if self.metrics or self.monitor:
            raise ValueError("pretraining has one figure, that of its question; leave metrics and monitor out")
        return self

    @property
    def asked(self) -> dict[str, Any]:
        """The options of the question that were given."""
        return {name: value for name in _TAKES[self.kind] if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Pretrain(Task):
    """No answer: what is left is an encoder. Its scores are ``nets.pretext``'s, ``(B, 3)``."""

    name: ClassVar[str] = "pretrain"
    baselines: ClassVar[tuple[str, ...]] = ("persistence", "interpolation", "chance")
    options: ClassVar[type[TaskSettings]] = PretrainSettings
    settings: PretrainSettings = field(default_factory=PretrainSettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        return (MEASURES[self.settings.kind][0],)

    def outputs(self, columns: Columns) -> Outputs:
        return Outputs()

    def samples(
        self, series: Series, spans: Sequence[Span], *, window: int | None, stride: int = 1, last: bool = False
    ) -> Samples:
        """Whole spans, or windows inside them."""
        if window is None:
            found = whole(series, spans, window=None)
        else:
            found = sliding(series, spans, window=window, ahead=0, stride=stride, last=last)
        if spans and not len(found):
            raise too_short(series, window, 0)
        return found

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Mean over all terms of a batch's ``(B, 3)`` scores, sequences weighted."""
        weight = 1 if batch.weight is None else batch.weight[:, None]
        own, _, terms = (output * weight).sum(0).unbind()
        return own / terms.clamp_min(1e-12)

    def measure(self, pairs: Iterable[tuple[Tensor, Batch]]) -> Metric:
        """The mean over all terms of the validation part."""
        own, terms = 0.0, 0.0
        for output, _ in pairs:
            total = output.detach().double().sum(0)
            own, terms = own + total[0].item(), terms + total[2].item()
        return Metric(name=self.monitors[0], value=own / terms if terms else float("nan"))

    def decoding(self, columns: Columns) -> Decoding:
        _refuse()

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        _refuse()

    def headline(self, answer: Answer, scales: Scales) -> str:
        return self.monitors[0]

    def _plain(self, output: Values) -> Decoding:
        _refuse()


def _refuse() -> NoReturn:
    raise ConfigError(
        "a pretrained encoder gives no answers yet",
        mend="train a task from it: unrolled train labelled.csv --target y --from runs/pretrained",
    )
