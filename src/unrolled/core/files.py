"""Files that are whole or absent: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from unrolled.core.errors import UnrolledError


@contextmanager
def atomic_file(path: Path | str) -> Iterator[IO[bytes]]:
    """Open a binary file that takes its name only when the block ends without an error.

    Raises:
        UnrolledError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic_file(path) as handle:
        handle.write(text.encode())


def write_error(error: OSError, path: Path) -> UnrolledError:
    """The operating system's refusal to write, in words a user can act on."""
    reasons = {
        errno.ENOSPC: ("the disk is full", "free some space or choose another folder"),
        errno.EDQUOT: ("the disk quota is used up", "free some space or choose another folder"),
        errno.EACCES: ("there is no permission to write here", "choose a folder you may write to"),
        errno.EPERM: ("there is no permission to write here", "choose a folder you may write to"),
        errno.EROFS: ("the file system is read-only", "choose another folder"),
        errno.EISDIR: ("this is a folder, not a file", "give the name of a file"),
        errno.EEXIST: ("a file of this name is in the way of a folder", "choose another folder, or rename the file"),
        errno.ENOTDIR: ("a part of this path is a file, not a folder", "choose another folder"),
    }
    what, mend = reasons.get(error.errno or 0, (f"cannot be written ({error.strerror})", "choose another place"))
    return UnrolledError(f"{what}; nothing was written", where=str(path), mend=mend)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
