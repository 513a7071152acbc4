"""How long one call takes on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

_WARM_UP = 3
_LEAST, _MOST = 11, 500  # calls


def median_microseconds(call: Callable[[], object], *, seconds: float = 0.2) -> float:
    """Median duration of ``call``, in microseconds, over the calls that fit in ``seconds`` (11 at least)."""
    for _ in range(_WARM_UP):
        call()
    taken: list[int] = []
    end = time.perf_counter() + seconds
    while len(taken) < _LEAST or (len(taken) < _MOST and time.perf_counter() < end):
        began = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began)
    return statistics.median(taken) / 1000
