"""Missing values: GRU-D beside a GRU on values filled forward, and one that is told where holes are.

JapaneseVowels (9 speakers, 12 coefficients, 7 to 29 steps; 270 sequences to learn from, 370 for the test) with 30 % and
60 % of all numbers removed from both parts, other ones for each seed. ``random``: any of them alike. ``usual``: rather
those near the mean of their channel, as a laboratory measures what seems unusual; what is missing then tells something.
The nets differ in the recurrent layer and in what is done with the holes; everything else is the task's default.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.missing
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.curves import RESULTS, SHARED, surroundings
from unrolled.core.files import write_text
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

SHARES, SEEDS, WAYS = (0.3, 0.6), (0, 1, 2), ("random", "usual")
_REST: list[Any] = [{"dropout": {"rate": 0.3}}, "linear"]
NETS: dict[str, tuple[str, list[Any]]] = {
    "gru, filled forward": ("fill_forward", [{"gru": {"size": 64}}, *_REST]),
    "gru, marks": ("mask", [{"gru": {"size": 64}}, *_REST]),
    "gru_d, marks": ("mask", [{"gru_d": {"size": 64}}, *_REST]),
    "gru-d": ("mask", ["decay", {"gru_d": {"size": 64}}, *_REST]),
}
DATA = SHARED / "ucr_uea" / "JapaneseVowels"
PARTS = ("train", "test")
Numbers = npt.NDArray[np.float64]
Ranks = Callable[[Numbers], Numbers]
_RESULT = RESULTS / "missing.txt"


def removed(
    lines: Iterable[str], share: float, random: np.random.Generator, ranks: list[Ranks] | None = None
) -> Iterator[str]:
    """A ``.ts`` file with this share of its numbers unknown; with ``ranks`` of each channel rather the usual ones."""
    for line in lines:
        if line.startswith(("#", "@")) or not line.strip():
            yield line
            continue
        *channels, label = line.strip().split(":")
        kept = []
        for number, channel in enumerate(channels):
            cells = channel.split(",")
            gone = share if ranks is None else 2 * share * (1 - ranks[number](np.array(cells, dtype=np.float64)))
            keep = random.random(len(cells)) >= gone
            kept.append(",".join(cell if there else "?" for cell, there in zip(cells, keep, strict=True)))
        yield ":".join([*kept, label]) + "\n"


def ranked(lines: Iterable[str]) -> list[Ranks]:
    """Of each channel of a ``.ts`` file: numbers to the share of its numbers that lie nearer to their mean."""
    rows = [line.strip().split(":")[:-1] for line in lines if line.strip() and not line.startswith(("#", "@"))]
    found: list[Ranks] = []
    for cells in zip(*rows, strict=True):
        values = np.array(",".join(cells).split(","), dtype=np.float64)
        mean, apart = values.mean(), np.sort(np.abs(values - values.mean()))
        found.append(partial(_rank, mean=mean, apart=apart))
    return found


def _rank(values: Numbers, mean: float, apart: Numbers) -> Numbers:
    return np.searchsorted(apart, np.abs(values - mean)) / len(apart)


def write_removed(source: Path, folder: Path, share: float, seed: int, *, usual: bool = False) -> None:
    """``train.ts`` and ``test.ts`` with this share of numbers removed."""
    texts = {part: (source / f"JapaneseVowels_{part.upper()}.ts").read_text(encoding="utf-8") for part in PARTS}
    ranks = ranked(texts["train"].splitlines()) if usual else None
    for part, text in texts.items():
        random = np.random.default_rng([seed, round(100 * share), part == "test"])
        made = "".join(removed(text.splitlines(keepends=True), share, random, ranks))
        (folder / f"{part}.ts").write_text(made, encoding="utf-8")


def accuracy(folder: Path, name: str, seed: int) -> tuple[float, int]:
    """Of the test part, and the number of weights."""
    policy, net = NETS[name]
    paths = {"path": str(folder / "train.ts"), "test": str(folder / "test.ts")}
    trained = train(
        Config.parse({"data": {**paths, "missing": policy}, "task": {"name": "classify"}, "net": net, "seed": seed})
    )
    return trained.run.evaluation.model["accuracy"].value, trained.run.net.parameters


def main() -> None:
    """All nets, shares and seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    asked = parser.parse_args()
    seeds = SEEDS[: asked.seeds]
    lines = ["JapaneseVowels with values removed: accuracy of the test part", ""]
    for way, share in product(asked.ways, SHARES):
        for name in NETS:
            found, weights, begun = [], 0, time.perf_counter()
            for seed in seeds:
                with TemporaryDirectory() as folder:
                    write_removed(asked.data, Path(folder), share, seed, usual=way == "usual")
                    value, weights = accuracy(Path(folder), name, seed)
                found.append(value)
            each = ", ".join(f"{value:.4f}" for value in found)
            facts = f"{weights:,} weights, {time.perf_counter() - begun:.0f} s"
            lines.append(f"{way:7}{share:.0%}  {name:20} mean {np.mean(found):.4f}  ({each})  {facts}")
            print(lines[-1], flush=True)
    lines += ["", surroundings()]
    if seeds == SEEDS and asked.ways == list(WAYS):
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
