"""A cell lowered for the native library, run on tensors: buffers, strides, order of sequences.

Letters: B batch, T time, D input, H hidden, W width of a part of the state, S saved columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unrolled import native
from unrolled.engine import threads
from unrolled.native.bound import Bound, Form, bound
from unrolled.native.kernel import NOTHING, View, Weights

HALVES = (torch.bfloat16, torch.float16)


class Order(NamedTuple):
    """Sequences sorted by descending length; ``there`` and ``back`` are None where they are in that order already."""

    lengths: npt.NDArray[np.int64]
    there: Tensor | None
    back: Tensor | None


class Lowered:
    """Runs one layer in one direction; weights are given in the order of ``names``, noise in that of the cell."""

    def __init__(self, bound: Bound, form: Form) -> None:
        self.kernel, self.names = bound.kernel, bound.names
        self.noise = tuple(form.cell.noise) if form.noise else ()
        self.training = form.training
        self._bound = bound
        self._zeros = torch.zeros(self.kernel.widths[0], dtype=getattr(torch, form.dtype))

    def forward(
        self,
        x: Tensor,
        weights: Sequence[Tensor],
        state: Sequence[Tensor],
        noise: Sequence[Tensor] = (),
        *,
        order: Order | None = None,
        reverse: bool = False,
        keep: bool = False,
        clean: bool = False,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """y ``(B, T, W)``, the final state, and with ``keep`` what backward needs besides.

        Without a ``state`` it starts at zeros. Kept is the history of each part but the first, ``(B, T, W)`` sorted by
        length, and saved ``(T, B, S)``, with zeros where nothing is written if ``clean``.
        """
        x, state, noise = self._arranged(x, state, noise, order)
        weights = [weight.contiguous() for weight in weights]
        batch, time, _ = x.shape
        widths = self.kernel.widths
        parts = [_room(x, widths[0], order is not None)]
        parts += [_history(x, width, order is not None) for width in (widths[1:] if keep else ())]
        final = [x.new_empty(batch, width) for width in widths]
        saved = (x.new_zeros if clean else x.new_empty)(time, batch, self.kernel.saved) if keep else None
        self.kernel.forward(
            (batch, time),
            _view(x),
            self._addresses(weights),
            initial=[part.data_ptr() for part in state] or [0] * len(widths),
            states=[*map(_view, parts), *[NOTHING] * (len(widths) - len(parts))],
            final=[part.data_ptr() for part in final],
            saved=0 if saved is None else saved.data_ptr(),
            extras=[_view(noise[self.noise.index(name)]) for name in self.kernel.extras],
            lengths=None if order is None else order.lengths,
            reverse=reverse,
            threads=torch.get_num_threads(),
        )
        y = parts[0]
        if order is not None and order.back is not None:
            y = y.index_select(0, order.back)
            final = [part.index_select(0, order.back) for part in final]
        return y, final, [] if saved is None else [*parts[1:], saved]

    def backward(
        self,
        gradients: Sequence[Tensor | None],
        x: Tensor,
        weights: Sequence[Tensor],
        state: Sequence[Tensor],
        noise: Sequence[Tensor],
        y: Tensor,
        kept: Sequence[Tensor],
        *,
        wanted: Sequence[bool],
        order: Order | None = None,
        reverse: bool = False,
    ) -> tuple[Tensor | None, list[Tensor | None], list[Tensor]]:
        """Gradients to x, the weights and the initial state, of those to y and each part of the final state.

        ``wanted`` says of x and of each weight whether its gradient is; arguments and results of forward come as they
        were there, and without a ``state`` it has no gradients.
        """
        dy, *dfinal = (None if v is None else _sorted(v, order) for v in gradients)
        x, state, noise = self._arranged(x, state, noise, order)
        weights = [weight.contiguous() for weight in weights]
        *parts, saved = [_sorted(y, order), *kept]
        dy = None if dy is None else _lined(dy)
        dfinal = [None if part is None else part.contiguous() for part in dfinal]
        dx = _room(x, x.shape[2], order is not None) if wanted[0] else None
        dweights = [torch.zeros_like(w) if want else None for w, want in zip(weights, wanted[1:], strict=True)]
        dstate = [torch.empty_like(part) for part in state]
        self.kernel.backward(
            (x.shape[0], x.shape[1]),
            _view(x),
            self._addresses(weights),
            initial=[part.data_ptr() for part in state] or [0] * len(parts),
            states=[_view(part) for part in parts],
            saved=saved.data_ptr(),
            dy=View(self._zeros.data_ptr(), 0, 0) if dy is None else _view(dy),
            dfinal=[0 if part is None else part.data_ptr() for part in dfinal],
            dx=NOTHING if dx is None else _view(dx),
            dweights=self._addresses(dweights),
            dinitial=[part.data_ptr() for part in dstate] or [0] * len(parts),
            extras=[_view(noise[self.noise.index(name)]) for name in self.kernel.extras],
            lengths=None if order is None else order.lengths,
            reverse=reverse,
            threads=torch.get_num_threads(),
        )
        if order is not None and order.back is not None:
            dx = None if dx is None else dx.index_select(0, order.back)
            dstate = [part.index_select(0, order.back) for part in dstate]
        return dx, dweights, dstate

    def _arranged(
        self, x: Tensor, state: Sequence[Tensor], noise: Sequence[Tensor], order: Order | None
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Arguments in the order of their lengths, in memory that the kernel can read."""
        x, noise = _lined(_sorted(x, order)), [_lined(_sorted(mask, order)) for mask in noise]
        return x, [_sorted(part, order).contiguous() for part in state], noise

    def _addresses(self, tensors: Sequence[Tensor | None]) -> Weights:
        return self._bound.addresses(tuple(0 if tensor is None else tensor.data_ptr() for tensor in tensors))


def lowered(form: Form) -> Lowered | str:
    """The lowered cell, or why the native library cannot run it."""
    return native.reason() or _lowered(form)


@lru_cache(maxsize=512)
def _lowered(form: Form) -> Lowered | str:
    threads.share()
    found = bound(form)
    return found if isinstance(found, str) else Lowered(found, form)


@cache
def name_of(dtype: torch.dtype) -> str:
    """As the library calls it."""
    return str(dtype).removeprefix("torch.")


def computed(device: str, dtype: torch.dtype) -> torch.dtype:
    """The dtype of a computation on values of ``dtype``: as :func:`returned`, but float32 for half precision on CPUs.

    There the numbers are stored with 16 bits, and multiplied, added and carried through time with 32.
    """
    wanted = returned(device, dtype)
    return torch.float32 if device == "cpu" and wanted in HALVES else wanted


def returned(device: str, dtype: torch.dtype) -> torch.dtype:
    """The dtype of results: that of autocast where it is on, else that of the arguments."""
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else dtype


def order_of(lengths: Tensor) -> Order:
    """How sequences of these lengths are sorted."""
    numbers: npt.NDArray[np.int64] = lengths.numpy()
    if (numbers[:-1] >= numbers[1:]).all():
        return Order(np.ascontiguousarray(numbers), None, None)
    there = np.argsort(-numbers, kind="stable")
    back = np.empty_like(there)
    back[there] = np.arange(len(there))
    return Order(numbers[there], torch.from_numpy(there), torch.from_numpy(back))


def cut(tensors: Sequence[Tensor], sizes: Sequence[int]) -> list[list[Tensor]]:
    """In pieces of these sizes, and the rest."""
    pieces, start = [], 0
    for size in sizes:
        pieces.append(list(tensors[start : start + size]))
        start += size
    return [*pieces, list(tensors[start:])]


def _sorted(v: Tensor, order: Order | None) -> Tensor:
    return v if order is None or order.there is None else v.index_select(0, order.there)


def _view(v: Tensor) -> View:
    row, step, _ = v.stride()
    return View(v.data_ptr(), row, step)


def _lined(v: Tensor) -> Tensor:
    """With its last axis contiguous in memory."""
    return v if v.stride(2) == 1 or v.shape[2] == 1 else v.contiguous()


def _history(like: Tensor, width: int, padded: bool) -> Tensor:
    """``(B, T, width)`` with the rows of a step together, as they are walked; zeros where a length may end early."""
    batch, time, _ = like.shape
    make: Any = like.new_zeros if padded else like.new_empty
    return torch.transpose(make((time, batch, width)), 0, 1)


def _room(like: Tensor, width: int, padded: bool) -> Tensor:
    """The same in the layout of ``like``, time first or batch first."""
    if like.stride(0) < like.stride(1):
        return _history(like, width, padded)
    make: Any = like.new_zeros if padded else like.new_empty
    room: Tensor = make((*like.shape[:2], width))
    return room
