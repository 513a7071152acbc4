"""The native library as a backend: any cell, forward and backward, on CPUs.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from unrolled.cells import LSTM
from unrolled.engine.backend import Request, State
from unrolled.engine.lowered import HALVES, Lowered, computed, cut, lowered, name_of, order_of, returned
from unrolled.engine.reference import Reference
from unrolled.engine.torch_kernels import TorchKernels
from unrolled.native.bound import Form

_SMALL = 64
_WIDE, _FEW = 128, 1 / 32
_WIDE_LSTM, _WIDEST_LSTM, _NARROW = 256, 512, 16


class Native:
    """Fused kernels made from the cell's program, threads over batch slices through the whole sequence."""

    name = "native"
    _torch = TorchKernels()

    def refusal(self, request: Request) -> str | None:
        found = _found(request)
        return found if isinstance(found, str) else None

    def hesitation(self, request: Request) -> str | None:
        """Why torch's kernels go first: they were measured to be faster at this size (benchmarks/speed)."""
        batch, time, _ = request.x.shape
        hidden = request.hidden
        reason = None
        lstm = type(request.cell) is LSTM
        if time == 1 and not (lstm and hidden <= _SMALL):
            reason = "in one step nothing is gained, and torch starts sooner"
        elif not lstm and hidden >= _WIDE and batch * time < hidden * _FEW:
            reason = f"{batch * time} rows are too few to pay for packing weights of {hidden} units"
        elif lstm and hidden >= (_WIDE_LSTM if batch <= _NARROW else _WIDEST_LSTM) and _needs_gradient(request):
            reason = f"oneDNN trains an LSTM of {hidden} units faster on batches of {batch}"
        return reason if reason is not None and self._torch.refusal(request) is None else None

    def run(self, request: Request) -> tuple[Tensor, State]:
        if torch.is_autocast_enabled("cpu") or request.x.dtype in HALVES:
            return _cast(request, self)
        run = _found(request)
        assert isinstance(run, Lowered)
        weights = [request.weights[name] for name in run.names]
        noise = [] if request.noise is None else [request.noise[name] for name in run.noise]
        state = request.initial or ()
        if not run.training:
            order = None if request.lengths is None else order_of(request.lengths)
            y, final, _ = run.forward(request.x, weights, state, noise, order=order, reverse=request.reverse)
            return y, tuple(final)
        sizes = (len(weights), len(state), len(noise))
        y, *rest = _Sequence.apply(  # type: ignore[no-untyped-call]
            request, run, sizes, request.x, *weights, *state, *noise
        )
        return y, tuple(rest)


class _Sequence(torch.autograd.Function):
    """One layer in one direction with its gradient; second derivatives and batches of gradients are the reference's."""

    @staticmethod
    def forward(
        ctx: Any, request: Request, run: Lowered, sizes: tuple[int, int, int], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        x, weights, state, noise = _parts(tensors, sizes)
        order = None if request.lengths is None else order_of(request.lengths)
        y, final, kept = run.forward(x, weights, state, noise, order=order, reverse=request.reverse, keep=True)
        ctx.set_materialize_grads(False)
        ctx.run, ctx.order, ctx.sizes = run, order, sizes
        ctx.cell, ctx.lengths, ctx.reverse = request.cell, request.lengths, request.reverse
        ctx.save_for_backward(*tensors, y, *kept)
        return y, *final

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # once: checkpoints give them one time only
        count = 1 + sum(ctx.sizes)
        tensors, (y, *kept) = saved[:count], saved[count:]
        wanted = ctx.needs_input_grad[3:]
        if torch.is_grad_enabled() or _batched(gradients):
            return (None, None, None, *_by_reference(ctx, tensors, gradients))
        x, weights, state, noise = _parts(tensors, ctx.sizes)
        dx, dweights, dstate = ctx.run.backward(
            gradients,
            x,
            weights,
            state,
            noise,
            y,
            kept,
            wanted=wanted[: 1 + len(weights)],
            order=ctx.order,
            reverse=ctx.reverse,
        )
        return (None, None, None, dx, *dweights, *dstate, *(None for _ in noise))


def _batched(gradients: Sequence[Tensor | None]) -> bool:
    """Whether one of them stands for many, as in ``is_grads_batched`` and vmap: there is no memory to read then."""
    kinds = torch._C._functorch
    return any(g is not None and (kinds.is_legacy_batchedtensor(g) or kinds.is_batchedtensor(g)) for g in gradients)


def _by_reference(ctx: Any, tensors: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Gradients by the reference, from the start: with gradients of their own, and of any number at once."""
    x, weights, state, noise = _parts(tensors, ctx.sizes)
    request = Request(
        ctx.cell,
        x,
        dict(zip(ctx.run.names, weights, strict=True)),
        tuple(state) or None,
        ctx.lengths,
        ctx.reverse,
        dict(zip(ctx.run.noise, noise, strict=True)) or None,
    )
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        y, final = Reference().run(request)
    known = [(v, g) for v, g in zip((y, *final), gradients, strict=True) if g is not None]
    wanted = ctx.needs_input_grad[3:]
    asked = [v for v, want in zip(tensors, wanted, strict=True) if want]
    results, given = [v for v, _ in known], [g for _, g in known]
    found = iter(torch.autograd.grad(results, asked, given, create_graph=again, allow_unused=True))
    return [next(found) if want else None for want in wanted]


def _parts(tensors: Sequence[Tensor], sizes: tuple[int, int, int]) -> tuple[Tensor, Any, Any, Any]:
    """x, weights, state and noise."""
    weights, state, noise, _ = cut(tensors[1:], sizes)
    return tensors[0], weights, state, noise


def _found(request: Request) -> Lowered | str:
    """The cell lowered for this request, or why it cannot be; looked for once."""
    notes = request.notes
    if Native.name not in notes:
        notes[Native.name] = _lowered(request)
    found: Lowered | str = notes[Native.name]
    return found


def _lowered(request: Request) -> Lowered | str:
    x = request.x
    if not x.is_cpu:
        return f"it computes on CPUs, x is on {x.device}"
    if not x.shape[0]:
        return "an empty batch has nothing to compute"
    if (
        torch._C._functorch.peek_interpreter_stack() is not None
        or forward_ad._current_level >= 0
        or torch._C._get_tracing_state() is not None
    ):
        return "inside torch.func, forward-mode derivatives and torch.jit.trace every operation must be torch's own"
    dtype, noise = name_of(computed("cpu", x.dtype)), request.noise is not None
    return lowered(Form.of(request.cell, request.weights, dtype, noise=noise, training=_needs_gradient(request)))


def _needs_gradient(request: Request) -> bool:
    if not torch.is_grad_enabled():
        return False
    return any(v.requires_grad for v in (request.x, *request.weights.values(), *(request.initial or ())))


def _cast(request: Request, backend: Native) -> tuple[Tensor, State]:
    """Under autocast, and in half precision: everything in one dtype in, the dtype that was asked for out."""
    dtype, given = computed("cpu", request.x.dtype), returned("cpu", request.x.dtype)
    with torch.autocast("cpu", enabled=False):
        y, state = backend.run(
            request.but(
                x=request.x.to(dtype),
                weights={name: weight.to(dtype) for name, weight in request.weights.items()},
                initial=None if request.initial is None else tuple(part.to(dtype) for part in request.initial),
                noise=None if request.noise is None else {k: mask.to(dtype) for k, mask in request.noise.items()},
            )
        )
    return y.to(given), tuple(part.to(given) for part in state)
