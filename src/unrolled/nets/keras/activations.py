"""Keras' activations by name, in torch, and those that can stand inside a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unrolled.core.errors import ConfigError
from unrolled.program.functions import exp, log_sigmoid, minimum, relu, sigmoid, softplus, tanh

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "celu": F.celu,
    "elu": F.elu,
    "exponential": torch.exp,
    "gelu": F.gelu,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_swish": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": lambda v: F.leaky_relu(v, 0.2),
    "linear": lambda v: v,
    "log_sigmoid": F.logsigmoid,
    "log_softmax": lambda v: F.log_softmax(v, -1),
    "mish": F.mish,
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
    "tanh_shrink": F.tanhshrink,
}


def _between(low: float, v: Any, high: float) -> Any:
    return low + minimum(relu(v - low), high - low)


def _elu(v: Any) -> Any:
    return relu(v) + exp(minimum(v, 0.0)) - 1


def _hard_sigmoid(v: Any) -> Any:
    return _between(0.0, v * (1 / 6) + 0.5, 1.0)


_SELU = (1.0507009873554805, 1.6732632423543772)
"""Scale and alpha (Klambauer et al. 2017, arXiv 1706.02515)."""

IN_CELLS: dict[str, Callable[[Any], Any]] = {
    "elu": _elu,
    "exponential": exp,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda v: v * _hard_sigmoid(v),
    "hard_swish": lambda v: v * _hard_sigmoid(v),
    "hard_tanh": lambda v: _between(-1.0, v, 1.0),
    "leaky_relu": lambda v: relu(v) - 0.2 * relu(-v),
    "linear": lambda v: v,
    "log_sigmoid": log_sigmoid,
    "relu": relu,
    "relu6": lambda v: _between(0.0, v, 6.0),
    "selu": lambda v: _SELU[0] * (relu(v) + _SELU[1] * (exp(minimum(v, 0.0)) - 1)),
    "sigmoid": sigmoid,
    "silu": lambda v: v * sigmoid(v),
    "softplus": softplus,
    "swish": lambda v: v * sigmoid(v),
    "tanh_shrink": lambda v: v - tanh(v),
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
