"""Gradients by lag before training, clipping, and depth with and without a way around each layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.accuracy.curves import RESULTS as ACCURACY
from benchmarks.advice.page import Row, compared, keep
from benchmarks.advice.sets import SEEDS, accuracy, gunpoint
from unrolled.data import Batch
from unrolled.diagnose import observe
from unrolled.diagnose.gradient_flow import norms
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

LAGS, DEPTHS = (10, 50, 100), (1, 2, 4, 8)


def gradients() -> None:
    """Norm of the gradient of a loss on the last step to the state at a lag, over that at the last step."""
    found: dict[str, list[float]] = {}
    details = ["cell   start       lag 10    lag 50   lag 100   (median of three seeds, relative to lag 0)"]
    for cell in ("rnn", "lstm", "gru"):
        for name, initial in (("usual", {}), ("plain", _plain(cell))):
            several = np.array([_by_lag({cell: {"size": 64, **initial}}, seed) for seed in SEEDS])
            middle = np.median(several, axis=0)
            found[f"{cell} {name}"] = list(middle)
            details.append(f"{cell:7}{name:8}" + "".join(f"{value:10.1e}" for value in middle))
    rnn, lstm, gru = found["rnn plain"], found["lstm usual"], found["gru usual"]
    rows = [
        Row("The gradient of a plain RNN vanishes within tens of steps", "gone after 10 to 20 steps",
            f"{rnn[0]:.1e} of it is left at lag 10, {rnn[1]:.1e} at 50, {rnn[2]:.1e} at 100 (uniform start, 64 units)",
            "holds" if rnn[1] < 1e-3 else "does not hold"),
        Row("An LSTM keeps it over 100 steps", "reaches back hundreds of steps",
            f"{lstm[0]:.1e} at lag 10, {lstm[1]:.1e} at 50, {lstm[2]:.1e} at 100, forget bias 1, before training",
            "holds" if lstm[2] > 0.01 else "does not hold"),
        Row("A GRU keeps it over 100 steps", "nearly as far as an LSTM",
            f"{gru[0]:.1e} at lag 10, {gru[1]:.1e} at 50, {gru[2]:.1e} at 100, before training",
            "holds" if gru[2] > 0.01 else "does not hold"),
    ]  # fmt: skip
    keep("gradients", "Gradients through time", rows, details)


def clipping() -> None:
    """The runs of ``benchmarks.accuracy.clipping``, as they were kept."""
    lines = (ACCURACY / "clipping.txt").read_text(encoding="utf-8").splitlines()
    shares = {
        (row[1], row[2] != "off"): float(row[3]) / 100
        for line in lines
        if (row := re.fullmatch(r"(.+?)\s+0\.1\s+(off|1\.0)\s+(\d+)%.*", line)) is not None
    }
    rnn, relu, lstm = (tuple(shares[net, clipped] for clipped in (False, True))
                       for net in ("RNN, tanh", "RNN, ReLU", "LSTM"))  # fmt: skip
    measured = (
        f"runs that diverge at T = 1000 and a rate of 0.1, without and with clipping at 1: RNN {rnn[0]:.0%} and "
        f"{rnn[1]:.0%}, ReLU RNN {relu[0]:.0%} and {relu[1]:.0%}, LSTM {lstm[0]:.0%} and {lstm[1]:.0%}"
    )
    made = Row("Clipping gradients keeps training stable", "clip the norm at 1 to 5", measured,
              "holds in part" if relu[1] > 0.5 else "holds")  # fmt: skip
    keep("clipping", "Clipping", [made], lines[1:], on="from benchmarks/accuracy/results/clipping.txt")


def depth() -> None:
    """LSTM layers of 32 units on GunPoint in patches of 5 steps, plain and with a way around each."""
    data, figures = gunpoint(), dict[tuple[str, int], list[float]]()
    for layers in DEPTHS:
        for kind in ("plain", "residual"):
            if layers == 1 and kind == "residual":
                continue
            figures[kind, layers] = [accuracy(_stack(kind, layers), data, seed) for seed in SEEDS]
    details = [f"GunPoint, accuracy on {len(data.test_y)} of the test, seeds {SEEDS}"]
    details += [
        f"{kind:9} x{layers}  " + "  ".join(f"{value:.3f}" for value in values) + f"   mean {np.mean(values):.3f}"
        for (kind, layers), values in figures.items()
    ]
    eight = {"8 residual layers": figures["residual", 8], "8 plain layers": figures["plain", 8]}
    deep = {"8 residual layers": figures["residual", 8], "one layer": figures["plain", 1]}
    rows = [
        compared("Deep stacks need residual connections", "from about four layers on", eight, "8 residual layers"),
        compared("A deep residual LSTM beats one layer", "on long or difficult sequences", deep, "8 residual layers"),
    ]
    keep("depth", "Depth", rows, details)


def _plain(cell: str) -> dict[str, Any]:
    return {"initial": {"recurrent": "uniform", **({"forget": 0.0} if cell == "lstm" else {})}}


def _by_lag(layer: dict[str, Any], seed: int) -> list[float]:
    torch.manual_seed(seed)
    net = Net([layer, {"pool": {"kind": "last"}}, {"linear": {}}], Inputs(numbers=8), Outputs())
    batch = Batch(x=torch.randn(64, 128, 8), y=torch.randn(64, 1))
    (run,) = observe(net, batch, _squared)
    by_lag = norms(run)
    return [float(by_lag[lag] / by_lag[0]) for lag in LAGS]


def _squared(output: Tensor, batch: Batch) -> Tensor:
    return (output.reshape(-1, 1) - batch.y).square().mean()


def _stack(kind: str, layers: int) -> list[Any]:
    one: dict[str, Any] = {"lstm": {"size": 32}}
    body = [one] * layers if kind == "plain" else [{"residual": {"layers": [one], "repeat": layers}}, "layer_norm"]
    return [{"patch": {"length": 5, "size": 32}}, *body, "linear"]


def experiments() -> Iterator[tuple[str, Callable[[], None]]]:
    yield from (("gradients", gradients), ("clipping", clipping), ("depth", depth))
