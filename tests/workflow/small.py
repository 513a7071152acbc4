"""Tiny data files and jobs that take a second: one for each task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.workflow.config import Config
from unrolled.workflow.train import Trained, train

NET: list[Any] = [{"gru": {"size": 4}}]
TRAIN = {"epochs": 2, "batch_size": 16}


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A CSV file."""
    lines = (",".join(str(cell) for cell in row) for row in rows)
    path.write_text("\n".join([",".join(header), *lines]) + "\n", encoding="utf-8")
    return path


def days(count: int, first: str = "2024-01-01") -> list[str]:
    return [str(day) for day in np.datetime64(first) + np.arange(count)]


def prices(path: Path, rows: int = 120, seed: int = 0) -> Path:
    """Forecast: a weekly wave with noise, and two columns beside it."""
    random = np.random.default_rng(seed)
    close = 100 + 10 * np.sin(2 * np.pi * np.arange(rows) / 7) + random.normal(size=rows)
    cells = zip(
        days(rows),
        (close - random.random(rows)).round(4),
        close.round(4),
        random.integers(1000, 2000, rows),
        strict=True,
    )
    return write(path, ("Date", "Open", "Close", "Volume"), cells)


def sales(path: Path, rows: int = 120, *, promotions: Sequence[int] | None = None, blank: int = 0) -> Path:
    """Forecast: a promotion known in advance and the weather; the last ``blank`` rows have no sales yet."""
    random = np.random.default_rng(1)
    promotion = np.asarray(random.random(rows) < 0.3, dtype=int)
    weather = [("sun", "rain", "snow")[at] for at in random.integers(0, 3, rows)]
    sold = (50 + 30 * promotion + random.normal(size=rows)).round(3).astype(object)
    if promotions is not None:
        promotion[rows - len(promotions) :] = promotions
    if blank:
        sold[rows - blank :] = ""
    cells = zip(days(rows), sold, promotion, weather, strict=True)
    return write(path, ("date", "sales", "promotion", "weather"), cells)


def gestures(path: Path, count: int = 24, seed: int = 2) -> Path:
    """Classify: slow and fast waves, one label a sequence."""
    random = np.random.default_rng(seed)
    rows = []
    for at in range(count):
        kind = ("slow", "fast")[at % 2]
        steps = int(random.integers(10, 16))
        wave = np.sin((0.3 if kind == "slow" else 1.2) * np.arange(steps) + random.uniform(0, 6))
        rows += [(f"g{at}", t, round(v + random.normal() / 10, 4), kind) for t, v in enumerate(wave)]
    return write(path, ("id", "t", "a", "kind"), rows)


def levels(path: Path, count: int = 24, cities: Sequence[str] = ("rome", "oslo", "bern")) -> Path:
    """Regress: the height of a wave, one number a sequence, with a static category."""
    random = np.random.default_rng(3)
    rows = []
    for at in range(count):
        level = random.uniform(1, 3)
        wave = level * np.sin(np.arange(12) + random.uniform(0, 6))
        rows += [(f"s{at}", t, round(v, 4), cities[at % len(cities)], round(level, 4)) for t, v in enumerate(wave)]
    return write(path, ("id", "t", "a", "city", "level"), rows)


def engines(path: Path, count: int = 16) -> Path:
    """Failure: heat that rises towards the end of each engine's life."""
    random = np.random.default_rng(4)
    rows = []
    for at in range(count):
        life = int(random.integers(25, 40))
        left = np.arange(life)[::-1]
        heat = 20 * np.exp(-left / 6) + random.normal(size=life)
        rows += [(at, t, round(h, 4), rest) for t, (h, rest) in enumerate(zip(heat, left, strict=True))]
    return write(path, ("engine", "cycle", "heat", "rul"), rows)


SETTINGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "forecast": (prices, {"data": {"target": "Close", "window": 8}, "task": {"name": "forecast", "horizon": 3}}),
    "classify": (gestures, {"data": {"target": "kind", "split": {"valid": 0.2}}, "task": {"name": "classify"}}),
    "regress": (levels, {"data": {"target": "level", "split": {"valid": 0.2}}, "task": {"name": "regress"}}),
    "failure": (engines, {"data": {"target": "rul", "window": 6}, "task": {"name": "failure", "horizon": 8}}),
}
"""Task -> what writes its file, and its settings."""


def config(kind: str, folder: Path, /, **changes: Any) -> Config:
    """The settings of a task on its file, which is written to ``folder``, with nested ``changes``."""
    make, settings = SETTINGS[kind]
    path = make(folder / f"{kind}.csv")
    base = Config.parse({"net": NET, "train": TRAIN})
    return base.over(settings).over({"data": {"path": str(path)}}).over(changes)


def job(kind: str, folder: Path, /, *, out: str | None = None, **changes: Any) -> Trained:
    """Train on the file of a task."""
    return train(config(kind, folder, **changes), folder=None if out is None else folder / out)


def weights(trained: Trained) -> dict[str, bytes]:
    """The weights of the bundle, to compare bit by bit."""
    return {name: tensor.tobytes() for name, tensor in trained.bundle.weights.items()}
