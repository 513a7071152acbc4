"""The shared library: found, loaded, or a reason why not."""

from __future__ import annotations

import ctypes
import os
from array import array
from functools import cache
from pathlib import Path

from unrolled.core.errors import BackendError

_VERSION = 4
_FILE = Path(__file__).with_name("_unrolled_native.so")

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "unrolled_error": (ctypes.c_char_p, []),
    "unrolled_version": (ctypes.c_int, []),
    "unrolled_isa": (ctypes.c_char_p, []),
    "unrolled_use_isa": (ctypes.c_int, [ctypes.c_char_p]),
    "unrolled_borrow_threads": (None, [ctypes.c_void_p]),
    "unrolled_compile": (
        ctypes.c_void_p,
        [ctypes.c_int, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64],
    ),
    "unrolled_free": (None, [ctypes.c_void_p]),
    "unrolled_forward": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]),
    "unrolled_backward": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]),
    "unrolled_stream_make": (
        ctypes.c_void_p,
        [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64],
    ),
    "unrolled_stream_free": (None, [ctypes.c_void_p]),
    "unrolled_stream_sizes": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
    "unrolled_stream_process": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]),
    "unrolled_stream_save": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
    "unrolled_stream_load": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
    "unrolled_apply": (ctypes.c_int, [ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]),
}


def reason() -> str | None:
    """Why the native library cannot be used here; None when it can."""
    return _load()[1]


def isa() -> str:
    """The instruction set in use: "baseline", "avx2" or "avx512".

    Raises:
        BackendError: the library is missing.
    """
    name: bytes = library().unrolled_isa()
    return name.decode()


def library() -> ctypes.CDLL:
    """The loaded library.

    Raises:
        BackendError: it is missing.
    """
    found, why = _load()
    if found is None:
        raise BackendError(f"cannot be used: {why}", where="the native library")
    return found


def borrow_threads(parallel: ctypes._NamedFuncPointer | None) -> None:
    """Work on the threads of an OpenMP runtime of this process, not after fork; None: on threads of the library's own.

    Args:
        parallel: its ``GOMP_parallel``.
    """
    library().unrolled_borrow_threads(ctypes.cast(parallel, ctypes.c_void_p) if parallel else None)


def error() -> str:
    """What the last call that failed said."""
    text: bytes = library().unrolled_error()
    return text.decode()


class Compiled:
    """Byte code that the library has checked and laid out."""

    def __init__(self, dtype: int, words: list[int], constants: list[float]) -> None:
        self._library = library()
        code, numbers = array("i", words), array("d", constants)
        self.handle = self._library.unrolled_compile(
            dtype, code.buffer_info()[0], len(code), numbers.buffer_info()[0], len(numbers)
        )
        if not self.handle:
            raise BackendError(error(), where="the native library")

    def forward(self, numbers: list[int]) -> None:
        self._call(self._library.unrolled_forward, numbers)

    def backward(self, numbers: list[int]) -> None:
        self._call(self._library.unrolled_backward, numbers)

    def _call(self, function: ctypes._NamedFuncPointer, numbers: list[int]) -> None:
        flat = array("q", numbers)
        if function(self.handle, flat.buffer_info()[0], len(flat)):
            raise BackendError(error(), where="the native library")

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            self._library.unrolled_free(self.handle)


@cache
def _load() -> tuple[ctypes.CDLL | None, str | None]:
    if os.environ.get("UNROLLED_NATIVE") == "0":
        return None, "the environment variable UNROLLED_NATIVE turns it off"
    if not _FILE.is_file():
        return None, "it was not built when the package was installed (that takes a C++17 compiler)"
    try:
        found = ctypes.CDLL(str(_FILE))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as problem:
        return None, f"it cannot be loaded: {problem}"
    if found.unrolled_version() != _VERSION:
        return None, f"it has interface version {found.unrolled_version()}, this package needs {_VERSION}"
    wanted = os.environ.get("UNROLLED_ISA")
    if wanted and found.unrolled_use_isa(wanted.encode()):
        return None, f"UNROLLED_ISA={wanted}: {found.unrolled_error().decode()}"
    return found, None
