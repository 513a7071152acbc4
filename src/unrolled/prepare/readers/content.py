"""The bytes of a file: unpacked where it is compressed, and never more than memory can hold."""

from __future__ import annotations

import difflib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unrolled.core.errors import DataError

_GZIP = b"\x1f\x8b"

_CHUNK = 1 << 20
_RATIO = 200  # text and numbers shrink 3 to 50 times; a file made to exhaust memory, 1000 times
_HARMLESS = 64 << 20


def load(path: Path, limit: int) -> bytes:
    """All bytes of a file, unpacked where it is compressed with gzip.

    Raises:
        DataError: the file is missing, cannot be read, is damaged, or is larger than ``limit`` bytes.
    """
    with readable(path):
        size = path.stat().st_size
        if not (path.is_file() or path.is_dir()):
            raise DataError(
                "this is not a file but a device or a pipe", where=str(path), mend="copy it to a file first"
            )
        if size > limit:
            raise too_large(path, size, limit)
        data = path.read_bytes()
    return _unpack(data, path, limit) if data.startswith(_GZIP) else data


def head(path: Path, size: int) -> bytes:
    """At most the first ``size`` bytes, unpacked; raises as ``load``."""
    with readable(path), path.open("rb") as handle:
        data = handle.read(size)
    if not data.startswith(_GZIP):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, size)
    except zlib.error as error:
        raise _damaged(path, str(error)) from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to read ``path`` into a sentence."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=str(path), mend=_neighbours(path)) from error
    except IsADirectoryError as error:
        raise DataError("this is a folder, not a file", where=str(path), mend="give the name of a file") from error
    except PermissionError as error:
        raise DataError("there is no permission to read this file", where=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise DataError(f"the file cannot be read ({error})", where=str(path)) from error


def too_large(path: Path, size: int, limit: int) -> DataError:
    """The refusal to take ``size`` bytes into memory."""
    return DataError(
        f"{size / 2**20:.0f} MiB are more than the limit of {limit / 2**20:.0f} MiB for a file read as a whole",
        where=path.name,
        mend="convert it to Parquet, which is read in pieces, or raise the option limit (bytes)",
    )


def _unpack(data: bytes, path: Path, limit: int) -> bytes:
    """Every member of a gzip file, one after another, stopping at the limit."""
    pieces: list[bytes] = []
    total = 0
    rest = data
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            while not member.eof:
                piece = member.decompress(rest, _CHUNK)
                rest = member.unconsumed_tail
                if not piece and not rest and not member.eof:
                    raise _damaged(path, "it ends too early")
                pieces.append(piece)
                total += len(piece)
                if total > limit:
                    raise too_large(path, total, limit)
                if total > max(_HARMLESS, _RATIO * len(data)):
                    raise _damaged(path, f"it unpacks to more than {_RATIO} times its size")
        except zlib.error as error:
            raise _damaged(path, str(error)) from error
        rest = member.unused_data.lstrip(b"\0")  # tapes and some tools pad with zeros
    return b"".join(pieces)


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(f"the compressed file is damaged: {reason}", where=path.name, mend="copy or download it again")


def _neighbours(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist either"
    if not os.access(folder, os.R_OK):
        return "check the name"
    near = difflib.get_close_matches(path.name, [entry.name for entry in folder.iterdir()], n=1)
    return f"did you mean {near[0]!r}?" if near else "check the name"
