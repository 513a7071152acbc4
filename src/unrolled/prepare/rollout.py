"""A one-step net, rolled out over the horizon: each prediction becomes the next step's input.

Letters: B batch, T time, D inputs, H horizon, F known inputs, M targets, V values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError
from unrolled.prepare.arrays import Arrays
from unrolled.program.shapes import Inputs

Float = npt.NDArray[np.float32]
Predict = Callable[[Arrays], Float]
"""Arrays with ``known`` of one step -> ``(B, 1, M, V)``."""


def rollout(predict: Predict, arrays: Arrays, *, horizon: int, targets: int, point: int = 0) -> Float:
    """Forecast ``horizon`` steps with a net that forecasts one.

    Args:
        predict: the one-step net.
        arrays: inputs of the first step; ``known`` covers the whole horizon. Each row of ``x`` must consist of
            the targets followed by what ``known`` has, because nothing else of the future can be filled in.
        horizon: H.
        targets: M.
        point: which of the net's values goes back in (``NumberDecoding.point``).

    Returns:
        ``(B, H, M, V)``.

    Raises:
        ConfigError: ``x`` has columns whose future is not known.
    """
    known = arrays.known
    _refuse_unknown(arrays.x.shape[2] - targets - (0 if known is None else known.shape[2]))
    batch, time, _ = arrays.x.shape
    x = arrays.x.copy()
    lengths = np.full(batch, time) if arrays.lengths is None else arrays.lengths.copy()
    outputs: list[Any] = []
    for step in range(horizon):
        ahead = None if known is None else known[:, step : step + 1]
        outputs.append(predict(Arrays(x, _or_none(lengths, time), arrays.static, ahead)))
        row = outputs[-1][:, 0, :, point]
        if ahead is not None:
            row = np.concatenate([row, ahead[:, 0]], axis=1)
        x, lengths = _append(x, lengths, row)
    return np.concatenate(outputs, axis=1)


def check(inputs: Inputs) -> None:
    """Whether a net with these inputs can be rolled out.

    Raises:
        ConfigError: there are columns whose future is not known.
    """
    given = inputs.numbers + len(inputs.categories)
    _refuse_unknown(given - inputs.targets - inputs.known_numbers - len(inputs.known_categories))


def _refuse_unknown(columns: int) -> None:
    if columns:
        raise ConfigError(
            f"a recursive forecast needs the future of every input, and that of {columns} input columns is not known",
            where="option strategy",
            mend="use the direct strategy, leave these columns out, or declare them known in advance",
        )


def _append(x: Float, lengths: npt.NDArray[np.int64], row: Float) -> tuple[Float, npt.NDArray[np.int64]]:
    """Put ``row`` after each sequence's last step; a full window loses its first step."""
    x, full = x.copy(), lengths == x.shape[1]
    x[full, :-1] = x[full, 1:]
    at = np.where(full, lengths - 1, lengths)
    x[np.arange(len(x)), at] = row
    return x, at + 1


def _or_none(lengths: npt.NDArray[np.int64], time: int) -> npt.NDArray[np.int64] | None:
    return None if (lengths == time).all() else lengths
