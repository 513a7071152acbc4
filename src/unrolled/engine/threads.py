"""The kernels work on torch's own threads, where those are OpenMP's.

A thread of OpenMP spins for milliseconds after its work, waiting for more (libgomp, ``GOMP_SPINCOUNT``): threads of
another pool would have to share the cores with it, and did: half of what a second core gives was lost.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

from unrolled import native


@cache
def share() -> bool:
    """Let the native library use them from now on; False where torch has none of that kind, and it keeps its own."""
    if os.name != "posix":
        return False
    try:
        parallel = ctypes.CDLL(None).GOMP_parallel  # torch loads its OpenMP for all to see
    except AttributeError:
        return False
    native.borrow_threads(parallel)
    return True
