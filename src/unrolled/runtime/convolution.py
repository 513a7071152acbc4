"""A convolution that looks back only, fed step by step: it keeps the last steps, and allocates for its answer alone.

Letters: B streams, T steps of a chunk, D inputs, C channels, K kernel width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.program.ops import OPS

Array = npt.NDArray[Any]


class Convolution:
    """``program.ops.time.conv1d`` without a step ahead; norm and activation after it may join it.

    With a ``stride`` it answers at its steps 0, ``stride``, 2 ``stride``, ... and says nothing in between.

    Args:
        weight: ``(C, D, K)``, or with ``each`` ``(D, 1, K)``.
        bias: ``(C,)`` or None.
        each: every column has a kernel of its own.
        batch: B.
        stride: steps of the input in one of the output.
    """

    def __init__(self, weight: Array, bias: Array | None, *, each: bool, batch: int, stride: int = 1) -> None:
        channels, inputs, width = weight.shape
        self._each, self._bias, self._stride = each, bias, stride
        self._wait = 0  # steps until the next that is answered
        self._taps = np.ascontiguousarray(weight[:, 0].T if each else weight.transpose(2, 1, 0))  # (K, D[, C])
        self._window = np.zeros((batch, width, channels if each else inputs), weight.dtype)
        self._activation: str | None = None

    def join_norm(self, weight: Array, bias: Array, running_mean: Array, running_var: Array, eps: float) -> None:
        """Take in a batch norm, which is a scale and a shift of each channel."""
        scale = (weight / np.sqrt(running_var + eps)).astype(self._taps.dtype)
        before = 0 if self._bias is None else self._bias
        self._taps = self._taps * scale
        self._bias = ((before - running_mean) * scale + bias).astype(self._taps.dtype)

    def join_activation(self, kind: str) -> None:
        """Take in an activation, after which nothing else can join."""
        self._activation = kind

    @property
    def closed(self) -> bool:
        """Whether an activation has joined."""
        return self._activation is not None

    def process(self, x: Array) -> Array:
        """``(B, T, D)`` to ``(B, T, C)``, or as many steps as are answered among the T."""
        if x.shape[1] == 1 and not self._wait:
            y = self._step(x[:, 0])[:, None]
        else:
            steps, width = x.shape[1], self._window.shape[1]
            seen = np.concatenate([self._window[:, 1:], x], axis=1)
            parts = (seen[:, at + self._wait : at + steps : self._stride] for at in range(width))
            y = sum(part * tap if self._each else part @ tap for part, tap in zip(parts, self._taps, strict=True))
            self._window[...] = np.concatenate([self._window[:, :1], seen], axis=1)[:, -width:]
        self._wait = (self._wait - x.shape[1]) % self._stride
        if self._bias is not None:
            y += self._bias
        if self._activation is None:
            return y
        if self._activation == "relu":
            return np.maximum(y, 0, out=y)
        activated: Array = OPS["activation"](y, kind=self._activation)
        return activated

    def _step(self, x: Array) -> Array:
        """``(B, D)`` to ``(B, C)``, without the bias."""
        window = self._window
        window[:, :-1] = window[:, 1:]
        window[:, -1] = x
        if self._each:
            y: Array = np.einsum("bkd,kd->bd", window, self._taps)
            return y
        y = window.reshape(len(window), -1) @ self._taps.reshape(-1, self._taps.shape[2])
        return y

    def snapshot(self) -> tuple[Array, ...]:
        """The last steps ``(B, K - 1, D)``, which later ones need, and for how many steps each is silent ``(B,)``."""
        return self._window[:, 1:].copy(), np.full(len(self._window), self._wait)

    def restore(self, state: tuple[Array, ...]) -> None:
        """Go on from a state that ``snapshot`` gave.

        Raises:
            DataError: it is of another layer, or another number of streams.
        """
        own = tuple(part.shape for part in self.snapshot())
        if (found := tuple(np.shape(part) for part in state)) != own:
            raise DataError(f"it has the shapes {found}, not {own}", where="state")
        self._window[:, 1:], self._wait = state[0], int(state[1][0])

    def reset(self) -> None:
        """Start anew."""
        self._window[...], self._wait = 0, 0
