"""Calls of the native library written down with the memory they work on, to be played where there is no Python.

``replay.cpp`` plays a tape; it says how one is laid out.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
from tests.native.layers import Layer

from unrolled.native import kernel
from unrolled.native.kernel import DTYPES
from unrolled.native.library import Compiled

Array = npt.NDArray[Any]
_ADDRESS = 1 << 32
"""No count or stride is as large, and every address of an array is larger."""


class Tape:
    """Events in their order, and every array that they touch as it was before the first of them."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._before: list[bytes] = []
        self._events: list[tuple[int, list[int]]] = []
        self._kernels = 0
        self._used: Callable[[], Sequence[Array]] = tuple

    @contextmanager
    def recording(self, used: Callable[[], Sequence[Array]]) -> Iterator[None]:
        """Write down what kernels made and called in here do; ``used`` tells the arrays of a call before it.

        A kernel is bound to the tape by its first call.
        """
        tape, self._used = self, used

        class Recorded(Compiled):
            def __init__(self, dtype: int, words: list[int], constants: list[float]) -> None:
                super().__init__(dtype, words, constants)
                self.number = tape._compiled(dtype, words, constants)

            def forward(self, numbers: list[int]) -> None:
                tape._add(1, [self.number, *numbers], tape._used())
                super().forward(numbers)

            def backward(self, numbers: list[int]) -> None:
                tape._add(2, [self.number, *numbers], tape._used())
                super().backward(numbers)

        with mock.patch.object(kernel, "Compiled", Recorded):
            yield

    def stream(self, layers: Sequence[Layer], x: Array, y: Array) -> None:
        """Steps of a stream, from x ``(T, B, D)`` to y ``(T, B, W)``; nothing is computed here."""
        numbers: list[int] = []
        with self.recording(lambda: ()):
            made = [layer.kernel.streamed(layer.addresses(layer.weights)) for layer in layers]
        kernels = [compiled.number for compiled, _ in made]  # type: ignore[attr-defined]  # Recorded
        for _, addresses in made:
            numbers += addresses
        used = [x, y, *(weight for layer in layers for weight in layer.weights.values())]
        head = [x.shape[1], x.shape[0], x.ctypes.data, y.ctypes.data, len(kernels)]
        self._add(3, [*head, *kernels, *numbers], used)

    def apply(self, op: int, x: Array, y: Array) -> None:
        """A pointwise operation, by its number; nothing is computed here."""
        self._add(4, [DTYPES[x.dtype.name], op, x.ctypes.data, y.ctypes.data, x.size], [x, y])

    def play(self, player: Callable[[Path, Path], object], folder: Path) -> None:
        """Let ``player(tape, out)`` run, and put the memory it leaves in the place of ours."""
        tape, out = folder / "tape", folder / "out"
        tape.write_bytes(self._bytes())
        player(tape, out)
        left = out.read_bytes()
        assert len(left) == sum(map(len, self._before))
        start = 0
        for array, before in zip(self._arrays, self._before, strict=True):
            ctypes.memmove(array.ctypes.data, left[start : start + len(before)], len(before))
            start += len(before)

    def _compiled(self, dtype: int, words: list[int], constants: list[float]) -> int:
        code, numbers = np.array(words, np.int32), np.array(constants or [0.0], np.float64)
        event = [dtype, code.ctypes.data, len(words), numbers.ctypes.data, len(constants)]
        self._add(0, event, [code, numbers])
        self._kernels += 1
        return self._kernels - 1

    def _add(self, event: int, numbers: list[int], used: Sequence[Array]) -> None:
        known = {array.ctypes.data for array in self._arrays}
        for array in used:
            if array.nbytes and array.ctypes.data not in known:
                known.add(array.ctypes.data)
                self._arrays.append(array)
                self._before.append(ctypes.string_at(array.ctypes.data, array.nbytes))
        self._events.append((event, [part for number in numbers for part in self._written(number)]))

    def _written(self, number: int) -> tuple[int, int]:
        """As the tape has it."""
        if abs(number) < _ADDRESS:
            return 0, number
        for index, array in enumerate(self._arrays):
            if 0 <= number - array.ctypes.data < array.nbytes:
                return index + 1, number - array.ctypes.data
        raise AssertionError(f"the address {number:#x} is in none of the arrays")

    def _bytes(self) -> bytes:
        def word(*numbers: int) -> bytes:
            return np.array(numbers, np.int64).tobytes()

        parts = [word(len(self._before))]
        for before in self._before:
            parts += [word(len(before)), before, bytes(-len(before) % 8)]
        parts.append(word(len(self._events)))
        for event, written in self._events:
            parts += [word(event, len(written) // 2), word(*written)]
        return b"".join(parts)
