"""Any shape up to H = 1024: what the dispatch takes against ``torch.nn``, training and inference."""

from __future__ import annotations

import itertools

import torch

from benchmarks.speed.measure import THREADS, interleaved, write
from benchmarks.speed.subjects import KINDS, inference, pair, training, x_of
from unrolled import engine

_BATCHES, _TIMES, _HIDDEN = (1, 8, 64, 256), (1, 10, 100), (8, 64, 256, 512, 1024)
_LARGEST = 8e9
"""Operations; shapes above are left out."""


def main() -> None:
    """Measure and write the table: every shape with its ratio, the slowest first."""
    found = []
    for threads, kind, batch, time, hidden in itertools.product(THREADS, KINDS, _BATCHES, _TIMES, _HIDDEN):
        shape = (batch, time, min(hidden, 64), hidden)
        if batch * time * hidden * (hidden + 64) * 24.0 > _LARGEST:
            continue
        torch.set_num_threads(threads)
        theirs, ours = pair(kind, shape)
        x = x_of(shape)
        for mode, call in (("training", training), ("inference", inference)):
            slow, fast = interleaved([call(theirs, x), call(ours, x)], 0.15, least=5)
            with torch.set_grad_enabled(mode == "training"):
                chosen = engine.explain(ours.cell, x, ours.weights()[0]).chosen  # type: ignore[operator, arg-type]
            found.append(
                (
                    slow / fast,
                    f"{threads:7}  {kind:6}{shape!s:>22}  {mode:10}{chosen:10}{slow * 1e3:10.3f}{fast * 1e3:10.3f}",
                )
            )
    found.sort()
    head = f"threads  {'':6}{'shape':>22}  {'':10}{'chosen':10}{'torch':>10}{'unrolled':>10}{'ratio':>8}"
    below = sum(ratio < 0.97 for ratio, _ in found)
    title = "Any shape up to H 1024, ms, torch.nn against what the dispatch takes, the slowest ratios first"
    note = f"{len(found)} shapes; below 0.97: {below}"
    write("never_slower", title, [head, *(f"{line}{ratio:8.2f}" for ratio, line in found), "", note])


if __name__ == "__main__":
    main()
