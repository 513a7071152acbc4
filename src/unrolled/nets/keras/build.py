"""From the configuration and arrays of one Keras layer to its torch module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets.keras.activations import name_of
from unrolled.nets.keras.archive import Arrays
from unrolled.nets.keras.layers import (
    Convolution,
    Embedding,
    GlobalPooling,
    Masking,
    Merging,
    Normalization,
    Plain,
    Pooling,
    Repeat,
)
from unrolled.nets.keras.recurrent import BothWays, OneWay

MERGING = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
RECURRENT = ("GRU", "LSTM", "SimpleRNN")


@dataclass(frozen=True)
class Source:
    """One layer of the file: its class, configuration, and where its arrays lie.

    ``operation`` says that it is no layer but one of ``keras.ops``, such as ``a + b``: those lose masks.
    """

    kind: str
    config: dict[str, Any]
    arrays: Arrays
    prefix: str
    operation: bool = False

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"Keras layer {str(self.config.get('name'))[:60]!r} ({self.kind[:60]})"

    def weights(self, part: str = "") -> list[npt.NDArray[Any]]:
        """The arrays of the layer, or of a part of it, in their order."""
        prefix = f"{self.prefix}/{part}vars/"
        found = {path.removeprefix(prefix): array for path, array in self.arrays.items() if path.startswith(prefix)}
        return [found[number] for number in sorted(found, key=lambda name: (len(name), name)) if number.isdigit()]

    def tensors(self, counts: tuple[int, ...], axes: int) -> list[Tensor]:
        """Its arrays as tensors, held against their number and the axes of the first."""
        arrays = self.weights()
        if len(arrays) not in counts or arrays[0].ndim != axes:
            raise ConfigError(f"its {len(arrays)} arrays are not those of such a layer", where=self.where)
        return [torch.from_numpy(array).clone() for array in arrays]

    def inner(self, key: str, place: str) -> Source:
        """The layer that this one wraps."""
        wrapped = self.config.get(key)
        if not isinstance(wrapped, dict) or not isinstance(wrapped.get("config"), dict):
            raise ConfigError(f"it wraps no layer ({key})", where=self.where)
        return Source(str(wrapped.get("class_name")), wrapped["config"], self.arrays, f"{self.prefix}/{place}")


def build(source: Source) -> nn.Module:
    """The torch module of a layer, with its weights.

    Raises:
        ConfigError: the layer, or one of its options, is not taken; it names both.
    """
    if source.kind in RECURRENT:
        return OneWay(source.kind, source.config, source.weights("cell/"), source.where)
    if source.kind in MERGING:
        return Merging(source.kind, int(source.config.get("axis", -1)))
    if source.kind not in _BUILDERS:
        raise ConfigError("this kind of layer is not taken", where=source.where, mend=f"taken are {', '.join(TAKEN)}")
    try:
        return _BUILDERS[source.kind](source)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"its configuration is damaged ({error})", where=source.where) from error


def _dense(source: Source) -> nn.Module:
    kernel, *bias = source.tensors((1, 2), 2)
    linear = nn.Linear(kernel.shape[0], kernel.shape[1], bias=bool(bias))
    linear.weight = nn.Parameter(kernel.T.contiguous())
    if bias:
        linear.bias = nn.Parameter(bias[0])
    return Plain(linear, name_of(source.config["activation"], source.where))


def _embedding(source: Source) -> nn.Module:
    return Embedding(source.tensors((1,), 2)[0], bool(source.config.get("mask_zero")))


def _convolution(source: Source) -> nn.Module:
    config = source.config
    kernel, *bias = source.tensors((1, 2), 3)
    options = {
        "stride": _one(config["strides"]),
        "dilation": _one(config["dilation_rate"]),
        "groups": int(config["groups"]),
        "activation": name_of(config["activation"], source.where),
    }
    weight = kernel.permute(2, 1, 0).contiguous()
    return Convolution(weight, bias[0] if bias else None, _padding(source, "valid", "same", "causal"), options)


def _pooling(source: Source) -> nn.Module:
    size, stride = _one(source.config["pool_size"]), _one(source.config["strides"])
    kind = "max" if source.kind.startswith("Max") else "mean"
    return Pooling(kind, size, stride, _padding(source, "valid", "same"))  # type: ignore[arg-type]


def _global_pooling(source: Source) -> nn.Module:
    _channels_last(source)
    keep = bool(source.config.get("keepdims"))
    return GlobalPooling("max" if source.kind.startswith("GlobalMax") else "mean", keep)


def _bidirectional(source: Source) -> nn.Module:
    directions = []
    for key, place in (("layer", "forward_layer"), ("backward_layer", "backward_layer")):
        inner = source.inner(key, place)
        if inner.kind not in RECURRENT:
            raise ConfigError(f"it wraps a {inner.kind[:40]}", where=source.where)
        directions.append(OneWay(inner.kind, inner.config, inner.weights("cell/"), source.where))
    merge = source.config.get("merge_mode")
    if merge not in ("concat", "sum", "ave", "mul"):
        raise ConfigError(f"merge_mode={merge!r} is not taken", where=source.where)
    return BothWays(directions[0], directions[1], merge)


def _time_distributed(source: Source) -> nn.Module:
    inner = source.inner("layer", "layer")
    if inner.kind not in ("Dense", "Dropout", "Activation"):
        raise ConfigError(f"it wraps a {inner.kind[:40]}", where=source.where, mend="Dense is taken")
    return build(inner)


def _normalization(source: Source) -> nn.Module:
    config = source.config
    axis = config["axis"][0] if isinstance(config["axis"], list) and len(config["axis"]) == 1 else config["axis"]
    if axis not in (-1, 2) or config.get("rms_scaling"):
        raise ConfigError(f"axis={config['axis']!r}, or its scaling, is not taken", where=source.where)
    arrays = source.tensors((0, 1, 2, 3, 4), 1) if source.weights() else []
    batch = source.kind == "BatchNormalization"
    if len(arrays) != bool(config["scale"]) + bool(config["center"]) + 2 * batch:
        raise ConfigError("its arrays are not those of such a layer", where=source.where)
    if not arrays:
        raise ConfigError("without scale and centre it is not taken", where=source.where)
    size, epsilon = len(arrays[0]), float(config["epsilon"])
    norm: nn.BatchNorm1d | nn.LayerNorm = nn.LayerNorm(size, epsilon)
    if batch:
        norm = nn.BatchNorm1d(size, epsilon, momentum=1 - float(config["momentum"]))
        norm.running_var, norm.running_mean = arrays.pop(), arrays.pop()
    with torch.no_grad():
        if config["center"]:
            norm.bias.copy_(arrays.pop())
        if config["scale"]:
            norm.weight.copy_(arrays.pop())
    return Normalization(norm)


def _dropout(source: Source) -> nn.Module:
    return Plain(nn.Dropout(float(source.config["rate"])))


def _flatten(source: Source) -> nn.Module:
    _channels_last(source)
    return Plain(nn.Flatten(), keeps_mask=False)


def _activation(source: Source) -> nn.Module:
    if source.kind == "Activation":
        return Plain(nn.Identity(), name_of(source.config["activation"], source.where))
    if source.kind == "LeakyReLU":
        return Plain(nn.LeakyReLU(float(source.config["negative_slope"])))
    if any(source.config.get(name) for name in ("max_value", "negative_slope", "threshold")):
        raise ConfigError("its options are not taken", where=source.where, mend="a plain ReLU is")
    return Plain(nn.ReLU())


_BUILDERS: dict[str, Callable[[Source], nn.Module]] = {
    "Activation": _activation,
    "AveragePooling1D": _pooling,
    "BatchNormalization": _normalization,
    "Bidirectional": _bidirectional,
    "Conv1D": _convolution,
    "Dense": _dense,
    "Dropout": _dropout,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "GlobalAveragePooling1D": _global_pooling,
    "GlobalMaxPooling1D": _global_pooling,
    "LayerNormalization": _normalization,
    "LeakyReLU": _activation,
    "Masking": lambda source: Masking(float(source.config["mask_value"])),
    "MaxPooling1D": _pooling,
    "ReLU": _activation,
    "RepeatVector": lambda source: Repeat(int(source.config["n"])),
    "TimeDistributed": _time_distributed,
}

TAKEN = tuple(sorted([*_BUILDERS, *MERGING, *RECURRENT]))


def _padding(source: Source, *taken: str) -> Any:
    _channels_last(source)
    padding = source.config["padding"]
    if padding not in taken:
        raise ConfigError(f"padding={padding!r} is not taken", where=source.where)
    return padding


def _channels_last(source: Source) -> None:
    if source.config.get("data_format", "channels_last") != "channels_last":
        raise ConfigError("data_format='channels_first' is not taken", where=source.where)


def _one(value: Any) -> int:
    """A number that Keras may write as a list of one."""
    return int(value[0] if isinstance(value, list) else value)
