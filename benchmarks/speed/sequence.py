"""One whole sequence at a time (batch 1), inference, against ``torch.nn``."""

from __future__ import annotations

import torch

from benchmarks.speed.measure import THREADS, interleaved, write
from benchmarks.speed.subjects import inference, pair, x_of


def main() -> None:
    """Measure and write the table."""
    lines = []
    for threads in THREADS:
        torch.set_num_threads(threads)
        for kind in ("LSTM", "GRU"):
            for hidden in (64, 128):
                for time in (100, 300, 1000):
                    shape = (1, time, 8, hidden)
                    theirs, ours = pair(kind, shape)
                    x = x_of(shape)
                    slow, fast = interleaved([inference(theirs, x), inference(ours, x)], 1.0)
                    lines.append(
                        f"{threads:7}  {kind:6}{shape!s:>20}{slow * 1e6:10.0f}{fast * 1e6:10.0f}{slow / fast:8.2f}"
                    )
    head = f"threads  {'':6}{'shape':>20}{'torch':>10}{'unrolled':>10}{'ratio':>8}"
    write("sequence", "A whole sequence at batch 1, us, (B, T, D, H), torch.nn against unrolled", [head, *lines])


if __name__ == "__main__":
    main()
