"""Classification: one label, or several, for a sequence or a window.

Several labels are several targets, each with its own classes ("yes" and "no" where a label is given or not).
Letters: n samples, B batch, M targets, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import temperature
from unrolled.prepare.decoding import ClassDecoding, Decoding
from unrolled.program.shapes import Outputs
from unrolled.tasks import labels, losses
from unrolled.tasks.plugin import Plugin, resolve
from unrolled.tasks.statistic import Statistic, among, mean
from unrolled.tasks.task import Columns, Scales, Task, TaskSettings, Values, category_targets

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.batch import Batch

Weights = tuple[tuple[Annotated[float, Field(ge=0)], ...], ...]


class ClassifySettings(TaskSettings):
    """What a classification can be asked.

    Attributes:
        loss: "cross_entropy", or a function ``(output (B, 1, M, K), codes (B, M)) -> loss``, scalar or with B rows.
        class_weights: "none"; "balanced" weighs a class by ``n / (K n_class)``, "root" by the square root of that; or
            one weight a class, target by target. ``fit`` puts numbers in the place of the words.
        smoothing: label smoothing, the share of the probability spread over all classes.
    """

    loss: Literal["cross_entropy"] | Plugin = "cross_entropy"
    class_weights: Literal["none", "balanced", "root"] | Weights = "none"
    smoothing: float = Field(0.0, ge=0, lt=1)


@dataclass(frozen=True)
class Classify(Task):
    """A class of each target, with calibrated probabilities."""

    name: ClassVar[str] = "classify"
    _reads: ClassVar[Literal["classify", "tag"]] = "classify"
    baselines: ClassVar[tuple[str, ...]] = ("majority",)
    options: ClassVar[type[TaskSettings]] = ClassifySettings
    settings: ClassifySettings = field(default_factory=ClassifySettings)

    @property
    def monitors(self) -> tuple[str, ...]:
        """Log loss: it moves with every sample, where accuracy moves in steps."""
        return ("log_loss",)

    def outputs(self, columns: Columns) -> Outputs:
        targets = category_targets(columns, self.name)
        return Outputs(targets=len(targets), values=max(len(column.categories) for column in targets))

    def fit(self, truth: Values) -> Self:
        """Class weights for "balanced" and "root" from the codes ``(n, M)`` of the training part."""
        power = {"balanced": 1.0, "root": 0.5}.get(str(self.settings.class_weights))
        if power is None:
            return self
        weights = tuple(_balanced(codes[np.isfinite(codes)], power) for codes in truth.T)
        return replace(self, settings=self.settings.model_copy(update={"class_weights": weights}))

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        settings = self.settings
        if ":" in settings.loss:
            return losses.own(resolve(settings.loss), output, batch.y, batch.weight)
        loss, known = losses.cross_entropy(
            output[:, 0], batch.y, class_weights=self._class_weights(output), smoothing=settings.smoothing
        )
        return losses.mean_over_known(loss, known, batch.weight)

    def decoding(self, columns: Columns) -> ClassDecoding:
        targets = category_targets(columns, self.name)
        names = tuple(column.name for column in targets)
        classes = tuple(column.categories for column in targets)
        return ClassDecoding(task=self._reads, targets=names, classes=classes)

    def calibrate(
        self, output: Values, truth: Values, decoding: Decoding, counts: npt.NDArray[np.int64] | None = None
    ) -> Decoding:
        """One temperature a target."""
        if not isinstance(decoding, ClassDecoding):
            return decoding
        found = []
        for at, classes in enumerate(decoding.classes):
            known = np.isfinite(truth[:, at])
            codes = truth[known, at].astype(np.int64)
            found.append(temperature(output[known, 0, at, : len(classes)], codes))
        return decoding.model_copy(update={"temperatures": tuple(found)})

    def statistics(self, truth: Values, answer: Answer, scales: Scales) -> tuple[Statistic, ...]:
        """Of the one label; of several the means, the share of samples without any error, and each label's own."""
        if len(answer.targets) == 1:
            return _figures(truth[:, 0], answer, 0, detailed=True)
        every = [_figures(truth[:, at], answer, at) for at in range(len(answer.targets))]
        right = np.where(np.isfinite(truth), answer.value == truth, np.nan)
        exact = np.where(np.isfinite(truth).all(1), (answer.value == truth).all(1), np.nan)
        named = [
            replace(figure, name=f"{figure.name}:{target}")
            for target, figures in zip(answer.targets, every, strict=True)
            for figure in figures
        ]
        return mean("accuracy", right, "higher"), mean("exact_match", exact, "higher"), _log_loss(truth, answer), *named

    def headline(self, answer: Answer, scales: Scales) -> str:
        """Accuracy; macro F1 where training was told that rare classes count as much."""
        weighted = self.settings.class_weights != "none" and len(answer.targets) == 1
        return "macro_f1" if weighted else "accuracy"

    def _class_weights(self, output: Tensor) -> Tensor | None:
        """``(M, K)``; classes that a target does not have get 0."""
        weights = self.settings.class_weights
        if weights == "none":
            return None
        if isinstance(weights, str):
            raise ConfigError(f"{weights} class weights were not fitted", where="option class_weights")
        table = output.new_zeros(output.shape[2:])
        if len(weights) != len(table) or max(map(len, weights)) > table.shape[1]:
            raise ConfigError(
                f"class weights are given for {[len(row) for row in weights]} classes, the targets have up to "
                f"{table.shape[1]} in {len(table)} targets",
                where="option class_weights",
                mend="give one weight for each class, target by target",
            )
        for at, row in enumerate(weights):
            table[at, : len(row)] = output.new_tensor(row)
        return table

    def _plain(self, output: Values) -> ClassDecoding:
        names = tuple(str(number) for number in range(output.shape[2]))
        return ClassDecoding(
            task=self._reads, targets=names, classes=(tuple(str(k) for k in range(output.shape[3])),) * len(names)
        )


def _balanced(codes: Values, power: float) -> tuple[float, ...]:
    """``n / (K n_class)`` (scikit-learn's "balanced") to ``power``, 0 for a class without a sample."""
    counts = np.bincount(codes.astype(np.int64))
    present = np.count_nonzero(counts)
    return tuple(float((len(codes) / (present * count)) ** power) if count else 0.0 for count in counts)


def _figures(codes: Values, answer: Answer, at: int, *, detailed: bool = False) -> tuple[Statistic, ...]:
    """All figures of one target, over the samples whose label is known."""
    classes: Sequence[str] = answer.classes[at]
    known = np.isfinite(codes)
    true = codes[known].astype(np.int64)
    predicted = answer.value[known, at].astype(np.int64)
    found = labels.confusion_figures(true, predicted, len(classes))
    if detailed and answer.probability is not None:
        found += labels.probability_figures(true, answer.probability[known, at, : len(classes)])
        found += labels.class_figures(true, predicted, classes)
    return among(known, found)


def _log_loss(truth: Values, answer: Answer) -> Statistic:
    """Mean over all labels that are known."""
    assert answer.probability is not None
    chance = np.full(truth.shape, np.nan)
    for at in range(truth.shape[1]):
        rows = np.flatnonzero(np.isfinite(truth[:, at]))
        chance[rows, at] = answer.probability[rows, at, truth[rows, at].astype(np.int64)]
    return mean("log_loss", -np.log(np.maximum(chance, 1e-15)))
