"""NumPy arrays and lists of arrays, with or without truth.

Letters: S sequences, T steps, D channels, M targets, H height, W width, C colours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.pairing import TOKEN
from unrolled.prepare.readers import words
from unrolled.prepare.readers.sequences import sequences
from unrolled.prepare.table import Hints, Table
from unrolled.prepare.wording import say

_Float = npt.NDArray[np.float64]


def read(x: Any, y: Any = None, groups: Any = None, source: str = "the array") -> Table:
    """A table from sequences in memory.

    Args:
        x: ``(T,)`` one series; ``(S, T)`` series of one channel; ``(S, T, D)``; or a list of ``S`` arrays ``(T_i,)``
            or ``(T_i, D)``. Clips of pictures are ``(S, T, H, W)`` or ``(S, T, H, W, C)``, or a list of arrays without
            the S: each picture becomes the columns of a row, row by row, its colours side by side. Lists of words are
            a column ``token`` of text.
        y: ``(S,)`` one label or number a sequence, called ``y``, or ``(S, M)`` several, called ``y_0`` ...
        groups: ``(S,)`` what belongs together (a patient, an engine) and must not be split; called ``group``.
        source: name shown in messages.

    Raises:
        DataError: a shape does not fit, values are no real numbers, or there is nothing.
    """
    spoken = words.are_words(x)
    cases, frame = (x, ()) if spoken else _flat(cases_of(x, source))
    truth = {} if y is None else _per_case("y", y, len(cases), source)
    group = {} if groups is None else _per_case("group", groups, len(cases), source)
    hints = Hints(target=tuple(truth), group=next(iter(group), None), frame=frame)
    if spoken:
        return words.read(x, truth | group, source, hints=replace(hints, category=(TOKEN,)))
    notes = (_pictures(frame),) if frame else ()
    return sequences(cases, source, labels=truth | group, hints=hints, notes=notes)


def _flat(cases: list[_Float]) -> tuple[list[_Float], tuple[int, ...]]:
    """``(T, D)`` arrays, and the shape of the picture that a row of them is, if it is one."""
    frame = cases[0].shape[1:] if cases[0].ndim > 2 else ()
    return [case.reshape(len(case), -1) for case in cases] if frame else cases, frame


def _pictures(frame: tuple[int, ...]) -> Note:
    height, width = frame[:2]
    return say("took_frames", sides=" x ".join(map(str, frame)), options=f"height: {height}, width: {width}")


def cases_of(x: Any, source: str) -> list[_Float]:
    """``(T, D)`` arrays, or ``(T, H, W)`` and ``(T, H, W, C)`` of pictures, of what ``read`` takes as ``x``.

    Raises as that.
    """
    if isinstance(x, list) and any(np.ndim(case) for case in x):
        cases = [_real(case, f"{source}, sequence {number}") for number, case in enumerate(x)]
    else:
        whole = _real(x, source)
        cases = [whole] if whole.ndim == 1 else list(whole)
    cases = [case[:, None] if case.ndim == 1 else case for case in cases]
    for number, case in enumerate(cases):
        if not 2 <= case.ndim <= 4 or 0 in case.shape[1:] or case.shape[1:] != cases[0].shape[1:]:
            raise DataError(
                "a sequence must have the shape (steps, channels) or, for pictures, (steps, height, width[, colours]), "
                f"as all others; this one has {case.shape}",
                where=f"{source}, sequence {number}",
            )
    if not sum(map(len, cases)):
        raise DataError("there is no value", where=source)
    return cases


def _real(values: Any, where: str) -> _Float:
    array = np.asarray(values)
    if array.dtype.kind not in "biufO" or array.ndim == 0:
        raise DataError(f"this is not an array of real numbers but of {array.dtype}", where=where)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"a value is not a number ({error})", where=where) from error


def _per_case(name: str, values: Any, count: int, source: str) -> dict[str, Any]:
    array = np.asarray(values)
    if array.ndim not in (1, 2) or len(array) != count:
        raise DataError(
            f"{name} has the shape {array.shape}, but there are {count} sequences",
            where=source,
            mend="give one value each",
        )
    if array.ndim == 1:
        return {name: array}
    return {f"{name}_{column}": array[:, column] for column in range(array.shape[1])}
