"""Reads a ``.keras`` file as data: configuration and arrays, nothing in it is ever executed.

A zip archive of ``config.json`` and ``model.weights.h5``, where the arrays of a layer lie under
``layers/<class in snake case>[_<count>]``.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.optional import require

Arrays = dict[str, npt.NDArray[Any]]
"""By path inside the weight file, such as ``layers/lstm/cell/vars/0``."""

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_LARGEST = {_CONFIG: 64 << 20, _WEIGHTS: 4 << 30}
_MOST_ARRAYS = 100_000
_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, KeyError, RuntimeError, RecursionError, NotImplementedError)


def read(path: Path | str) -> tuple[dict[str, Any], Arrays]:
    """The configuration and all arrays of a saved model.

    Raises:
        DataError: the file is missing, damaged, too large, or no ``.keras`` file.
        MissingExtraError: h5py is not installed.
    """
    h5py = require("h5py", extra="keras", purpose="reading a Keras model")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {name: _entry(archive, name, str(path)) for name in _LARGEST}
        config = json.loads(entries[_CONFIG])
        arrays = _arrays(h5py, entries[_WEIGHTS], str(path))
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=str(path)) from error
    except DataError:
        raise
    except _DAMAGED as error:
        raise DataError(
            f"it is not a model saved by Keras 3, or it is damaged ({error})",
            where=str(path),
            mend="save it with model.save('model.keras')",
        ) from error
    if not isinstance(config, dict):
        raise DataError("its configuration is no mapping", where=str(path))
    return config, arrays


def _entry(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > _LARGEST[name]:
        raise DataError(f"{name} would take {size >> 20} MB", where=where)
    return archive.read(name)


def _arrays(h5py: Any, content: bytes, where: str) -> Arrays:
    """All data sets; links out of the file and arrays that are not plain numbers are refused."""
    arrays: Arrays = {}
    left = _LARGEST[_WEIGHTS]
    with h5py.File(io.BytesIO(content), "r") as file:
        groups = [("", file)]
        while groups:
            prefix, group = groups.pop()
            for name in group:
                place = f"{prefix}{name}"
                if not isinstance(group.get(name, getlink=True), h5py.HardLink) or len(place) > 1000:
                    raise DataError(f"{place[:100]!r} is a link", where=where)
                found = group[name]
                if isinstance(found, h5py.Group):
                    groups.append((f"{place}/", found))
                    continue
                if found.dtype.kind not in "fiu" or found.external or found.is_virtual:
                    continue  # such as the seed of a generator, or a name
                left -= found.nbytes
                if left < 0 or len(arrays) >= _MOST_ARRAYS:
                    raise DataError("it holds more than can be read", where=where)
                arrays[place] = np.asarray(found)
    return arrays
