"""Operations that leave most numbers as they were, or zero, so that products with them need not be computed.

Letters: B batch, T time, D columns.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from unrolled.program.ops.types import Array, Count

Threshold = Annotated[float, Field(ge=0.0, le=1e6)]


def delta(x: Array, /, *state: Array, threshold: Threshold) -> tuple[Array, Array]:
    """Each number of ``(B, T, D)`` as it was last told: anew once it has moved by more than ``threshold``.

    Neil et al. 2017 (delta networks, arXiv 1612.05571, eq. 5 and 6). ``state`` is what was told before the first step
    ``(B, D)``, 0 where absent; that of the last step is returned beside the sequence.
    """
    y = np.empty_like(x)
    (told,) = state or (np.zeros((x.shape[0], x.shape[2]), x.dtype),)
    for t in range(x.shape[1]):
        told = np.where(np.abs(x[:, t] - told) > threshold, x[:, t], told)
        y[:, t] = told
    return y, told


def top_k(x: Array, /, *, count: Count) -> Array:
    """Of each row the ``count`` numbers furthest from zero (more where several are equally far); the others are 0."""
    size = np.abs(x)
    least = np.partition(size, -count, axis=-1)[..., -count, None]
    y: Array = np.where(size >= least, x, 0).astype(x.dtype)
    return y
