"""The forms in which X and sample weights come, told apart without importing the libraries of frames."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.read import read
from unrolled.prepare.table import Array, Table


def is_table(X: Any) -> bool:
    """A frame, or files: what can have columns of its own for time, group and target."""
    if isinstance(X, list):
        return bool(X) and all(isinstance(one, str | os.PathLike) for one in X)
    return isinstance(X, str | os.PathLike) or type(X).__module__.partition(".")[0] in ("polars", "pandas")


def is_ragged(X: Any) -> bool:
    """A list of arrays, each a sequence of its own length; lists of lists are arrays, as in scikit-learn."""
    return isinstance(X, list) and bool(X) and all(getattr(case, "ndim", 0) for case in X)


def is_pieced(X: Any) -> bool:
    """Sequences of pieces: ``(n, P, T, D)``, or a list of lists of arrays ``(T_ip, D)``."""
    if isinstance(X, list):
        return bool(X) and all(isinstance(case, list) and case and getattr(case[0], "ndim", 0) == 2 for case in X)
    return getattr(X, "ndim", 0) == 4


def listed(X: Any) -> list[Any]:
    """The sequences of a list, a tuple or an array; none of anything else."""
    return list(X) if isinstance(X, list | tuple) or getattr(X, "ndim", 0) > 0 else []


def joined(X: Any) -> list[Array]:
    """Sequences ``(T_i, D + 1)`` of pieces; the last column is 0 in the first piece, 1 in the second, 0 in the third.

    Steps at the end of a piece that are NaN in every channel are padding, as are pieces that are nothing else.

    Raises:
        DataError: a piece is no array of steps and channels, or a sequence has no step.
    """
    return [_joined(case, f"X, sequence {number}") for number, case in enumerate(X)]


def _joined(pieces: Any, where: str) -> Array:
    given = [np.asarray(piece, np.float64) for piece in pieces]
    if any(piece.ndim != 2 or piece.shape[1:] != given[0].shape[1:] for piece in given):
        shapes = ", ".join(str(piece.shape) for piece in given)
        raise DataError(f"its pieces have the shapes {shapes}, expected (T, D) with one D", where=where)
    trimmed = (piece[: _steps(piece)] for piece in given)
    kept = [piece for piece in trimmed if len(piece)]
    if not kept:
        raise DataError("it has no steps", where=where)
    mark = np.repeat(np.arange(len(kept)) % 2, [len(piece) for piece in kept])
    return np.column_stack([np.concatenate(kept), mark])


def _steps(piece: Array) -> int:
    """How many steps are left without those of padding at the end."""
    return int(np.flatnonzero(~np.isnan(piece).all(1)).max(initial=-1)) + 1


def to_table(sequences: Any, truth: Array | None = None) -> Table:
    """The data road's table.

    Raises:
        DataError: a sequence is empty, or has other channels than the rest.
    """
    table = read((sequences, truth))
    assert table.starts is not None
    lengths = np.diff(table.starts)
    if not lengths.all():
        raise DataError("it has no steps", where=f"X, sequence {int(np.argmin(lengths))}")
    return table


def refuse_weights(weights: Any) -> None:
    """Raises ConfigError where there are any."""
    if weights is not None:
        raise ConfigError("a table takes no sample weights", where="sample_weight", mend="give arrays")


def to_weights(given: Any, count: int) -> npt.NDArray[np.float64]:
    """``(count,)`` weights, none of them negative, one of them above zero.

    Raises:
        ValueError: they are something else; in scikit-learn's words.
    """
    weights: npt.NDArray[np.float64] = check_array(
        given, ensure_2d=False, dtype=np.float64, ensure_non_negative=True, input_name="sample_weight"
    )
    if weights.shape != (count,):
        raise ValueError(f"sample_weight has the shape {weights.shape}, expected ({count},)")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights
