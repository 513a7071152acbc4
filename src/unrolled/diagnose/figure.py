"""The one number of an answer that is looked into: a probability, or a value.

Letters: B batch, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.prepare.decoding import (
    AlarmDecoding,
    AnomalyDecoding,
    ClassDecoding,
    Decoding,
    NumberDecoding,
    PairDecoding,
    StringDecoding,
)


@dataclass(frozen=True)
class Figure:
    """A number of a net's output.

    Attributes:
        name: the class whose probability it is, or the target.
        probability: whether it is one.
        value: output ``(B, S, M, V)`` to ``(B,)``, in model scale where it is no probability.
    """

    name: str
    probability: bool
    value: Callable[[Tensor], Tensor]


def figure_of(
    decoding: Decoding, output: Tensor, *, target: int = 0, label: str | None = None, step: int | None = None
) -> Figure:
    """The number that stands for an answer.

    Args:
        decoding: how outputs are read.
        output: ``(1, S, M, V)``, of the answer that is looked into.
        target: which of the M.
        label: of a class, an item or "yes"; None takes the likeliest.
        step: of a forecast, from 1; None takes the mean over the horizon. Of tags the row, from 0.

    Raises:
        ConfigError: there is no such label or step, or the task gives scores of anomalies or strings of labels.
    """
    if isinstance(decoding, AnomalyDecoding):
        raise ConfigError(
            "a score of unusual rows is the size of its errors, which `unrolled predict` lists",
            where="task 'anomaly'",
            mend="explain a model for forecast, regress, classify, failure, tag, pairs or recommend",
        )
    if isinstance(decoding, StringDecoding):
        raise ConfigError(
            "a string of labels is read from all steps together, so no single number stands for it",
            where="task 'ctc'",
            mend="explain a model for forecast, regress, classify, failure, tag, pairs or recommend",
        )
    if isinstance(decoding, NumberDecoding):
        return _number(decoding, output.shape[1], target, step)
    if isinstance(decoding, AlarmDecoding | PairDecoding):
        scale, bias = decoding.scale, decoding.bias
        name = "yes" if isinstance(decoding, AlarmDecoding) else decoding.classes[1]
        return Figure(name, True, lambda out: torch.sigmoid(scale * out[:, 0, target, 0] + bias))
    place = step or 0
    if isinstance(decoding, ClassDecoding):
        labels = decoding.classes[target]
        temperature = decoding.temperatures[target] if decoding.temperatures else 1.0
    else:
        labels, temperature = decoding.items, decoding.temperature

    def chances(out: Tensor) -> Tensor:
        return torch.softmax(out[:, place, target, : len(labels)] / temperature, -1)

    code = int(chances(output)[0].argmax()) if label is None else _code(label, labels)
    return Figure(labels[code], True, lambda out: chances(out)[:, code])


def _number(decoding: NumberDecoding, steps: int, target: int, step: int | None) -> Figure:
    summed = bool(decoding.summed) and decoding.summed[target]
    if step is not None and not 1 <= step <= steps:
        raise ConfigError(f"the net forecasts steps 1 to {steps}", where=f"--step {step}", mend="choose one of them")

    def value(out: Tensor) -> Tensor:
        found = out[:, :, target, decoding.point]
        found = found.cumsum(1) if summed else found
        return found.mean(1) if step is None else found[:, step - 1]

    return Figure(decoding.targets[target], False, value)


def _code(label: str, labels: tuple[str, ...]) -> int:
    if label not in labels:
        shown = ", ".join(labels[:20])
        raise ConfigError(f"there is no class {label!r}", where="--class", mend=f"choose one of {shown}")
    return labels.index(label)
