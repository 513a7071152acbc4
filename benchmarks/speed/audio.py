"""Latency of one audio frame: from the samples of one hop to the probabilities of all words.

OMP_NUM_THREADS=1 python -m benchmarks.speed.audio
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy.digits import DATA
from unrolled.core.files import write_text
from unrolled.prepare.decode import decode
from unrolled.prepare.log_mel import LogMel, LogMelOptions
from unrolled.runtime import AudioStream, PlanForward, Predictor, Stream
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

FRAMES = 3000
_RESULT = Path(__file__).parent / "results" / "audio.txt"


def heard() -> Predictor:
    """The preset's net at its default size, for ten words; what it learnt does not matter here."""
    with TemporaryDirectory() as name:
        rows = [f"{path},{path.name[0]}\n" for path in sorted(DATA.glob("*_[0-3].wav"))]
        (Path(name) / "list.csv").write_text("path,label\n" + "".join(rows))
        data = {"path": str(Path(name) / "list.csv"), "options": {"format": "wav"}}
        made = train(Config.parse({"data": data, "net": "keyword-spotting", "train": {"epochs": 1}}))
    return Predictor(made.bundle)


def microseconds(call: Callable[[Any], Any], chunks: list[Any]) -> dict[str, float]:
    """Median and 99th percentile of the processor time of one call."""
    took = []
    for chunk in chunks:
        began = time.thread_time_ns()
        call(chunk)
        took.append((time.thread_time_ns() - began) / 1e3)
    return {"median": float(np.median(took)), "p99": float(np.quantile(took, 0.99))}


def main() -> None:
    """The whole way, and each part of it alone."""
    predictor = heard()
    stream = AudioStream(predictor)
    assert isinstance(predictor.forward, PlanForward)
    hop = stream.rate // 100
    chunks = list(np.random.default_rng(0).normal(0, 0.1, (FRAMES, hop)))
    front, scaled = LogMel(LogMelOptions(rate=stream.rate)), predictor.preprocessor.row_scaler()
    frames = [front.process(chunk) for chunk in chunks]
    inputs = [scaled(frame)[None] for frame in frames]
    net = Stream(predictor.forward.plan, predictor.forward.weights)
    outputs = [net.process(given)[0] for given in inputs]
    rows = {
        "samples to probabilities": microseconds(stream.process, chunks),
        "samples to log mel frame": microseconds(front.process, chunks),
        "frame to inputs         ": microseconds(scaled, frames),
        "inputs to outputs       ": microseconds(net.process, inputs),
        "outputs to probabilities": microseconds(lambda y: decode(y, predictor.settings.decoding), outputs),
    }
    lines = [f"one frame of 10 ms ({hop} samples), preset keyword-spotting: microseconds of processor time", ""]
    lines += [f"{name}  median {row['median']:.1f}  99 % below {row['p99']:.1f}" for name, row in rows.items()]
    lines += ["", f"{date.today()}, {platform.machine()}, 1 thread, numpy {np.__version__}, {FRAMES} frames"]
    print("\n".join(lines))
    write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
