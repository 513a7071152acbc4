"""Layers that go through time step by step, with their state.

Letters: B streams side by side, T steps of a chunk, D inputs, O outputs, W width of a part of the state.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import BackendError, ConfigError
from unrolled.native.cell_code import linear_code
from unrolled.native.kernel import DTYPES, Kernel, Weights
from unrolled.native.library import Compiled, error, library

_Array = npt.NDArray[Any]


class Layer(NamedTuple):
    """A recurrent layer of a stream; what ``weights`` points to is copied when the stream is made."""

    kernel: Kernel
    weights: Weights


class Stream:
    """Recurrent layers one upon another, and perhaps a linear head, for B independent streams.

    It owns packed weights, state and scratch; ``step`` and ``process`` allocate nothing but, where the caller gives
    none, the array they return. The state begins at zero. Not for use by two threads at once.

    Args:
        layers: the first takes x, each of the others what the one before gives. No noise: trace with
            ``training=False``.
        head: weight ``(O, H)`` and bias ``(O,)`` or None of a linear layer on top.
        batch: B.

    Raises:
        BackendError: the library is missing, the dtypes of the layers differ, or one does not fit the next.
    """

    def __init__(
        self, layers: Sequence[Layer], head: tuple[_Array, _Array | None] | None = None, *, batch: int = 1
    ) -> None:
        if not layers or batch < 1:
            raise ConfigError(f"needs layers and at least one stream, got {len(layers)} and {batch}", where="stream")
        dtype = layers[0].kernel.dtype
        wrong = next((layer.kernel for layer in layers if layer.kernel.dtype != dtype or layer.kernel.extras), None)
        if wrong is not None:
            raise BackendError("cannot stream: layers of two dtypes, or noise in a program", where="the native library")
        self.dtype, self.batch = np.dtype(dtype), batch
        self._compiled: list[Compiled] = []
        numbers: list[int] = []
        for layer in layers:
            compiled, addresses = layer.kernel.streamed(layer.weights)
            self._compiled.append(compiled)
            numbers += addresses
        kept = self._add_head(head) if head is not None else []
        numbers += (0 if part is None else part.ctypes.data for part in kept)
        self._library = library()
        handles = (ctypes.c_void_p * len(self._compiled))(*(compiled.handle for compiled in self._compiled))
        flat = array("q", numbers)
        self._handle = self._library.unrolled_stream_make(
            handles, len(handles), batch, flat.buffer_info()[0], len(flat)
        )
        if not self._handle:
            raise BackendError(error(), where="stream")
        sizes = (ctypes.c_int64 * 3)()
        self._library.unrolled_stream_sizes(self._handle, sizes)
        self.inputs, self.outputs = int(sizes[0]), int(sizes[1])
        self._state_size = int(sizes[2])
        self._x = np.zeros((batch, self.inputs), self.dtype)
        self._y = np.zeros((batch, self.outputs), self.dtype)
        self._call = (self._handle, self._x.ctypes.data, self._y.ctypes.data, 1)
        self._run = self._library.unrolled_stream_process

    def step(self, x: npt.ArrayLike, out: _Array | None = None) -> _Array:
        """One step of every stream: x ``(B, D)`` to y ``(B, O)``, into ``out`` when it is given.

        Raises:
            ValueError: x or ``out`` does not have this shape.
        """
        self._x[...] = x
        self._run(*self._call)
        if out is None:
            return self._y.copy()
        out[...] = self._y
        return out

    def process(self, x: npt.ArrayLike, out: _Array | None = None) -> _Array:
        """T steps of every stream: x ``(T, B, D)`` to y ``(T, B, O)``; time is the first axis.

        Args:
            x: converted to the dtype of the stream, and copied unless it is C-contiguous.
            out: ``(T, B, O)``, C-contiguous, of the dtype of the stream; made when absent.

        Raises:
            ConfigError: a shape, or ``out``, does not fit.
        """
        chunk = np.ascontiguousarray(x, self.dtype)
        if chunk.ndim != 3 or chunk.shape[1:] != self._x.shape:
            raise ConfigError(f"must be (T, {self.batch}, {self.inputs}), it is {chunk.shape}", where="x")
        shape = (len(chunk), self.batch, self.outputs)
        if out is None:
            out = np.empty(shape, self.dtype)
        elif out.shape != shape or out.dtype != self.dtype or not out.flags.carray:
            raise ConfigError(f"must be a contiguous {self.dtype} {shape}, it is {out.dtype} {out.shape}", where="out")
        self._run(self._handle, chunk.ctypes.data, out.ctypes.data, len(chunk))
        return out

    def snapshot(self) -> _Array:
        """The state of all layers as one vector, for :meth:`restore`: part after part, ``(B, W)`` each."""
        state = np.empty(self._state_size, self.dtype)
        self._library.unrolled_stream_save(self._handle, state.ctypes.data)
        return state

    def restore(self, state: npt.ArrayLike) -> None:
        """Go on from a snapshot.

        Raises:
            ConfigError: it is not a snapshot of a stream like this one.
        """
        given = np.ascontiguousarray(state, self.dtype)
        if given.shape != (self._state_size,):
            raise ConfigError(f"must have shape {(self._state_size,)}, it has {given.shape}", where="state")
        self._library.unrolled_stream_load(self._handle, given.ctypes.data)

    def reset(self) -> None:
        """Back to zeros."""
        self.restore(np.zeros(self._state_size, self.dtype))

    def _add_head(self, head: tuple[_Array, _Array | None]) -> list[_Array | None]:
        weight, bias = head
        if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
            raise ConfigError(f"must be (O, H) and (O,), it is {weight.shape} and {bias}", where="head")
        code = linear_code(weight.shape[1], weight.shape[0])
        self._compiled.append(Compiled(DTYPES[self.dtype.name], code.words(), code.constants))
        parts = (weight, bias)
        return [None if part is None else np.ascontiguousarray(part, self.dtype) for part in parts]

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.unrolled_stream_free(self._handle)
