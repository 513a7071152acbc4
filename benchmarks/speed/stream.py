"""One streaming step from Python at batch 1, and ``process`` on 48,000 samples, against torch and onnxruntime."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks.speed.measure import Call, installed, interleaved, write
from benchmarks.speed.onnx_peer import session
from benchmarks.speed.subjects import inference, pair

_SAMPLES = 48_000


def main() -> None:
    """Measure and write the table."""
    torch.set_num_threads(1)
    lines = []
    for kind in ("LSTM", "GRU"):
        for hidden in (16, 64, 128):
            ours, *others = interleaved(_steps(kind, hidden), 2.0, most=20_000)
            cells = "".join(f"{other * 1e6:10.1f}{other / ours:8.1f}" for other in others)
            lines.append(f"{kind:6}{hidden:6}{ours * 1e6:10.2f}{cells}")
    head = f"{'':6}{'H':>6}{'unrolled':>10}{'torch':>10}{'ratio':>8}{'onnxrt':>10}{'ratio':>8}"
    lines = [head, *lines, "", f"process on {_SAMPLES} samples, H 16, D 1, ms"]
    for kind in ("LSTM", "GRU"):
        theirs, ours_layer = pair(kind, (1, _SAMPLES, 1, 16))
        x = torch.randn(1, _SAMPLES, 1)
        chunk = partial(ours_layer.stream().process, x[0].numpy())  # type: ignore[operator]
        fast, slow = interleaved([chunk, inference(theirs, x)], 4.0)
        lines.append(f"{kind:6}{16:6}{fast * 1e3:10.2f}{slow * 1e3:10.1f}{slow / fast:8.1f}")
    title = "One streaming step at batch 1, D 1, 1 thread, us: state carried, from Python"
    write("stream", title, lines, ["onnxruntime"])


def _steps(kind: str, hidden: int) -> list[Call]:
    theirs, ours = pair(kind, (1, 1, 1, hidden))
    stream: Any = ours.stream()  # type: ignore[operator]
    x = torch.randn(1, 1, 1)
    sample = x[0, 0].numpy()
    calls: list[Call] = [partial(stream.step, sample), _Carrying(theirs, x)]
    if installed("onnxruntime") and installed("onnx"):
        calls.append(_Onnx(session(kind, theirs, 1), x.numpy()))
    return calls


class _Carrying:
    """torch's layer, one step a call, with its state."""

    def __init__(self, layer: nn.Module, x: torch.Tensor) -> None:
        self.layer, self.x, self.state = layer, x, None

    def __call__(self) -> object:
        with torch.inference_mode():
            y, self.state = self.layer(self.x, self.state)
        return y


class _Onnx:
    """onnxruntime, one step a call, with its state."""

    def __init__(self, run: Any, x: Any) -> None:
        self.run, self.x = run, x
        self.state: Any = None

    def __call__(self) -> object:
        y, *self.state = self.run(self.x, self.state)
        return y


if __name__ == "__main__":
    main()
