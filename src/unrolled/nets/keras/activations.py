"""Keras' activations by name, in torch, and those that can stand inside a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.core.errors import ConfigError
from unrolled.program.functions import relu, sigmoid, tanh

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": F.elu,
    "exponential": torch.exp,
    "gelu": F.gelu,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_swish": F.hardswish,
    "leaky_relu": lambda v: F.leaky_relu(v, 0.2),
    "linear": lambda v: v,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softmax": lambda v: F.softmax(v, -1),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "swish": F.silu,
    "tanh": torch.tanh,
}

IN_CELLS: dict[str, Callable[[Any], Any]] = {
    "hard_sigmoid": lambda v: 1 - relu(1 - relu(v * (1 / 6) + 0.5)),  # between 0 and 1
    "linear": lambda v: v,
    "relu": relu,
    "sigmoid": sigmoid,
    "softsign": lambda v: v / (1 + relu(v) + relu(-v)),
    "tanh": tanh,
}


def name_of(config: Any, where: str) -> str:
    """The name of an activation as a configuration gives it.

    Raises:
        ConfigError: it is not one of Keras' own.
    """
    if isinstance(config, dict):
        config = config.get("config") if config.get("class_name") == "function" else config.get("class_name")
    if not isinstance(config, str) or config not in ACTIVATIONS:
        raise ConfigError(f"the activation {str(config)[:60]!r} is not known", where=where)
    return config
