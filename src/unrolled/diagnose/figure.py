"""The one number of an answer that is looked into: a probability, a value, or a score.

Letters: B batch, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from unrolled.core.errors import ConfigError
from unrolled.core.explanation import Scale
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import (
    AlarmDecoding,
    AnomalyDecoding,
    ClassDecoding,
    Decoding,
    NumberDecoding,
    PairDecoding,
    StringDecoding,
)
from unrolled.prepare.spelling import cut, joined


@dataclass(frozen=True)
class Figure:
    """A number of a net's output.

    Attributes:
        name: the class or the string of labels whose probability it is, or the target; "score".
        scale: what kind of number it is.
        value: output ``(B, S, M, V)`` to ``(B,)``; a number of the target in model scale.
    """

    name: str
    scale: Scale
    value: Callable[[Tensor], Tensor]


def figure_of(
    decoding: Decoding, output: Tensor, *, target: int = 0, label: str | None = None, step: int | None = None
) -> Figure:
    """The number that stands for an answer.

    Args:
        decoding: how outputs are read.
        output: ``(1, S, M, V)``, of the answer that is looked into; of anomalies what ``with_score`` gives.
        target: which of the M.
        label: of a class or an item, or a string of labels; None takes the likeliest.
        step: of a forecast, from 1; None takes the mean over the horizon. Of tags the row, from 0.

    Raises:
        ConfigError: there is no such label or step.
    """
    if isinstance(decoding, AnomalyDecoding):
        return Figure("score", "score", lambda out: out[:, 0, 0, 0])
    if isinstance(decoding, StringDecoding):
        return _string(decoding, output, label)
    if isinstance(decoding, NumberDecoding):
        if label is not None:
            raise ConfigError("a number has no classes", where="--class", mend="leave it out for this model")
        return _number(decoding, output.shape[1], target, step)
    if isinstance(decoding, AlarmDecoding | PairDecoding):
        return _yes_or_no(decoding, output, label)
    place = step or 0
    if isinstance(decoding, ClassDecoding):
        labels = decoding.classes[target]
        temperature = decoding.temperatures[target] if decoding.temperatures else 1.0
    else:
        labels, temperature = decoding.items, decoding.temperature

    def chances(out: Tensor) -> Tensor:
        return torch.softmax(out[:, place, target, : len(labels)] / temperature, -1)

    code = int(chances(output)[0].argmax()) if label is None else _code(label, labels)
    return Figure(labels[code], "probability", lambda out: chances(out)[:, code])


def _number(decoding: NumberDecoding, steps: int, target: int, step: int | None) -> Figure:
    summed = bool(decoding.summed) and decoding.summed[target]
    if step is not None and not 1 <= step <= steps:
        raise ConfigError(f"the net forecasts steps 1 to {steps}", where=f"--step {step}", mend="choose one of them")

    def value(out: Tensor) -> Tensor:
        found = out[:, :, target, decoding.point]
        found = found.cumsum(1) if summed else found
        return found.mean(1) if step is None else found[:, step - 1]

    return Figure(decoding.targets[target], "number", value)


def _yes_or_no(decoding: AlarmDecoding | PairDecoding, output: Tensor, label: str | None) -> Figure:
    """The probability of the second of two classes, or of the first where that is asked for or is the answer."""
    classes = ("no", "yes") if isinstance(decoding, AlarmDecoding) else decoding.classes
    scale, bias = decoding.scale, decoding.bias

    def chance(out: Tensor) -> Tensor:
        return torch.sigmoid(scale * out[:, 0, 0, 0] + bias)

    limit = decoding.threshold if isinstance(decoding, AlarmDecoding) else 0.5
    code = int(float(chance(output)[0]) >= limit) if label is None else _code(label, classes)
    return Figure(classes[code], "probability", chance if code else lambda out: 1 - chance(out))


def _string(decoding: StringDecoding, output: Tensor, label: str | None) -> Figure:
    """The logarithm of the probability of a string, over all its paths (Graves et al. 2006, eq. 8).

    The probability itself is next to 0 all along the way from an average row, and so has no slope there.
    """
    if label is None:
        found = decode(output.numpy(), decoding).value[0]
        codes = found[np.isfinite(found)].astype(int).tolist()
    else:
        codes = [_code(one, decoding.labels) for one in cut(label, decoding.spelling)]
    wanted = torch.as_tensor(codes, dtype=torch.long) + 1  # 0 is the blank

    def value(out: Tensor) -> Tensor:
        rows = out[:, :, 0].log_softmax(-1).transpose(0, 1)
        steps = torch.full((len(out),), len(rows))
        many = torch.full((len(out),), len(wanted))
        return -ctc_loss(rows, wanted.expand(len(out), -1), steps, many, reduction="none")

    said = joined((decoding.labels[code] for code in codes), decoding.spelling)
    return Figure(said, "log_probability", value)


def _code(label: str, labels: tuple[str, ...]) -> int:
    if label not in labels:
        shown = ", ".join(labels[:20])
        raise ConfigError(f"there is no class {label!r}", where="--class", mend=f"choose one of {shown}")
    return labels.index(label)
