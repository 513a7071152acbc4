"""Cells that torch does not have, against the same equations as a Python loop in torch; a training step.

The loop is what one writes by hand: all gates' input projections in one product before it, the recurrent ones in one
product a step (this package's reference is written so, and is what runs here). Beside each ratio stands its bound: that
of a step which multiplies at the machine's peak and does nothing else.
"""

from __future__ import annotations

import torch

from benchmarks.speed.measure import THREADS, gemm_peak, geometric_mean, interleaved, write
from benchmarks.speed.subjects import Shape, operations, training, x_of
from unrolled.nets import Recurrent

_CELLS = ("lstm_peephole", "lstm_layer_norm", "gru_before")
_SHAPES: tuple[Shape, ...] = ((32, 50, 8, 32), (64, 96, 1, 64), (64, 100, 64, 128), (32, 200, 128, 256))


def main() -> None:
    """Measure and write the table."""
    lines, means = [], []
    for threads in THREADS:
        torch.set_num_threads(threads)
        peak = gemm_peak()
        for name in _CELLS:
            ratios = []
            for shape in _SHAPES:
                _, _, inputs, hidden = shape
                loop, ours, plain = (Recurrent(cell, inputs, hidden) for cell in (name, name, "lstm"))
                loop.backend = "reference"
                x = x_of(shape)
                slow, fast, lstm = interleaved([training(layer, x) for layer in (loop, ours, plain)], 2.0)
                bound = slow * peak / operations(name, shape)
                ratios.append((hidden, slow / fast, bound))
                lines.append(
                    f"{threads:7}  {name:16}{shape!s:>22}{slow * 1e3:10.2f}{fast * 1e3:10.2f}{slow / fast:8.2f}"
                    f"{bound:8.1f}{fast / lstm:10.2f}"
                )
            for label, chosen in (("H up to 64", (1, 64)), ("H 128 to 256", (128, 256))):
                here = [both for hidden, *both in ratios if chosen[0] <= hidden <= chosen[1]]
                mean, bound = (geometric_mean(column) for column in zip(*here, strict=True))
                means.append(f"{name}, {threads} thread(s), {label}: {mean:.1f}, bound {bound:.1f}")
    head = f"threads  {'':16}{'shape':>22}{'loop':>10}{'unrolled':>10}{'ratio':>8}{'bound':>8}{'/ lstm':>10}"
    title = "Training step of cells that torch lacks, ms, (B, T, D, H); last column: time over that of our plain LSTM"
    write("cells", title, [head, *lines, "", *means])


if __name__ == "__main__":
    main()
