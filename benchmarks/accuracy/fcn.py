"""LSTM-FCN and GRU-FCN on UCR and UEA sets, beside the same net without its recurrent branch and published figures.

The presets ``lstm-fcn`` and ``gru-fcn`` (Karim et al. 2018; Elsayed et al. 2019) and their convolutions alone; the
recurrent branch reads the series step by step, where Karim et al. give it all steps of a channel at once ("dimension
shuffle"). Training is short, about 300 steps of 16 sequences where they trained for 2000 passes; the rest is the task's
default. Published are means of 5 runs of FCN and ResNet (Ismail Fawaz et al. 2019), and 1-NN. ``--passes`` trains for
longer, in batches of a tenth of the sequences (4 to 16) as theirs were, on sets where 300 steps do not fit the
training part; such rows say so.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.fcn
    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.fcn ArrowHead --passes 450
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.curves import RESULTS, SHARED
from benchmarks.accuracy.ledger import Ledger
from unrolled.nets.presets import preset
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

DATA = SHARED / "ucr_uea"
STEPS, BATCH, SEEDS = 300, 16, (0, 1, 2)
SETS = {
    "ItalyPowerDemand": (67, "FCN 0.963, ResNet 0.962, 1-NN 0.955"),
    "JapaneseVowels": (270, "FCN 0.993, ResNet 0.992, 1-NN (DTW) 0.949"),
    "ECG200": (100, "FCN 0.888, ResNet 0.874, 1-NN 0.880"),
    "GunPoint": (50, "FCN 1.000, ResNet 0.991, 1-NN 0.913"),
    "BasicMotions": (40, "1-NN (DTW) 0.975"),
    "NATOPS": (180, "1-NN (DTW) 0.883"),
    "ECG5000": (500, "FCN 0.940, ResNet 0.935, 1-NN 0.925"),
    "ArrowHead": (36, "FCN 0.843, ResNet 0.838, 1-NN 0.800"),
    "OSULeaf": (200, "FCN 0.979, ResNet 0.980, 1-NN 0.521"),
}
"""Sequences to learn from, and what is published; the quick ones first."""


def nets() -> dict[str, list[Any]]:
    """Both presets, and what is left of them without the recurrent branch."""
    both = {name: preset(name).layers() for name in ("lstm-fcn", "gru-fcn")}
    convolutions = both["lstm-fcn"][0]["parallel"]["branches"][0]
    return {**both, "without": [*convolutions, "linear"]}


def accuracy(folder: Path, name: str, net: list[Any], seed: int, passes: int | None) -> float:
    """Of the test part, after ``passes`` over the training part; None: about 300 steps."""
    ends = ("_TRAIN.tsv", "_TEST.tsv.gz") if name == "ECG5000" else ("_TRAIN.ts", "_TEST.ts")
    begin, end = (str(folder / name / f"{name}{each}") for each in ends)
    sequences = SETS[name][0]
    batch = BATCH if passes is None else min(BATCH, max(4, sequences // 10))
    epochs = passes or -(-STEPS // -(-sequences // BATCH))
    plain: dict[str, Any] = {
        "data": {"path": begin, "test": end},
        "task": {"name": "classify"},
        "net": net,
        "train": {"epochs": epochs, "batch_size": batch, "patience": epochs},
        "seed": seed,
    }
    return train(Config.parse(plain)).run.evaluation.model["accuracy"].value


def line(folder: Path, name: str, label: str, passes: int | None, seeds: Sequence[int]) -> str:
    """What is said of a net on a set."""
    began, net = time.process_time(), nets()[label]
    found = [accuracy(folder, name, net, seed, passes) for seed in seeds]
    each = ", ".join(f"{value:.4f}" for value in found)
    seconds = time.process_time() - began
    few = "" if tuple(seeds) == SEEDS else f", seeds {', '.join(map(str, seeds))}"
    told = f"{name:17}{label:9} {statistics.mean(found):.4f}  ({each})  {seconds:.0f} s of processor time{few}"
    return told if passes is None else f"{told}, {passes} passes"


def judged(lines: list[str]) -> list[str]:
    """What is published, and what the recurrent branches add."""
    found: dict[str, dict[str, float]] = {}
    for text in lines:
        name, label, mean = text.split()[:3]
        found.setdefault(name if not text.endswith("passes") else f"{name}, longer", {})[label] = float(mean)
    said = [f"{name:17}published {SETS[name][1]}" for name in SETS if {name, f"{name}, longer"} & found.keys()] + [""]
    for label in ("lstm-fcn", "gru-fcn"):
        gains = [own[label] - own["without"] for own in found.values() if {label, "without"} <= own.keys()]
        if gains:
            helps, harms = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
            adds = f"the recurrent branch of {label} adds {statistics.mean(gains):+.4f} on average over"
            said.append(f"{adds} {len(gains)} comparisons, and helps in {helps}, harms in {harms}")
    return said


def main() -> None:
    """All sets and nets, with all seeds; the file is written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--nets", nargs="*", default=list(nets()))
    parser.add_argument("--passes", type=int, default=None, help="over the training part, in place of 300 steps")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    asked = parser.parse_args()
    heading = f"accuracy of the test part, mean of seeds {', '.join(map(str, SEEDS))}"
    ledger = Ledger(RESULTS / "fcn.txt", heading, r"(\w+) +([\w-]+) +[\d.]+  \([^)]*\)  [^,]*(.*)", judged)
    for name in asked.sets:
        for label in asked.nets:
            text = line(asked.data, name, label, asked.passes, asked.seeds)
            ledger.add(text)
            print(text, flush=True)


if __name__ == "__main__":
    main()
