"""Lists of words in memory: sentences cut into words, sessions of items.

Letters: S sequences, N words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.labels import name_of
from unrolled.prepare.pairing import TOKEN
from unrolled.prepare.readers.sequences import as_column
from unrolled.prepare.table import Array, Hints, Table


def are_words(x: Any) -> bool:
    """Whether it is a list of sequences of words, ``[["show", "flights"], ["from", "boston"]]``."""
    if not isinstance(x, list) or not all(isinstance(case, list | tuple | np.ndarray) for case in x):
        return False
    first = next((case for case in x if len(case)), None)
    return first is not None and isinstance(first[0], str)


def is_row(case: Any) -> bool:
    """Whether it is one row of values: a list or tuple that holds no other, or an array of one axis."""
    if isinstance(case, list | tuple):
        return not any(isinstance(value, list | tuple | np.ndarray) for value in case)
    return getattr(case, "ndim", 0) == 1


def read(x: Any, labels: Mapping[str, Array], source: str, *, hints: Hints, column: str = TOKEN) -> Table:
    """A table of S lists of words in one ``column``, with one value of each label a sequence.

    Raises:
        DataError: a word is missing, or a sequence is no list of them.
    """
    lengths, words = [], []
    for number, case in enumerate(x):
        if not is_row(case) or any(word is None or word != word for word in case):
            raise DataError("it is no list of words", where=f"{source}, sequence {number}")
        words += [name_of(word) for word in case]
        lengths.append(len(case))
    token = np.empty(len(words), dtype=object)
    token[:] = words
    return Table(
        {column: token},
        source,
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        case_columns={name: as_column(values) for name, values in labels.items()},
        case_ids=tuple(str(number) for number in range(1, len(lengths) + 1)),
        hints=hints,
    )
