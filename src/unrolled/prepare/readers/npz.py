"""NumPy's ``.npz`` archives, never with pickled objects.

Letters: S sequences, T steps, D channels, N rows.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from unrolled.core.errors import DataError
from unrolled.prepare.readers import arrays, mitbih
from unrolled.prepare.readers.content import readable, too_large
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.sequences import as_column
from unrolled.prepare.readers.sides import pairs
from unrolled.prepare.readers.times import nanoseconds
from unrolled.prepare.table import Array, Table

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def claims(path: Path, head: bytes) -> bool:
    """Whether the file is a zip archive that begins with an array."""
    return head.startswith(b"PK\x03\x04") and b".npy" in head[:256]


def read(path: Path, options: ReadOptions) -> Table:
    """Read an archive of arrays.

    Keys ``X`` ``(S, T, D)`` or ``(S, T)``, or ``values`` ``(N,)`` or ``(N, D)`` with ``starts`` ``(S + 1,)``, and
    ``y`` and ``groups`` ``(S,)`` where known, make sequences; in the place of D, ``H, W`` or ``H, W, C`` is a picture;
    ``first`` and ``second`` of the shape of ``X``, with ``y``, make pairs; ``signal`` with ``ann_sample`` and
    ``ann_symbol`` is an ECG record; otherwise each 1-D array is a column.

    Raises:
        DataError: the archive is damaged, too large, holds pickled objects, or its arrays do not fit each other.
    """
    found = load(path, options.limit)
    if {"signal", "ann_sample", "ann_symbol"} <= found.keys():
        return mitbih.table(found, path, options)
    if {"first", "second"} <= found.keys():
        sides = [arrays.cases_of(found[name], f"{path.name}, {name}") for name in ("first", "second")]
        return pairs(sides[0], sides[1], {"y": found["y"]} if "y" in found else {}, path.name)
    if "X" in found:
        return arrays.read(found["X"], found.get("y"), found.get("groups"), path.name)
    if {"values", "starts"} <= found.keys():
        cases = _cut(found["values"], found["starts"], path.name)
        return arrays.read(cases, found.get("y"), found.get("groups"), path.name)
    lengths = {len(array) if array.ndim == 1 else 0 for array in found.values()}
    if len(lengths) != 1 or 0 in lengths:
        shapes = {name: array.shape for name, array in found.items()}
        raise DataError(
            f"the arrays are no columns of one table: {shapes}",
            where=path.name,
            mend="name the sequences X, or values and starts, and the truth y; or give 1-D arrays of equal length",
        )
    return Table({name: _column(name, array, path.name) for name, array in found.items()}, path.name)


def load(path: Path, limit: int) -> dict[str, Array]:
    """All arrays of an archive, their sizes checked before memory is taken; raises as ``read``."""
    with readable(path):
        handle = path.open("rb")
    try:
        with handle, zipfile.ZipFile(handle) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            total = sum(member.file_size for member in members)
            if total > limit:
                raise too_large(path, total, limit)
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except DataError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise DataError(f"the archive cannot be read: {error}", where=path.name, mend="save it again") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is packed in a way that NumPy never uses")
    with archive.open(member) as handle:
        version = npy.read_magic(handle)
        if version not in _HEADERS:
            raise ValueError(f"{member.filename} is written in version {version} of the format")
        shape, fortran, dtype = _HEADERS[version](handle)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which are never loaded")
        size = math.prod(shape) * dtype.itemsize
        data = handle.read()
        if min(shape, default=0) < 0 or size != len(data):
            raise ValueError(f"{member.filename} says {size} bytes and holds {len(data)}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _cut(values: Array, starts: Array, where: str) -> list[Array]:
    good = starts.ndim == 1 and len(starts) > 1 and starts.dtype.kind in "iu" and 1 <= values.ndim <= 4
    if not good or starts[0] != 0 or starts[-1] != len(values) or (np.diff(starts.astype(np.int64)) < 1).any():
        raise DataError(
            "starts must rise from 0 to the number of rows of values",
            where=where,
            mend="sequence s is rows starts[s] to starts[s + 1]",
        )
    return np.split(values, starts[1:-1])


def _column(name: str, array: Array, where: str) -> Array:
    if array.dtype.kind == "M":
        return nanoseconds(array, f"{where}, column {name!r}")
    if array.dtype.kind not in "biufU":
        raise DataError(f"{name!r} is of type {array.dtype}, neither numbers nor text nor time stamps", where=where)
    return as_column(array)
