"""Batched inference against ``torch.nn`` and onnxruntime, on the shapes of training."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.speed.measure import THREADS, Call, geometric_mean, installed, interleaved, write
from benchmarks.speed.onnx_peer import session
from benchmarks.speed.subjects import COMMON, KINDS, Shape, inference, pair, x_of


def main() -> None:
    """Measure and write the table."""
    lines, means = [], []
    for threads in THREADS:
        torch.set_num_threads(threads)
        for kind in KINDS:
            ratios: list[list[float]] = [[], []]
            for shape in COMMON:
                ours, *others = interleaved(_calls(kind, shape, threads), 1.0)
                for found, other in zip(ratios, others, strict=False):
                    found.append(other / ours)
                cells = "".join(f"{other * 1e3:10.2f}{other / ours:8.2f}" for other in others)
                lines.append(f"{threads:7}  {kind:6}{shape!s:>22}{ours * 1e3:10.2f}{cells}")
            named = zip(("torch", "onnxruntime"), ratios, strict=True)
            text = ", ".join(f"{name} {geometric_mean(values):.2f}" for name, values in named if values)
            means.append(f"{kind}, {threads} thread(s), geometric means: {text}")
    head = f"threads  {'':6}{'shape':>22}{'unrolled':>10}{'torch':>10}{'ratio':>8}{'onnxrt':>10}{'ratio':>8}"
    title = "Batched inference, ms, (B, T, D, H), unrolled against torch.nn and onnxruntime"
    write("inference", title, [head, *lines, "", *means], ["onnxruntime"])


def _calls(kind: str, shape: Shape, threads: int) -> list[Call]:
    theirs, ours = pair(kind, shape)
    x = x_of(shape)
    calls = [inference(ours, x), inference(theirs, x)]
    if installed("onnxruntime") and installed("onnx"):
        run, steps = session(kind, theirs, threads), np.ascontiguousarray(x.numpy().swapaxes(0, 1))
        calls.append(lambda: run(steps, None))
    return calls


if __name__ == "__main__":
    main()
