"""Missing values removed at random: GRU-D beside a GRU on values filled forward, and one that is told where holes are.

JapaneseVowels (9 speakers, 12 coefficients, 7 to 29 steps; 270 sequences to learn from, 370 for the test) with 30 % and
60 % of all numbers removed from both parts, other ones for each seed. The nets differ in the recurrent layer and in
what is done with the holes; everything else is the task's default.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.missing
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from unrolled.core.files import write_text
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

SHARES, SEEDS = (0.3, 0.6), (0, 1, 2)
_REST: list[Any] = [{"dropout": {"rate": 0.3}}, "linear"]
NETS: dict[str, tuple[str, list[Any]]] = {
    "gru, filled forward": ("fill_forward", [{"gru": {"size": 64}}, *_REST]),
    "gru, marks": ("mask", [{"gru": {"size": 64}}, *_REST]),
    "gru_d, marks": ("mask", [{"gru_d": {"size": 64}}, *_REST]),
    "gru-d": ("mask", ["decay", {"gru_d": {"size": 64}}, *_REST]),
}
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ucr_uea" / "JapaneseVowels"
_RESULT = Path(__file__).parent / "results" / "missing.txt"


def removed(lines: Iterable[str], share: float, random: np.random.Generator) -> Iterator[str]:
    """A ``.ts`` file with this share of its numbers unknown."""
    for line in lines:
        if line.startswith(("#", "@")) or not line.strip():
            yield line
            continue
        *channels, label = line.strip().split(":")
        numbers = [channel.split(",") for channel in channels]
        kept = [[cell if random.random() >= share else "?" for cell in channel] for channel in numbers]
        yield ":".join([*(",".join(channel) for channel in kept), label]) + "\n"


def write_removed(source: Path, folder: Path, share: float, seed: int) -> None:
    """``train.ts`` and ``test.ts`` with this share of numbers removed."""
    for part in ("train", "test"):
        given = (source / f"JapaneseVowels_{part.upper()}.ts").read_text(encoding="utf-8")
        random = np.random.default_rng([seed, round(100 * share), part == "test"])
        text = "".join(removed(given.splitlines(keepends=True), share, random))
        (folder / f"{part}.ts").write_text(text, encoding="utf-8")


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
    asked = parser.parse_args()
    seeds = SEEDS[: asked.seeds]
    lines = ["JapaneseVowels with values removed at random: accuracy of the test part", ""]
    for share in SHARES:
        for name in NETS:
            found, weights, begun = [], 0, time.perf_counter()
            for seed in seeds:
                with TemporaryDirectory() as folder:
                    write_removed(asked.data, Path(folder), share, seed)
                    value, weights = accuracy(Path(folder), name, seed)
                found.append(value)
            each = ", ".join(f"{value:.4f}" for value in found)
            seconds = time.perf_counter() - begun
            lines.append(
                f"{share:.0%}  {name:20} mean {np.mean(found):.4f}  ({each})  {weights:,} weights, {seconds:.0f} s"
            )
            print(lines[-1], flush=True)
    threads = torch.get_num_threads()
    lines += ["", f"{date.today()}, {platform.machine()}, {threads} threads, torch {torch.__version__}"]
    if seeds == SEEDS:
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
