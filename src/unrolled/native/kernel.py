"""A cell's program over whole sequences on this CPU, forward and backward.

Letters: B batch, T time, D input, H hidden, G gates, W width of a part of the state, S saved columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import BackendError
from unrolled.native.cell_code import Tables, backward_code, forward_code
from unrolled.native.code import OPS, Kind
from unrolled.native.library import Compiled, reason
from unrolled.program import Derivative, Program
from unrolled.program.program import LEAVES, PRODUCTS

DTYPES = {"float32": 0, "float64": 1}
_BYTES = (4, 8)

_FUSED_ROWS = 4
"""Rows of a thread from which x is multiplied in each step; fewer rows multiply faster over many steps at once."""


KNOWN = 8
"""Sets of parameters whose addresses are kept: those of a layer mostly stay where they are."""


class View(NamedTuple):
    """Memory of a ``(B, T, W)`` or ``(T, B, W)`` array whose last axis is contiguous, or nothing (address 0).

    Element ``(b, t, w)`` lies ``(b * row + t * step + w)`` elements after ``address``. A stride of 0 repeats.
    """

    address: int
    row: int
    step: int


NOTHING = View(0, 0, 0)


class Weights(NamedTuple):
    """Addresses of C-contiguous parameters; a gradient's address may be 0 (not wanted).

    ``ih`` is ``(G*H, D)`` and ``bias_ih`` ``(G*H,)`` (0 when there is no bias), gates in the order of ``Kernel.gates``.
    ``products`` has one address for each of ``Kernel.products``: ``(out, in)``, or ``(heads, out/heads, in/heads)``;
    of a gate the address of its first row in ``weight_hh``. ``vectors`` has one for each of ``Kernel.vectors``;
    of ``bias_hh.<gate>`` the address of the gate's first element in ``bias_hh``.
    """

    ih: int
    bias_ih: int
    products: tuple[int, ...]
    vectors: tuple[int, ...]


class Kernel:
    """Make it once for a cell and its sizes; it holds no weights and no state, and may run in many threads at once.

    Args:
        program: one step of the cell, as ``trace`` gives it.
        derivative: of the same program; None when only forward is wanted.
        gates: input leaves that are ``W x_t + b``, in the order of the rows of ``weight_ih``. Other input leaves
            (noise) are arrays of the caller.
        input_size: D.
        dtype: "float32" or "float64": of every array.
        heads: blocks of each product whose weight is block-diagonal; 1 of those that are not named.

    Attributes:
        gates, products, vectors, extras, state: names in the order in which addresses are given; ``extras`` are the
            input leaves that are no gates, ``state`` the parts of the state, the first is the output y.
        widths: W of each part of the state.
        dtype: as given.
        saved: S, columns of the array ``saved`` that forward leaves to backward: as large as ``(T, B, S)``,
            C-contiguous; what lies where in it is the kernel's business.

    Raises:
        BackendError: the library is missing, or the program cannot be run by it; ``refusal`` says why beforehand.
    """

    def __init__(
        self,
        program: Program,
        derivative: Derivative | None,
        *,
        gates: tuple[str, ...],
        input_size: int,
        dtype: str = "float32",
        heads: Mapping[str, int] | None = None,
    ) -> None:
        if why := refusal(program, derivative, dtype):
            raise BackendError(f"cannot run this cell: {why}", where="the native library")
        self._tables = tables = Tables.of(program, derivative, gates, input_size, heads or {})
        self.gates, self.products, self.extras, self.state = gates, tables.products, tables.extras, tables.parts
        self.vectors, self.widths, self.saved = tables.vectors, tables.widths, sum(tables.saved_widths)
        self.dtype, self._dtype = dtype, DTYPES[dtype]
        rows = accumulate(tables.gate_widths, initial=0)
        self._rows = [row * _BYTES[self._dtype] for row, _ in zip(rows, gates, strict=False)]
        planes = accumulate(tables.saved_widths, initial=0)
        self._planes = [
            (start * _BYTES[self._dtype], width) for start, width in zip(planes, tables.saved_widths, strict=False)
        ]
        self._compiled: dict[tuple[str, bool, bool], tuple[list[int], Compiled]] = {}
        self._parameters = lru_cache(maxsize=KNOWN)(self._listed)

    def forward(
        self,
        size: tuple[int, int],
        x: View,
        weights: Weights,
        *,
        initial: Sequence[int],
        states: Sequence[View],
        final: Sequence[int],
        saved: int = 0,
        extras: Sequence[View] = (),
        lengths: npt.NDArray[np.int64] | None = None,
        reverse: bool = False,
        threads: int = 1,
    ) -> None:
        """All time steps.

        Args:
            size: (B, T).
            x: ``(B, T, D)``, any strides.
            initial: of each part ``(B, W)`` C-contiguous, or 0 for zeros.
            states: of each part where its history goes, ``(B, T, W)`` after each step; the first is y. ``NOTHING``
                for a part other than the first when backward will not run. Steps beyond a length are left as they
                were (hand in zeros).
            final: of each part ``(B, W)`` C-contiguous after the last true step, or 0 when not wanted.
            saved: address of ``(T, B, S)`` for backward, or 0 (inference).
            extras: of each extra ``(B, T, width)``.
            lengths: ``(B,)``, descending, 0 .. T; None when every one is T.
            reverse: start at the last true step.
            threads: at most so many, the caller's included.

        Raises:
            BackendError: sizes or lengths do not fit.
        """
        rows = -(-size[0] // max(threads, 1))
        order, compiled = self._code("forward", save=bool(saved), flag=rows >= _FUSED_ROWS)
        numbers = self._sizes(size, lengths, reverse, threads)
        views = self._views(size, x, NOTHING, NOTHING, states, saved, extras)
        for index in order:
            numbers += views[index]
        for pair in zip(initial, final, strict=True):
            numbers += pair
        numbers += self._parameters(weights)
        compiled.forward(numbers)

    def backward(
        self,
        size: tuple[int, int],
        x: View,
        weights: Weights,
        *,
        initial: Sequence[int],
        states: Sequence[View],
        saved: int,
        dy: View,
        dfinal: Sequence[int],
        dx: View,
        dweights: Weights,
        dinitial: Sequence[int],
        extras: Sequence[View] = (),
        lengths: npt.NDArray[np.int64] | None = None,
        reverse: bool = False,
        threads: int = 1,
    ) -> None:
        """Gradients of everything; each array of gradients is overwritten.

        Arguments as in :meth:`forward`, all of them as that call was given and left them (``states`` of every part).

        Args:
            dy: ``(B, T, W)`` of y (``View`` of one zero row with strides 0 when there is none), any strides.
            dfinal: of each part ``(B, W)`` C-contiguous, or 0 for zeros.
            dx: ``(B, T, D)``, or ``NOTHING``. Steps beyond a length are left as they were.
            dweights: where the gradients of the weights go, shaped as they are; 0 where none is wanted.
            dinitial: of each part ``(B, W)`` C-contiguous, or 0.
        """
        order, compiled = self._code("backward", save=True, flag=bool(dx.address))
        numbers = self._sizes(size, lengths, reverse, threads)
        views = self._views(size, x, dy, dx, states, saved, extras)
        for index in order:
            numbers += views[index]
        for address in initial:
            numbers += (address, 0)
        numbers += self._parameters(weights)
        for pair in zip(dfinal, dinitial, strict=True):
            numbers += pair
        numbers += self._parameters(dweights)
        compiled.backward(numbers)

    def streamed(self, weights: Weights) -> tuple[Compiled, list[int]]:
        """The compiled step of a stream, and the addresses it takes."""
        return self._code("forward", save=False, flag=True)[1], self._parameters(weights)

    def _code(self, kind: str, *, save: bool, flag: bool) -> tuple[list[int], Compiled]:
        """Which of :meth:`_views` each view of the code is, and the code."""
        key = (kind, save, flag)
        if key not in self._compiled:
            if kind == "forward":
                code = forward_code(self._tables, save=save, fused=flag)
            elif self._tables.derivative is None:
                raise BackendError("it was made without a derivative", where="the native library")
            else:
                code = backward_code(self._tables, want_input=flag)
            order = [self._place(kind, index) for kind, index, _ in code.views]
            self._compiled[key] = order, Compiled(self._dtype, code.words(), code.constants)
        return self._compiled[key]

    def _place(self, kind: Kind, index: int) -> int:
        match kind:
            case Kind.INPUT | Kind.D_OUTPUT | Kind.D_INPUT:
                return (Kind.INPUT, Kind.D_OUTPUT, Kind.D_INPUT).index(kind)
            case Kind.PREVIOUS | Kind.NEXT:
                return 4 + index
            case Kind.SAVED | Kind.REPEATED:
                return 4 + len(self.state) + index
            case Kind.EXTRA:
                return 4 + len(self.state) + len(self._planes) + index
        return 3

    def _views(
        self,
        size: tuple[int, int],
        x: View,
        dy: View,
        dx: View,
        states: Sequence[View],
        saved: int,
        extras: Sequence[View],
    ) -> list[tuple[int, int, int]]:
        if len(states) != len(self.state) or len(extras) != len(self.extras):
            raise BackendError(
                f"takes {len(self.state)} parts of the state and {len(self.extras)} extras, "
                f"got {len(states)} and {len(extras)}",
                where="the native library",
            )
        batch = size[0]
        planes = [(saved + batch * start, width, batch * self.saved) for start, width in self._planes]
        return [x, dy, dx, NOTHING, *states, *planes, *extras]

    def _sizes(
        self, size: tuple[int, int], lengths: npt.NDArray[np.int64] | None, reverse: bool, threads: int
    ) -> list[int]:
        if lengths is None:
            return [*size, int(reverse), threads, 0]
        if lengths.dtype != np.int64 or lengths.shape != (size[0],) or not lengths.flags.c_contiguous:
            raise BackendError(f"lengths must be {size[0]} contiguous int64", where="the native library")
        return [*size, int(reverse), threads, lengths.ctypes.data]

    def _listed(self, weights: Weights) -> list[int]:
        """The address of each product, gate, vector and bias, as the library takes them."""
        ih, bias, products, vectors = weights
        if len(products) != len(self.products) or len(vectors) != len(self.vectors):
            raise BackendError(
                f"takes {len(self.products)} products and {len(self.vectors)} vectors, "
                f"got {len(products)} and {len(vectors)}",
                where="the native library",
            )
        across = self._tables.input_size
        gates = [ih and ih + row * across for row in self._rows]
        return [*products, *gates, *vectors, *[bias and bias + row for row in self._rows]]


def refusal(program: Program, derivative: Derivative | None, dtype: str) -> str | None:
    """Why the library cannot run this program on this machine; None when it can."""
    if (why := reason()) is not None:
        return why
    if dtype not in DTYPES:
        return f"it computes in {' and '.join(DTYPES)}, not in {dtype}"
    for each in (program, *(() if derivative is None else (derivative.program,))):
        unknown = {node.op for node in each.nodes} - {*OPS, *LEAVES, *PRODUCTS, "sum"}
        if unknown:
            return f"it has no operation {min(unknown)!r}"
    return None
