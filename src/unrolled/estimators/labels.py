"""Labels in their own type, and the names under which the data road knows them.

Letters: n samples, M targets, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.core.errors import DataError
from unrolled.estimators.origin import Label
from unrolled.prepare.labels import SEPARATOR, name_of
from unrolled.prepare.table import Array


def named(y: Array) -> Array:
    """Names of labels ``(n,)`` or ``(n, M)``, in the same shape.

    Raises:
        DataError: a name holds the sign that stands between several labels of one sequence.
    """
    flat = [name_of(label) for label in y.ravel().tolist()]
    barred = next((name for name in flat if SEPARATOR in name), None)
    if barred is not None:
        raise DataError(
            f"the label {barred!r} holds the sign {SEPARATOR!r}, which stands between several labels",
            where="y",
            mend="give several labels as columns of 0 and 1, or write it in another way",
        )
    return np.array(flat, dtype=object).reshape(y.shape)


def classes_of(names: Sequence[str], given: Array | None) -> tuple[Label, ...]:
    """The labels that ``names`` stand for.

    Args:
        names: of the K classes, in the order of the net's output.
        given: the labels that they are the names of; None where names are all there is.
    """
    if given is None:
        return tuple(names)
    labels = {name_of(label): label for label in np.unique(given).tolist()}
    return tuple(labels[name] for name in names)


def in_column(column: Array | None) -> Array | None:
    """The labels of a table's column: numbers, whole where all of them are; None where they are text."""
    if column is None or column.dtype == object:
        return None
    known = column[np.isfinite(column)]
    return known.astype(np.int64) if (known == np.floor(known)).all() else known
