"""A training step (forward and backward) of LSTM, GRU and RNN against ``torch.nn``, and as a share of GEMM peak.

Beside each ratio stands its bound: that of a step which multiplies at the peak and does nothing else.
"""

from __future__ import annotations

import torch

from benchmarks.speed.measure import THREADS, gemm_peak, geometric_mean, interleaved, write
from benchmarks.speed.subjects import COMMON, KINDS, operations, pair, training, x_of

_SHARES = ((64, 100, 64, 128), (32, 200, 128, 256))


def main() -> None:
    """Measure and write the table."""
    lines, means = [], []
    for threads in THREADS:
        torch.set_num_threads(threads)
        peak = gemm_peak()
        lines += [f"{threads} thread{'s'[: threads - 1]}, GEMM peak {peak / 1e9:.0f} GFLOP/s", _HEAD]
        for kind in KINDS:
            ratios, bounds = [], []
            for shape in COMMON:
                theirs, ours = pair(kind, shape)
                x = x_of(shape)
                slow, fast = interleaved([training(theirs, x), training(ours, x)], 1.5)
                ratios.append(slow / fast)
                least = operations(kind, shape) / peak
                bounds.append(slow / least)
                mark = f"  {least / fast:.0%} of peak" if kind == "LSTM" and shape in _SHARES else ""
                times = f"{slow * 1e3:10.2f}{fast * 1e3:10.2f}{slow / fast:8.2f}{bounds[-1]:8.2f}"
                lines.append(f"{kind:6}{shape!s:>22}{times}{mark}")
            mean, bound = geometric_mean(ratios), geometric_mean(bounds)
            means.append(f"{kind}, {threads} thread(s): geometric mean {mean:.2f}, bound {bound:.2f}")
        lines.append("")
    write("train", "Training step, ms, (B, T, D, H), torch.nn against unrolled", [*lines, *means])


_HEAD = f"{'':6}{'shape':>22}{'torch':>10}{'unrolled':>10}{'ratio':>8}{'bound':>8}"

if __name__ == "__main__":
    main()
