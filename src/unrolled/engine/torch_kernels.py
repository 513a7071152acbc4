"""torch's own kernels (oneDNN and ATen on CPUs, cuDNN on GPUs), where their equations are the cell's.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from unrolled.cells import GRU, LSTM, RNN, LSTMProjected, RNNRelu
from unrolled.engine.backend import Request, State

_VF: Any = torch._VF

_SEQUENCE: dict[type, Callable[..., Any]] = {
    LSTM: _VF.lstm,
    LSTMProjected: _VF.lstm,
    GRU: _VF.gru,
    RNN: _VF.rnn_tanh,
    RNNRelu: _VF.rnn_relu,
}
_ONE_STEP: dict[type, Callable[..., Any]] = {
    LSTM: _VF.lstm_cell,
    GRU: _VF.gru_cell,
    RNN: _VF.rnn_tanh_cell,
    RNNRelu: _VF.rnn_relu_cell,
}
_MANY = 8
"""Sequences from which on one step of an LSTM without gradient is faster as a sequence (benchmarks/speed)."""


class TorchKernels:
    """Padded sequences throughout: torch is several times slower on packed ones."""

    name = "torch"

    def refusal(self, request: Request) -> str | None:
        kind = type(request.cell)
        if kind not in _SEQUENCE:
            return f"torch has no kernel with the equations of {request.cell.name}"
        if kind is RNNRelu and request.lengths is not None:
            return "the unbounded state of rnn_relu could overflow in the padding"
        if kind is LSTM and request.x.device.type == "cpu" and _dtype(request.x) == torch.float16 != request.x.dtype:
            return "oneDNN has no LSTM for float16 autocast"
        return None

    def hesitation(self, request: Request) -> str | None:
        """Why the reference goes first: torch would run its kernels sample by sample, or not at all."""
        if forward_ad._current_level >= 0:
            return "torch's recurrent kernels have no forward-mode derivative"
        stack = torch._C._functorch.get_interpreter_stack()
        if stack and any(level.key() == torch._C._functorch.TransformType.Vmap for level in stack):
            return "torch cannot vmap its recurrent kernels"
        return None

    def run(self, request: Request) -> tuple[Tensor, State]:
        if request.lengths is not None:
            return _padded(request, request.lengths)
        if _starts_fast(request):
            return _one_step(request)
        if not request.reverse:
            return _whole(request)
        y, state = _whole(request.but(x=request.x.flip(1)))
        return y.flip(1), state


def _whole(request: Request) -> tuple[Tensor, State]:
    """All sequences over all T steps, forward."""
    train = torch.is_grad_enabled() or torch._C._get_tracing_state() is not None  # a trace serves both
    arguments = (_flat(request), "bias_ih" in request.weights, 1, 0.0, train, False, True)
    hx = tuple(part.unsqueeze(0) for part in request.state)
    y, *state = _SEQUENCE[type(request.cell)](request.x, hx if len(hx) > 1 else hx[0], *arguments)
    return y, tuple(part.squeeze(0) for part in state)


def _starts_fast(request: Request) -> bool:
    """Whether it is one step that the kernel of torch's cell takes sooner."""
    kind, (batch, time, _) = type(request.cell), request.x.shape
    slow = kind is LSTM and batch >= _MANY and not torch.is_grad_enabled()
    return time == 1 and kind in _ONE_STEP and not slow


def _one_step(request: Request) -> tuple[Tensor, State]:
    """T = 1 by the kernels of torch's cells, which start faster than those for sequences."""
    hx = request.state if len(request.state) > 1 else request.state[0]
    new = _ONE_STEP[type(request.cell)](request.x[:, 0], hx, *_flat(request))
    state = new if isinstance(new, tuple) else (new,)
    return state[0].unsqueeze(1), state


def _padded(request: Request, lengths: Tensor) -> tuple[Tensor, State]:
    """Run into the padding, then take the outputs inside each length and the state at its end."""
    time = torch.arange(request.x.shape[1], device=request.x.device)
    inside = request.inside(lengths)[..., None]
    # a reversed sequence must begin at its last true step: t -> length - 1 - t inside, the padding stays
    mirror = torch.where(inside[..., 0], lengths[:, None] - 1 - time, time)[..., None]
    x = torch.where(inside, request.x, 0)  # NaN in the padding would reach the gradient as 0 * NaN
    x = _take(x, mirror) if request.reverse else x
    padded = request.but(x=x, lengths=None, reverse=False)
    if len(request.state) > 1:
        padded = _hold_cell_state(padded, inside)
    y, state = _whole(padded)
    last = _take(y, (lengths - 1).clamp(min=0)[:, None, None])[:, 0]
    h = torch.where(lengths[:, None] > 0, last, request.state[0])
    y = torch.where(inside, y, 0)
    return _take(y, mirror) if request.reverse else y, (h, *state[1:])


def _hold_cell_state(request: Request, inside: Tensor) -> Request:
    """The LSTM kernel returns c after step T only, so c must stand still in the padding.

    One more input, 1 in the padding, shuts i and opens f beyond any other sum: c = 1 c + 0 g, exactly.
    """
    x, weight = request.x, request.weights["weight_ih"]
    beyond = torch.finfo(_dtype(x)).max / 4
    sign = weight.new_tensor([-beyond, beyond, 0, 0]).repeat_interleave(weight.shape[0] // 4)
    weights = {**request.weights, "weight_ih": torch.cat((weight, sign[:, None]), 1)}
    return request.but(x=torch.cat((x, (~inside).to(x.dtype)), 2), weights=weights)


def _dtype(x: Tensor) -> torch.dtype:
    """What a product with x is computed in."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def _take(v: Tensor, steps: Tensor) -> Tensor:
    """``v (B, T, N)`` at ``steps (B, S, 1)``: ``(B, S, N)``."""
    return v.gather(1, steps.expand(-1, -1, v.shape[2]))


def _flat(request: Request) -> list[Tensor]:
    """Weights in torch's order."""
    order = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    return [request.weights[name] for name in order if name in request.weights]
