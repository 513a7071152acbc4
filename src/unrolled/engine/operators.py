"""A whole layer as one torch operator, for ``torch.compile``, ``torch.export`` and whatever else traces.

In eager mode the backends are called directly; the operator runs the same kernels, or, where they cannot serve, torch's
or the reference, so that a traced model runs on any machine.

Letters: B batch, T time, D input, H hidden, W width of a part of the state, S saved columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.core.errors import BackendError
from unrolled.engine.arguments import check_tensors, checked_lengths
from unrolled.engine.backend import Backend, Request, State
from unrolled.engine.lowered import Lowered, computed, cut, lowered, name_of, order_of, returned
from unrolled.engine.reference import Reference
from unrolled.engine.torch_kernels import TorchKernels
from unrolled.native.bound import Form
from unrolled.program import equations
from unrolled.program.bind import not_lengths
from unrolled.program.equations import Equations

_OTHERS: tuple[Backend, ...] = (TorchKernels(), Reference())
_WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
_OWN: dict[str, Equations] = {}
"""Cells that are not registered, by key."""


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def key_of(cell: Equations) -> str:
    """A text by which the operator finds the cell, in another process too when it is registered."""
    options: dict[str, Any] = {}
    if is_dataclass(cell):
        options = {field.name: getattr(cell, field.name) for field in fields(cell)}
    key = f"{cell.name} {json.dumps(options, default=repr)}"
    if type(cell) is not equations.CELLS.get(cell.name):
        key = f"{key} {type(cell).__module__}.{type(cell).__qualname__} {id(type(cell))}"
        _OWN[key] = cell
    return key


def cell_of(key: str) -> Equations:
    """The cell of a key."""
    if key in _OWN:
        return _OWN[key]
    name, _, options = key.partition(" ")
    return equations.cell(name, **json.loads(options))


class _Call(NamedTuple):
    """What both operators are given, as ``unrolled::forward`` names it."""

    x: Tensor
    weights: Sequence[Tensor]
    state: Sequence[Tensor]
    noise: Sequence[Tensor]
    lengths: Tensor | None
    cell: str
    reverse: bool


@torch.library.custom_op("unrolled::forward", mutates_args=())
def forward(
    x: Tensor,
    weights: Sequence[Tensor],
    state: Sequence[Tensor],
    noise: Sequence[Tensor],
    lengths: Tensor | None,
    cell: str,
    reverse: bool,
    keep: bool,
) -> list[Tensor]:
    """y, the final state, and with ``keep`` what ``unrolled::backward`` needs besides."""
    call = _checked(_Call(x, weights, state, noise, lengths, cell, reverse))
    run = _lowered(call, keep)
    if isinstance(run, Lowered) and x.numel():
        order = None if call.lengths is None else order_of(call.lengths)
        y, final, kept = run.forward(
            x.contiguous(), weights, state, noise, order=order, reverse=reverse, keep=keep, clean=True
        )
        return [y, *final, *kept]
    y, other = _otherwise(call)
    rest = _rest(call, run) if keep else []
    return [y.contiguous(), *(part.clone() for part in other), *rest]


@forward.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    state: Sequence[Tensor],
    noise: Sequence[Tensor],
    lengths: Tensor | None,
    cell: str,
    reverse: bool,
    keep: bool,
) -> list[Tensor]:
    call = _Call(x, weights, state, noise, lengths, cell, reverse)
    _check_shapes(call)
    y = x.new_empty(x.shape[0], x.shape[1], state[0].shape[1])
    return [y, *map(torch.empty_like, state), *(_rest(call, _lowered(call, keep)) if keep else [])]


@torch.library.custom_op("unrolled::backward", mutates_args=())
def backward(
    gradients: Sequence[Tensor],
    x: Tensor,
    weights: Sequence[Tensor],
    state: Sequence[Tensor],
    noise: Sequence[Tensor],
    lengths: Tensor | None,
    results: Sequence[Tensor],
    cell: str,
    reverse: bool,
) -> list[Tensor]:
    """Gradients to x, each weight and each part of the initial state, of those to y and the final state."""
    call = _checked(_Call(x, weights, state, noise, lengths, cell, reverse))
    run = _lowered(call, True)
    if not isinstance(run, Lowered) or not x.numel():
        return _gradients_otherwise(gradients, call)
    order = None if call.lengths is None else order_of(call.lengths)
    y, kept = results[0], results[1 + len(state) :]
    wanted = [True] * (1 + len(weights))
    dx, dweights, dstate = run.backward(
        gradients, x.contiguous(), weights, state, noise, y, kept, wanted=wanted, order=order, reverse=reverse
    )
    return [tensor for tensor in (dx, *dweights, *dstate) if tensor is not None]


@backward.register_fake
def _(
    gradients: Sequence[Tensor],
    x: Tensor,
    weights: Sequence[Tensor],
    state: Sequence[Tensor],
    noise: Sequence[Tensor],
    lengths: Tensor | None,
    results: Sequence[Tensor],
    cell: str,
    reverse: bool,
) -> list[Tensor]:
    return [x.new_empty(tensor.shape) for tensor in (x, *weights, *state)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    x, weights, state, noise, lengths, ctx.cell, ctx.reverse, keep = inputs
    if not keep:
        raise BackendError("the operator was called without keep, so it has no gradient", where="unrolled::forward")
    ctx.sizes = (len(weights), len(state), len(noise))
    ctx.lengths = lengths
    ctx.save_for_backward(x, *weights, *state, *noise, *output)


def _pull_back(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    x, *rest = ctx.saved_tensors
    weights, state, noise, results = cut(rest, ctx.sizes)
    given = [
        torch.zeros_like(result) if gradient is None else gradient
        for gradient, result in zip(gradients[: 1 + len(state)], results, strict=False)
    ]
    made = torch.ops.unrolled.backward(given, x, weights, state, noise, ctx.lengths, results, ctx.cell, ctx.reverse)
    dx, dweights, dstate = made[0], made[1 : 1 + len(weights)], made[1 + len(weights) :]
    return dx, dweights, dstate, [None] * len(noise), None, None, None, None


forward.register_autograd(_pull_back, setup_context=_keep)


def tracing(x: Tensor) -> bool:
    """Whether operations are written down now rather than computed."""
    return torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0


def call(
    cell: Equations,
    x: Tensor,
    weights: Mapping[str, Tensor],
    hx: State | None,
    lengths: Tensor | None,
    reverse: bool,
    noise: Mapping[str, Tensor] | None,
) -> tuple[Tensor, State]:
    """What ``engine.run`` does, as one operator."""
    names = _shapes(cell, list(weights.values()))
    given = [weights[name] for name in names]
    masks = [] if not noise else [noise[name] for name in cell.noise]
    device = x.device.type
    dtype, wanted = computed(device, x.dtype), returned(device, x.dtype)
    state = list(hx or ())
    if torch.is_autocast_enabled(device) or dtype != x.dtype:
        x, given, masks, state = x.to(dtype), *([v.to(dtype) for v in vs] for vs in (given, masks, state))
    sizes = cell.state_sizes(given[0].shape[0] // len(cell.gates))
    if hx is None:
        state = [x.new_zeros(x.shape[0], size) for size in sizes]
    keep = torch.is_grad_enabled() and any(v.requires_grad for v in (x, *given, *state))
    lengths = None if lengths is None else torch.as_tensor(lengths)
    y, *rest = torch.ops.unrolled.forward(x, given, state, masks, lengths, key_of(cell), reverse, keep)
    results = [v.to(wanted) for v in (y, *rest[: len(sizes)])]
    return results[0], tuple(results[1:])


def _check_shapes(call: _Call) -> None:
    """Hold against the cell all that is known before there are numbers, for kernels read memory by it."""
    cell, x, lengths = cell_of(call.cell), call.x, call.lengths
    masks = dict(zip(cell.noise, call.noise, strict=True)) if call.noise else None
    check_tensors(cell, x, _named(cell, call.weights), tuple(call.state), masks)
    if lengths is not None and (lengths.shape != x.shape[:1] or lengths.dtype not in _WHOLE):
        raise not_lengths(int(x.shape[0]), lengths.dtype, tuple(lengths.shape))


def _checked(call: _Call) -> _Call:
    """The same with lengths as backends take them, after all was held against the cell."""
    _check_shapes(call)
    return call if call.lengths is None else call._replace(lengths=checked_lengths(call.lengths, call.x))


def _shapes(cell: Equations, weights: Sequence[Tensor]) -> dict[str, tuple[int, ...]]:
    """Of the parameters, by name and in order; the first weight is ``weight_ih (G*H, D)``."""
    rows, inputs = (int(size) for size in weights[0].shape)
    shapes = cell.shapes(inputs, rows // len(cell.gates), bias=True)
    return shapes if len(shapes) == len(weights) else cell.shapes(inputs, rows // len(cell.gates), bias=False)


def _lowered(call: _Call, keep: bool) -> Lowered | str:
    x = call.x
    if x.device.type != "cpu":
        return f"it computes on CPUs, x is on {x.device}"
    cell = cell_of(call.cell)
    return lowered(Form.of(cell, _named(cell, call.weights), name_of(x.dtype), noise=bool(call.noise), training=keep))


def _named(cell: Equations, weights: Sequence[Tensor]) -> dict[str, Tensor]:
    """Parameters by name."""
    return dict(zip(_shapes(cell, weights), weights, strict=True))


def _rest(call: _Call, run: Lowered | str) -> list[Tensor]:
    """Room for what is kept: histories and saved."""
    batch, time, _ = call.x.shape
    width = 0 if isinstance(run, str) else run.kernel.saved
    histories = [call.x.new_empty(time, batch, part.shape[1]).transpose(0, 1) for part in call.state[1:]]
    return [*histories, call.x.new_empty(time, batch, width)]


def _otherwise(call: _Call) -> tuple[Tensor, State]:
    x, state, cell = call.x, tuple(call.state), cell_of(call.cell)
    if not x.shape[1]:
        return x.new_zeros(x.shape[0], 0, state[0].shape[1]), state
    masks = dict(zip(cell.noise, call.noise, strict=True)) if call.noise else None
    request = Request(cell, x, _named(cell, call.weights), state, call.lengths, call.reverse, masks)
    served = [backend for backend in _OTHERS if backend.refusal(request) is None]
    return served[0].run(request)


def _gradients_otherwise(gradients: Sequence[Tensor], call: _Call) -> list[Tensor]:
    """The same gradients where the kernel cannot serve: forward again, then back."""
    inputs = [v.detach().requires_grad_() for v in (call.x, *call.weights, *call.state)]
    weights, state, _ = cut(inputs[1:], (len(call.weights), len(call.state)))
    with torch.enable_grad():
        y, final = _otherwise(call._replace(x=inputs[0], weights=weights, state=state))
        found = torch.autograd.grad((y, *final), inputs, list(gradients), allow_unused=True, materialize_grads=True)
    return [gradient.contiguous() for gradient in found]
