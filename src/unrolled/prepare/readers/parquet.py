"""Parquet, read lazily by polars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unrolled.core.errors import DataError
from unrolled.core.optional import require
from unrolled.prepare.readers import frame, trial
from unrolled.prepare.readers.content import readable
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.table import Table

_MAGIC = b"PAR1"


def claims(path: Path, head: bytes) -> bool:
    """Whether the file begins as Parquet does."""
    return head.startswith(_MAGIC)


def read(path: Path, options: ReadOptions) -> Table:
    """Read a Parquet file; nested columns are left out, with a note.

    Raises:
        DataError: the file is damaged or holds no rows, or a text cell does not fit its column.
        MissingExtraError: polars is not installed.
    """
    polars = require("polars", extra="train", purpose="reading Parquet")
    _check_ends(path)
    reason = trial.fault(path, options.columns)
    if reason is not None:
        raise _damaged(path, reason)
    with _translated(path):
        lazy = polars.scan_parquet(path, glob=False, hive_partitioning=False)
        return frame.read(lazy, options, path.name)


def _check_ends(path: Path) -> None:
    with readable(path), path.open("rb") as handle:
        start = handle.read(4)
        handle.seek(max(-4, -path.stat().st_size), 2)
        end = handle.read(4)
    if start != _MAGIC or end != _MAGIC:
        what = "it ends too early" if start == _MAGIC else "it does not begin as Parquet does"
        raise _damaged(path, what)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what polars says about a damaged file, its panics included, into a sentence."""
    polars = require("polars", extra="train", purpose="reading Parquet")
    try:
        yield
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        raise _damaged(path, str(error).partition("\n")[0][:200]) from error


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"the Parquet file cannot be read: {reason}", where=path.name, mend="copy or write the file again")
