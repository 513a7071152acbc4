"""The arguments of a call held against the cell, before any kernel reads memory by them.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.engine.backend import Request, State, Weights
from unrolled.program.bind import check, check_lengths
from unrolled.program.equations import Equations

Masks = Mapping[str, Tensor] | None
"""By the name of the noise."""


def request(
    cell: Equations, x: Tensor, weights: Weights, hx: State | None, lengths: Any, reverse: bool, noise: Masks
) -> Request:
    """What a backend is asked for.

    Raises:
        ConfigError: a shape, dtype, device or length does not fit.
    """
    check_tensors(cell, x, weights, hx, noise)
    if lengths is not None:
        lengths = checked_lengths(torch.as_tensor(lengths), x)
    return Request(cell, x, weights, None if hx is None else tuple(hx), lengths, reverse, noise or None)


def check_tensors(cell: Equations, x: Tensor, weights: Weights, hx: State | None, noise: Masks) -> None:
    """Hold shapes, and that all tensors are of one dtype and lie on one device; under autocast dtypes may differ.

    Raises:
        ConfigError: naming the tensor.
    """
    if not isinstance(x, Tensor):
        raise ConfigError(f"x must be a tensor, it is a {type(x).__name__}", where=f"cell {cell.name!r}")
    check(cell, x, weights, hx)
    if noise:
        _check_masks(cell, x, weights, noise)
    dtype, on_cpu = weights["weight_ih"].dtype, x.is_cpu
    for tensor in (x, *weights.values(), *(hx or ()), *(noise.values() if noise else ())):
        if tensor.dtype is not dtype or tensor.is_cpu is not on_cpu:
            _check_alike(cell, dict(_named(cell, x, weights, hx, noise)))
            return


def checked_lengths(lengths: Tensor, x: Tensor) -> Tensor | None:
    """Lengths ``(B,)`` int64 on the device of x ``(B, T, D)``; None when every one is T.

    Raises:
        ConfigError: not one whole number a sequence, or one outside ``0 .. T``.
    """
    true = check_lengths(lengths.detach().cpu().numpy(), tuple(x.shape))
    return None if true is None else torch.as_tensor(true, device=x.device)


def _check_masks(cell: Equations, x: Tensor, weights: Weights, noise: Mapping[str, Tensor]) -> None:
    shape = (*x.shape[:2], weights["weight_ih"].shape[0] // len(cell.gates))
    given = {name: tuple(mask.shape) for name, mask in noise.items()}
    if given != dict.fromkeys(cell.noise, shape):
        raise ConfigError(
            f"the noise must be {cell.noise or 'none'}, each of shape {shape}; got {given}", where=f"cell {cell.name!r}"
        )


def _check_alike(cell: Equations, named: Mapping[str, Tensor]) -> None:
    x, dtype = named["x"], named["weight 'weight_ih'"].dtype
    for name, tensor in named.items():
        if tensor.device.type != x.device.type:
            raise ConfigError(
                f"the {name} is on {tensor.device}, x is on {x.device}",
                where=f"cell {cell.name!r}",
                mend="move one of them with .to(...)",
            )
    if torch.is_autocast_enabled(x.device.type):
        return
    for name, tensor in named.items():
        if tensor.dtype != dtype:
            raise ConfigError(
                f"{'' if tensor is x else 'the '}{name} is {tensor.dtype}, the weights are {dtype}",
                where=f"cell {cell.name!r}",
                mend=f"convert it with .to({dtype})",
            )


def _named(
    cell: Equations, x: Tensor, weights: Weights, hx: State | None, noise: Masks
) -> Iterator[tuple[str, Tensor]]:
    yield "x", x
    yield from ((f"weight {name!r}", weight) for name, weight in weights.items())
    yield from ((f"state {part!r}", tensor) for part, tensor in zip(cell.state, hx or (), strict=False))
    yield from ((f"noise {name!r}", mask) for name, mask in (noise or {}).items())
