"""One door to all backends: the fastest that can serve runs, and the choice can be explained.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from unrolled.core.errors import BackendError, ConfigError
from unrolled.engine import arguments, operators
from unrolled.engine.backend import Backend, Request, State, Weights
from unrolled.engine.native import Native
from unrolled.engine.reference import Reference
from unrolled.engine.scan import Scan
from unrolled.engine.torch_kernels import TorchKernels
from unrolled.program.equations import Equations

_BACKENDS: list[Backend] = [Native(), TorchKernels(), Scan(), Reference()]  # fastest first


def run(
    cell: Equations,
    x: Tensor,
    weights: Weights,
    hx: State | None = None,
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    noise: Mapping[str, Tensor] | None = None,
    backend: str | Backend | None = None,
) -> tuple[Tensor, State]:
    """Run a cell over whole sequences, forward or from the end to the start.

    Args:
        cell: the equations.
        x: ``(B, T, D)``.
        weights: parameters by name, as ``cell.shapes`` lists them.
        hx: initial state, one ``(B, H)`` for each part, zeros when absent.
        lengths: ``(B,)`` true lengths; beyond them the state stands still and y is zero.
        reverse: start at the last true step.
        noise: one mask ``(B, T, H)`` for each of the cell's noises, as :func:`draw_noise` makes them for training;
            when absent each noise is its mean.
        backend: a name, or a backend that is not registered; the fastest that can serve when absent.

    Returns:
        y ``(B, T, H)`` in the order of x, and the final state, one ``(B, H)`` for each part.

    Raises:
        ConfigError: a shape, dtype or length does not fit.
        BackendError: the backend asked for cannot serve, with its reason.
    """
    if backend is None and operators.tracing(x):
        return operators.call(cell, x, weights, hx, lengths, reverse, noise)
    request = arguments.request(cell, x, weights, hx, lengths, reverse, noise)
    chosen = _find(backend) if backend is not None else None
    if chosen is None:
        chosen = next(candidate for candidate in _BACKENDS if _takes(candidate, request))
    elif reason := chosen.refusal(request):
        raise BackendError(f"cannot serve: {reason}", where=f"backend {chosen.name!r}", mend="leave the choice to us")
    if x.shape[1] == 0:
        state = request.state
        return x.new_zeros(x.shape[0], 0, state[0].shape[1]), state
    return chosen.run(request)


@dataclass(frozen=True)
class Choice:
    """Which backend serves a request, and what each of the others said; ``print`` it."""

    request: str
    chosen: str
    answers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.answers)
        lines = (f"  {name:<{width}}  {answer}" for name, answer in self.answers)
        return "\n".join((f"{self.request}: {self.chosen}", *lines))


def explain(
    cell: Equations,
    x: Tensor,
    weights: Weights,
    hx: State | None = None,
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    noise: Mapping[str, Tensor] | None = None,
) -> Choice:
    """Which backend :func:`run` would take for these arguments, and why not the others; computes nothing.

    Raises:
        ConfigError: a shape, dtype or length does not fit.
    """
    request = arguments.request(cell, x, weights, hx, lengths, reverse, noise)
    answers, chosen = [], ""
    for backend in _BACKENDS:
        reason = _reason(backend, request)
        if reason is None and not chosen:
            chosen, reason = backend.name, "chosen"
        answers.append((backend.name, reason or "could serve, slower"))
    batch, time, size = x.shape
    kind = f"{cell.name}, B {batch}, T {time}, D {size}, {str(x.dtype).removeprefix('torch.')} on {x.device}"
    extra = (
        (", lengths" if request.lengths is not None else "")
        + (", reverse" if reverse else "")
        + (", noise" if noise else "")
    )
    return Choice(kind + extra, chosen, tuple(answers))


def _reason(backend: Backend, request: Request) -> str | None:
    """Why a backend is not taken of itself: it cannot serve, or knows a faster one for this request."""
    return backend.refusal(request) or _hesitation(backend, request)


def _takes(backend: Backend, request: Request) -> bool:
    """Whether there is no such reason; the cheaper question goes first."""
    return _hesitation(backend, request) is None and backend.refusal(request) is None


def _hesitation(backend: Backend, request: Request) -> str | None:
    asked = getattr(backend, "hesitation", None)
    return None if asked is None else asked(request)


def register_backend(backend: Backend) -> None:
    """Put a backend before all others, in the place of one with the same name.

    Raises:
        ConfigError: it would take the place of the reference, which serves whatever others refuse.
    """
    if backend.name == Reference.name:
        raise ConfigError("this name belongs to the reference", where="backend", mend="choose another name")
    _BACKENDS[:] = [backend, *(known for known in _BACKENDS if known.name != backend.name)]


def backends() -> tuple[str, ...]:
    """Names of all backends, the fastest first."""
    return tuple(backend.name for backend in _BACKENDS)


def _find(backend: str | Backend) -> Backend:
    if not isinstance(backend, str):
        return backend
    for known in _BACKENDS:
        if known.name == backend:
            return known
    raise BackendError("there is no such backend", where=f"backend {backend!r}", mend=f"use {', '.join(backends())}")
