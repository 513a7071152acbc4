"""Pretraining without labels, then training with 5 % of them, beside the same net with the same labels alone.

ECG5000 (heartbeats of 140 samples: 500 to learn from, 4500 for the test) and NATOPS (gestures of 51 steps in 24
columns: 180 and 180). All sequences of the training file are read without labels; of 5 % of them, others for each seed
and at least one a class, the labels are used. Net and training are the classifier's default for few sequences.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.pretraining
"""

from __future__ import annotations

import argparse
import platform
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from unrolled.core.files import write_text
from unrolled.nets.presets import preset
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

SEEDS, SHARE = (0, 1, 2), 0.05
KINDS = ("masked", "contrast")
SETS = {"NATOPS": ("_TRAIN.ts", "_TEST.ts", 1), "ECG5000": ("_TRAIN.tsv", "_TEST.tsv.gz", 2)}
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ucr_uea"
_RESULTS = Path(__file__).parent / "results"


def label_of(line: str) -> str:
    """Of a sequence in a ``.ts`` or ``.tsv`` file."""
    return line.rsplit(":", 1)[1].strip() if ":" in line else line.split("\t", 1)[0]


def write_few(source: Path, target: Path, share: float, seed: int) -> int:
    """A file with this share of the sequences, drawn at random, at least one a class; how many there are."""
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next((at + 1 for at, line in enumerate(lines) if line.strip().lower() == "@data"), 0)
    head, rows = lines[:first], [line for line in lines[first:] if line.strip()]
    order = np.random.default_rng(seed).permutation(len(rows))
    by_class: dict[str, list[int]] = defaultdict(list)
    for at in order.tolist():
        by_class[label_of(rows[at])].append(at)
    chosen = [own[0] for own in by_class.values()]
    chosen += [at for at in order.tolist() if at not in chosen][: max(0, round(share * len(rows)) - len(chosen))]
    target.write_text("".join([*head, *(rows[at] for at in sorted(chosen))]), encoding="utf-8")
    return len(chosen)


def layers(stride: int) -> list[Any]:
    """The classifier's default for few sequences."""
    return [{"augment": {"warp": 0.2}}, *preset("classify").layers(stride=stride)]


def pretrained(path: Path, out: Path, kind: str, net: list[Any], seed: int) -> None:
    """An encoder from all sequences of a file, in ``out``."""
    data = {"path": str(path), "split": {"test": 0}}
    task = {"name": "pretrain", "kind": kind}
    train(Config.parse({"data": data, "task": task, "net": net, "seed": seed}), folder=out)


def figures(paths: dict[str, str], net: list[Any], seed: int, start: Path | None) -> tuple[float, float]:
    """Accuracy and macro F1 of the test part after training with few labels."""
    given: dict[str, Any] = {"data": paths, "task": {"name": "classify"}, "net": net, "seed": seed}
    if start is not None:
        given["start_from"] = str(start)
    scores = train(Config.parse(given)).run.evaluation.model
    return scores["accuracy"].value, scores["macro_f1"].value


def measured(name: str, folder: Path, seeds: Sequence[int], kinds: Sequence[str], scratch: Path) -> list[str]:
    """A line for each way to begin."""
    begin, end, stride = SETS[name]
    source, net = folder / name / f"{name}{begin}", layers(stride)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    labels = 0
    for seed in seeds:
        few = scratch / f"{name}-{seed}{begin}"
        labels = write_few(source, few, SHARE, seed)
        paths = {"path": str(few), "test": str(folder / name / f"{name}{end}")}
        for kind in ("none", *kinds):
            begun, out = time.process_time(), scratch / f"{name}-{seed}-{kind}"
            if kind != "none":
                pretrained(source, out, kind, net, seed)
            found[kind].append(figures(paths, net, seed, None if kind == "none" else out))
            seconds[kind] += time.process_time() - begun
            print(name, seed, kind, found[kind][-1], flush=True)
    lines = []
    for kind, values in found.items():
        accuracy, f1 = np.array(values).T
        each = ", ".join(f"{value:.4f}" for value in accuracy)
        lines.append(
            f"{name:8} {labels:3} labels  pretraining {kind:9} accuracy {accuracy.mean():.4f}  ({each})  "
            f"macro F1 {f1.mean():.4f}  {seconds[kind] / len(seeds):.0f} s of processor a seed"
        )
    return lines


def main() -> None:
    """All sets, ways to begin and seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    asked = parser.parse_args()
    for name in asked.sets:
        with TemporaryDirectory() as scratch:
            lines = measured(name, asked.data, SEEDS[: asked.seeds], asked.kinds, Path(scratch))
        head = f"{name}: pretraining without labels, then {SHARE:.0%} of the labels: figures of the test part"
        machine = f"{date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
        text = "\n".join([head, "", *lines, "", machine]) + "\n"
        print(text, flush=True)
        if asked.seeds == len(SEEDS):
            write_text(_RESULTS / f"pretraining_{name.lower()}.txt", text)


if __name__ == "__main__":
    main()
