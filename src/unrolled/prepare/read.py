"""From any source to a table: a file, several records, arrays, a frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.core.errors import DataError
from unrolled.core.validation import validated
from unrolled.prepare.beside import put_beside
from unrolled.prepare.pairing import as_pairs
from unrolled.prepare.readers import READERS, SUFFIXES, Format, ReadOptions, arrays, records, wav
from unrolled.prepare.readers.content import head
from unrolled.prepare.readers.options import select
from unrolled.prepare.table import Table
from unrolled.prepare.wide import rows_as_series

_HEAD = 1 << 16
_FOREIGN = {".xlsx": "Excel workbooks", ".xls": "Excel workbooks", ".pkl": "pickles", ".pickle": "pickles"}


def read(source: Any, **options: Any) -> Table:
    """Read a source of any kind.

    Args:
        source: the name of a file (packed with gzip or not), of a folder of records, or a list of such names;
            a polars or pandas frame; a list of rows, ``{column: value}`` each; an array ``(T,)``, ``(S, T)`` or
            ``(S, T, D)``, a list of arrays ``(T_i, D)``, or a tuple of these with truth and groups: ``(X, y)``,
            ``(X, y, groups)``.
        options: fields of ``ReadOptions``.

    Returns:
        the columns as found, with notes on what was assumed; nobody has said yet what they mean.

    Raises:
        DataError: the source is missing, damaged, or does not make sense; the message names the place and the mend.
        ConfigError: an option does not exist or has an impossible value.
        MissingExtraError: the format needs a library that is not installed.
    """
    wanted = validated(ReadOptions, options)
    # columns are chosen once both files are there
    chosen = wanted if wanted.beside is None else wanted.model_copy(update={"columns": None})
    if isinstance(source, str | os.PathLike):
        table = _path(Path(source), chosen)
    elif isinstance(source, list | tuple) and source and all(isinstance(one, str | os.PathLike) for one in source):
        table = _join([_path(Path(one), chosen) for one in source], f"{len(source)} files")
    else:
        table = _memory(source, chosen)
    if chosen.beside is not None:
        table = put_beside(table, _path(chosen.beside, chosen.model_copy(update={"format": None})), chosen.on)
    table = _narrow(table, wanted)
    if chosen.wide:
        table = rows_as_series(table, labels=[name for name in chosen.labels if name in table.columns])
    if chosen.pair:
        table = as_pairs(table, chosen.pair, chosen.unit, labels=chosen.labels)
    return table


def _path(path: Path, options: ReadOptions) -> Table:
    if path.is_dir():
        return _folder(path, options)
    return READERS[_format(path, options)].read(path, options)


def _format(path: Path, options: ReadOptions) -> Format:
    """The format a user names, or the suffix, or the content tells."""
    if options.format is not None:
        return options.format
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix in _FOREIGN:
        raise DataError(f"{_FOREIGN[suffix]} are not read", where=path.name, mend="save the table as CSV or Parquet")
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    start = b"" if READERS["wfdb"].claims(path, b"") else head(path, _HEAD)
    return next(name for name, reader in READERS.items() if reader.claims(path, start))


def _folder(path: Path, options: ReadOptions) -> Table:
    """Every record of a folder, in the order of their names."""
    if options.format == "wav" or (options.format is None and wav.holds_sound(path)):
        return wav.read(path, options)
    for pattern in ("*.hea", "*.npz"):
        found = sorted(path.glob(pattern))
        if found:
            return _join([_path(one, options) for one in found], path.name)
    raise DataError(
        "this folder holds no ECG records (.hea), no archives (.npz) and no recordings (.wav)",
        where=str(path),
        mend="give the name of a file",
    )


def _join(tables: Sequence[Table], source: str) -> Table:
    """The sequences of several files as one table."""
    first = tables[0]
    if len(tables) == 1:
        return first
    for table in tables:
        if table.starts is None:
            raise DataError(
                "only files that hold whole sequences can be read together",
                where=table.source,
                mend="join the files into one, with a column that names the series",
            )
        if table.columns.keys() != first.columns.keys() or table.case_columns.keys() != first.case_columns.keys():
            raise DataError(
                f"the columns are not those of {first.source}",
                where=table.source,
                mend="read files of one kind together",
            )
    ids = [name for table in tables for name in table.case_ids or ()]
    if len(set(ids)) < len(ids):
        ids = [f"{table.source}:{name}" for table in tables for name in table.case_ids or ()]
    lengths = np.concatenate([np.diff(table.starts) for table in tables if table.starts is not None])
    return replace(
        first,
        columns={name: np.concatenate([table.columns[name] for table in tables]) for name in first.columns},
        case_columns={
            name: np.concatenate([table.case_columns[name] for table in tables]) for name in first.case_columns
        },
        case_ids=tuple(ids),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        source=source,
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
    )


def _memory(source: Any, options: ReadOptions) -> Table:
    """Frames and arrays, told apart without importing the libraries of frames."""
    library = type(source).__module__.partition(".")[0]
    if library in ("polars", "pandas") and hasattr(source, "to_frame"):
        source = source.to_frame(source.name or "value")
    if library == "polars":
        from unrolled.prepare.readers import frame

        return frame.read(source, options)
    if library == "pandas":
        from unrolled.prepare.readers import pandas

        return pandas.read(source, options)
    if isinstance(source, list) and source and all(isinstance(row, Mapping) for row in source):
        return records.read(enumerate(source, start=1), options, "the rows")
    if isinstance(source, tuple):
        if not 1 <= len(source) <= 3:
            raise DataError(f"a tuple of {len(source)} is not (X, y) or (X, y, groups)", where="the array")
        return arrays.read(*source)
    return arrays.read(source)


def _narrow(table: Table, options: ReadOptions) -> Table:
    """The chosen columns and those that the format needs, for readers that read all of them."""
    if options.columns is None or table.columns.keys() <= set(options.columns):
        return table
    hints = table.hints
    needed = {*options.columns, *hints.target, hints.time, hints.group}
    select([*table.columns, *table.case_columns], options, table.source)
    return replace(table, columns={name: column for name, column in table.columns.items() if name in needed})
