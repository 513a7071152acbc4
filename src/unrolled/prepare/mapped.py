"""Arrays larger than memory: a file without a name, filled from the front, then mapped.

It vanishes with the process, however that ends.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from unrolled.core.errors import DataError
from unrolled.core.files import write_error
from unrolled.prepare.table import Array


class MappedFile:
    """A file without a name, filled from the front, then mapped; closed with ``files``, the map stays."""

    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder = folder
        self._dtype: np.dtype[Any] = np.dtype(np.float32)
        try:
            self._handle: IO[bytes] = files.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))
        except OSError as error:
            raise write_error(error, folder) from error

    def write(self, values: Array) -> None:
        """Append."""
        self._dtype = values.dtype
        rest = np.ascontiguousarray(values).view(np.uint8).data.cast("B")
        try:
            while rest:
                rest = rest[self._handle.write(rest) :]
        except OSError as error:
            raise write_error(error, self._folder) from error

    def mapped(self, shape: tuple[int, ...]) -> Array:
        """All that was written, read-only."""
        return np.memmap(self._handle, dtype=self._dtype, mode="r", shape=shape)


def check_room(folder: Path, needed: int) -> None:
    """Refuse to begin what cannot be ended: ``needed`` bytes must be free.

    Raises:
        DataError: they are not.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise write_error(error, folder) from error
    if needed > free:
        raise DataError(
            f"{needed / 2**30:.1f} GiB are needed for temporary files, {free / 2**30:.1f} GiB are free",
            where=str(folder),
            mend="choose a folder with more room (option cache, or TMPDIR), or fewer columns (option columns)",
        )
