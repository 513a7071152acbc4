"""What all speed scripts share: interleaved medians, and a table that says on what they were measured."""

from __future__ import annotations

import importlib.util
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from unrolled import native
from unrolled.core.files import write_text

RESULTS = Path(__file__).parent / "results"
THREADS = tuple(int(word) for word in sys.argv[1:] if word.isdigit()) or (1, 2)
"""Numbers of threads to measure with: those of the command line, if there are any."""
_SHORTEST = 3e-3
"""Seconds that are timed at once, at least."""
_QUIET = 0.1
"""Seconds before each side where there are threads: those of the side before spin for a while, and take a core. A call
that is not timed wakes those of this one again."""
_ROUNDS = 15  # at most, where each begins with a pause

Call = Callable[[], object]


def interleaved(calls: Sequence[Call], seconds: float = 1.0, least: int = 5, most: int = 2000) -> list[float]:
    """Median seconds of each call; one of each in turn, so that whatever else the machine does meets all of them.

    With one thread they are seconds of this process on the processor, which other processes disturb little; with
    more threads they are seconds of the clock on the wall.

    Args:
        calls: what to time; each is first called twice, and short ones many times in a row.
        seconds: about so long in all, without pauses.
        least: rounds at least.
        most: rounds at most.
    """
    now, pause = clock(), 0.0
    if torch.get_num_threads() > 1:
        pause, most = _QUIET, min(most, _ROUNDS)
    repeats = [_repeats(call, now) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    spent = 0.0
    while len(times[0]) < least or (spent < seconds and len(times[0]) < most):
        for call, times_over, taken in zip(calls, repeats, times, strict=True):
            if pause:
                time.sleep(pause)
                call()
            start = now()
            for _ in range(times_over):
                call()
            took = now() - start
            taken.append(took / times_over)
            spent += took
    return [statistics.median(taken) for taken in times]


def _repeats(call: Call, now: Callable[[], float]) -> int:
    """How often in a row, so that the clock itself costs nothing."""
    call()
    start = now()
    call()
    return max(1, min(1000, int(_SHORTEST / max(now() - start, 1e-7))))


def clock() -> Callable[[], float]:
    """That of :func:`interleaved`."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def geometric_mean(values: Iterable[float]) -> float:
    """Of ratios."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def gemm_peak(size: int = 1024) -> float:
    """Operations a second of one large float32 product, by torch or by NumPy, whichever is faster here."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    calls: list[Call] = [partial(torch.mm, a, b), partial(np.matmul, a.numpy(), b.numpy())]
    with threadpool_limits(torch.get_num_threads(), user_api="blas"):
        return 2 * size**3 / min(interleaved(calls, 1.0))


def installed(name: str) -> bool:
    """Whether a peer is there."""
    return importlib.util.find_spec(name) is not None


def write(name: str, title: str, lines: Iterable[str], peers: Sequence[str] = ()) -> None:
    """Print a table and keep it under ``results/``, one file for each instruction set."""
    text = "\n".join([title, "", *lines, "", *_circumstances(peers), ""])
    print(text)
    write_text(RESULTS / f"{name}_{'torch' if native.reason() else native.isa()}.txt", text)


def _circumstances(peers: Sequence[str]) -> list[str]:
    versions = [f"{peer} {version(peer) if installed(peer) else 'not installed, left out'}" for peer in peers]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"{processor()}, {os.cpu_count()} cores; python {platform.python_version()}, torch {torch.__version__}"
        + "".join(f", {peer}" for peer in versions),
        f"native library: {native.reason() or native.isa()}; commit {commit()}; {datetime.now(UTC):%Y-%m-%d %H:%M}",
        "one thread: processor time; more: wall clock",
        f"load average at the end (1, 5, 15 minutes): {load}",
    ]


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if git("status", "--short") else "")
