"""The optimiser, in the fastest form that the device and the precision allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from unrolled.train.settings import TrainSettings


def build_optimizer(groups: Iterable[Sequence[Parameter]], settings: TrainSettings) -> Optimizer:
    """The optimiser that ``settings`` names, over groups of parameters that may differ in their learning rate."""
    common: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    # A fused optimiser unscales fp16 gradients by itself, which global-norm clipping does not allow.
    form: dict[str, Any] = {"foreach": True} if settings.precision == "fp16" else {"fused": True}
    trained = [{"params": list(group)} for group in groups]
    momentum = settings.momentum
    match settings.optimizer:
        case "sgd":
            return SGD(trained, momentum=0.9 if momentum is None else momentum, **common, **form)
        case "rmsprop":
            return RMSprop(trained, momentum=momentum or 0.0, foreach=True, **common)
        case "adam":
            return Adam(trained, **common, **form)
        case "adamw":
            return AdamW(trained, **common, **form)
