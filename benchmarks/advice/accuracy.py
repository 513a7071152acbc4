"""Which net is more accurate, by the length of sequences, by noise, by the amount of data, by pooling."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from benchmarks.advice.page import compared, keep
from benchmarks.advice.sets import DATA, SEEDS, accuracy, ucr
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

LENGTHS, NOISES = (20, 50, 100, 200, 500, 1000), (0.0, 0.5, 1.0)
DEEP_TOO = (50, 500)  # lengths at which the deep net is trained: it takes long
WINDOWS = 46_608  # of the training part of ETTm1
AMOUNTS = {WINDOWS // stride: stride for stride in (150, 12, 1)}  # windows -> rows between two
Net = list[Any]
Table = Mapping[tuple[str, Any], Sequence[float]]

_GRU: dict[str, Any] = {"gru": {"size": 32}}
_LSTM: dict[str, Any] = {"lstm": {"size": 32}}
_DEEP: list[Any] = [{"residual": {"layers": [_LSTM], "repeat": 3}}, "layer_norm"]


def length() -> None:
    """ItalyPowerDemand brought to 20 to 1000 steps: the same shapes, only the number of steps differs."""
    nets: dict[str, Net] = {
        "gru": [_GRU, "linear"],
        "lstm": [_LSTM, "linear"],
        "gru-attention": [_GRU, "attention", "linear"],
        "lstm-deep-attention": [*_DEEP, "attention", "linear"],
    }
    data, single = ucr("ItalyPowerDemand"), ("gru", "lstm", "gru-attention")
    found = {(name, steps): [accuracy(nets[name], data.resampled(steps), seed, epochs=40) for seed in SEEDS]
             for steps in LENGTHS for name in (nets if steps in DEEP_TOO else single)}  # fmt: skip
    short, middle = _pooled(found, single, (20, 50)), _pooled(found, single, (50, 100, 200))
    long, deep = _pooled(found, single, (500, 1000)), _pooled(found, tuple(nets), (500,))
    rows = [
        compared("Under 50 steps a GRU with attention is best", "GRU, with attention", short, "gru-attention"),
        compared("From 50 to 200 steps an LSTM is better than a GRU", "LSTM or a shallow stack", middle, "lstm", "gru"),
        compared("Over 200 steps an LSTM is better than a GRU", "LSTM", long, "lstm", "gru"),
        compared("Over 200 steps attention helps", "attention to help", long, "gru-attention", "gru"),
        compared("Over 200 steps a deep residual LSTM with attention is best", "deep LSTM, residual, attention", deep,
             "lstm-deep-attention"),
    ]  # fmt: skip
    keep("length", "Length of sequences", rows, _lines("ItalyPowerDemand at T steps, accuracy of the test", found))


def noise() -> None:
    """ItalyPowerDemand with white noise of 0 to 1 standard deviations."""
    nets: dict[str, Net] = {
        "gru": [_GRU, "linear"],
        "lstm": [_LSTM, "linear"],
        "gru-dropout": [_GRU, {"dropout": {"rate": 0.4}}, "linear"],
        "lstm-dropout": [_LSTM, {"dropout": {"rate": 0.4}}, "linear"],
    }
    data = ucr("ItalyPowerDemand")
    found = {
        (name, level): [
            accuracy(net, data.noisy(level, seed), seed, decay=1e-4 if "dropout" in name else 0.0) for seed in SEEDS
        ]
        for level in NOISES
        for name, net in nets.items()
    }
    clean, noisy = _pooled(found, nets, (0.0,)), _pooled(found, nets, (0.5, 1.0))
    rows = [
        compared(
            "Noisy sensors: LSTM with dropout 0.3 to 0.5 and L2 1e-4 is best",
            "LSTM, dropout, L2",
            noisy,
            "lstm-dropout",
        ),
        compared("Noisy sensors: dropout helps an LSTM", "dropout 0.3 to 0.5", noisy, "lstm-dropout", "lstm"),
        compared(
            "Clean data: plain nets do as well as with dropout",
            "plain GRU or LSTM",
            clean,
            "lstm",
            "lstm-dropout",
            alike=True,
        ),
    ]
    keep("noise", "Noise", rows, _lines("ItalyPowerDemand, noise in standard deviations, accuracy of the test", found))


def amount() -> None:
    """One step ahead of the oil temperature of ETTm1, from 310 to 46,608 windows of 32 rows; RMSE, negated."""
    frame = pl.read_csv(DATA / "ett/ETTm1.csv.gz", try_parse_dates=True).select("date", "OT")
    found = {(name, windows): [-_error(frame, name, windows, seed) for seed in SEEDS]
             for windows in AMOUNTS for name in ("gru", "lstm")}  # fmt: skip
    nets = ("gru", "lstm")
    counts = tuple(AMOUNTS)
    small, large = _pooled(found, nets, counts[:1]), _pooled(found, nets, counts[-1:])
    rows = [
        compared("Little data: a GRU is better than an LSTM", "GRU under 100,000 samples", small, "gru", "lstm"),
        compared("Much data: an LSTM is better than a GRU (here 46,608 windows, fewer than the guides mean)",
             "LSTM from 100,000 samples", large, "lstm", "gru"),
    ]  # fmt: skip
    keep("amount", "Amount of data", rows, _lines("ETTm1, windows to learn from, RMSE one step ahead, negated", found))


def pooling() -> None:
    """The label of a sequence from the mean over its steps, or from the last one."""
    found: dict[tuple[str, Any], list[float]] = {}
    for name in ("ItalyPowerDemand", "ECG200"):
        data = ucr(name)
        for kind in ("mean", "last"):
            for cell, layer in (("gru", _GRU), ("lstm", _LSTM)):
                net = [layer, {"pool": {"kind": kind}}, "linear"]
                found[f"{cell}-{kind}", name] = [accuracy(net, data, seed) for seed in SEEDS]
    nets = ("gru-mean", "gru-last", "lstm-mean", "lstm-last")
    sets = _pooled(found, nets, ("ItalyPowerDemand", "ECG200"))
    rows = [
        compared("Classification: a GRU with average pooling is best", "GRU, average pooling", sets, "gru-mean"),
        compared(
            "Classification: average pooling beats the last step", "average pooling", sets, "gru-mean", "gru-last"
        ),
    ]
    keep("pooling", "Pooling", rows, _lines("accuracy of the test", found))


def _error(frame: pl.DataFrame, cell: str, windows: int, seed: int) -> float:
    """RMSE on the last 120 days; the windows are evenly spread over the days before the last 240."""
    epochs = max(2, -(-800 // -(-windows // 64)))
    config = {
        "data": {"target": "OT", "window": 32, "stride": AMOUNTS[windows], "calendar": [],
                 "split": {"by": "time", "valid": 11_520, "test": 11_520}},
        "task": {"name": "forecast", "horizon": 1},
        "net": [{"window_norm": {"kind": "last"}}, {cell: {"size": 32}}, "linear"],
        "train": {"epochs": epochs, "patience": epochs, "batch_size": 64, "learning_rate": 3e-3, "schedule": "cosine"},
        "seed": seed,
    }  # fmt: skip
    return train(Config.parse(config), data=frame).run.evaluation.model["rmse"].value


def _pooled(found: Table, nets: Sequence[str] | Mapping[str, Net], places: Sequence[Any]) -> dict[str, list[float]]:
    """The figures of each net over some places, each seed of each place measured from that place's mean."""
    pooled: dict[str, list[float]] = {name: [] for name in nets}
    for place in places:
        centre = statistics.fmean(value for name in nets for value in found[name, place])
        for name in nets:
            pooled[name] += [value - centre for value in found[name, place]]
    return pooled


def _lines(title: str, found: Table) -> list[str]:
    places = list(dict.fromkeys(place for _, place in found))
    nets = list(dict.fromkeys(name for name, _ in found))
    lines = [f"{title}; mean (spread) of seeds {SEEDS}", f"{'':22}" + "".join(f"{place!s:>18}" for place in places)]
    for name in nets:
        cells = (found.get((name, place)) for place in places)
        lines.append(f"{name:22}" + "".join(" " * 18 if v is None else _cell(v) for v in cells))
    return lines


def _cell(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):10.4f} ({statistics.stdev(values):.3f})"


def experiments() -> Iterator[tuple[str, Callable[[], None]]]:
    yield from (("length", length), ("noise", noise), ("amount", amount), ("pooling", pooling))
