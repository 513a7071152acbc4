"""Pictures inside a sequence: each step holds one, row by row, its channels side by side.

Letters: B batch, T time, P places of a picture (height times width), C channels, K kernel width.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from unrolled.program.ops.types import Array, Count

Side = Annotated[int, Field(ge=1, le=4096)]
Places = Literal["mean", "max"]


def conv2d(x: Array, /, weight: Array, bias: Array | None = None, *, height: Side, width: Side, stride: Count) -> Array:
    """Cross-correlation inside each picture of ``(B, T, P C)`` with ``weight`` ``(C', C, K, K)``, zeros around it.

    K is odd; every ``stride``-th row and column stays: ``(B, T, ceil(height / stride) ceil(width / stride) C')``.
    """
    after, channels, kernel, _ = weight.shape
    if kernel % 2 == 0:
        raise ValueError(f"a kernel of {kernel} has no middle")
    edge = kernel // 2
    pictures = x.reshape(-1, height, width, channels)
    padded = np.pad(pictures, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    rows, columns = -(-height // stride), -(-width // stride)
    y: Array = np.zeros((len(pictures), rows, columns, after), np.result_type(x, weight))
    for down in range(kernel):
        for right in range(kernel):
            reached = padded[:, down : down + height : stride, right : right + width : stride]
            y += reached @ weight[:, :, down, right].T
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:2], -1)


def places(x: Array, /, *, channels: Count, kind: Places) -> Array:
    """``(B, T, P C)`` to ``(B, T, C)``: each channel's mean or greatest value over the places of its picture."""
    pictures = x.reshape(*x.shape[:2], -1, channels)
    y: Array = pictures.mean(axis=2) if kind == "mean" else pictures.max(axis=2)
    return y
