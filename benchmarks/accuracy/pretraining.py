"""Pretraining without labels, then training with 5 % of them, beside the same net with the same labels alone.

ECG5000 (heartbeats of 140 samples: 500 to learn from, 4500 for the test) and NATOPS (gestures of 51 steps in 24
columns: 180 and 180). All sequences of the training file are read without labels; of 5 % of them, others for each seed
and at least one a class, the labels are used. Net and training are the classifier's default for few sequences.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.pretraining
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy.curves import RESULTS, SHARED
from benchmarks.accuracy.ledger import Ledger
from unrolled.nets.presets import preset
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

SEEDS, SHARE = (0, 1, 2), 0.05
KINDS = ("masked", "contrast")
SETS = {"NATOPS": ("_TRAIN.ts", "_TEST.ts", 1), "ECG5000": ("_TRAIN.tsv", "_TEST.tsv.gz", 2)}
DATA = SHARED / "ucr_uea"


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


def line(name: str, folder: Path, kind: str, seed: int) -> str:
    """What is said of a run: the labels it had, and figures of the test part."""
    begin, end, stride = SETS[name]
    source, net, worked = folder / name / f"{name}{begin}", layers(stride), time.process_time()
    with TemporaryDirectory() as scratch:
        few, out = Path(scratch) / f"few{begin}", None
        labels = write_few(source, few, SHARE, seed)
        if kind != "none":
            out = Path(scratch) / kind
            pretrained(source, out, kind, net, seed)
        accuracy, f1 = figures({"path": str(few), "test": str(folder / name / f"{name}{end}")}, net, seed, out)
    seconds = time.process_time() - worked
    text = f"{kind:9} seed {seed}  accuracy {accuracy:.4f}  macro F1 {f1:.4f}  {labels} labels"
    return f"{text}, {seconds:.0f} s of processor time"


def judged(lines: list[str]) -> list[str]:
    """Means, and whether a kind of pretraining was ahead of none."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for text in lines:
        kind, _, seed, _, accuracy = text.split()[:5]
        found[kind][seed] = float(accuracy)
    said = []
    for kind, own in found.items():
        gains = [value - found["none"][seed] for seed, value in own.items() if seed in found["none"]]
        mean = f"{kind:9} mean accuracy {np.mean(list(own.values())):.4f} of {len(own)}"
        if kind != "none" and gains:
            mean += f"  {np.mean(gains):+.4f} to none, ahead in {sum(gain > 0 for gain in gains)} of {len(gains)}"
        said.append(mean)
    return said


def main() -> None:
    """All sets, seeds and ways to begin; results are written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--kinds", nargs="*", default=["none", *KINDS])
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    asked = parser.parse_args()
    for name in asked.sets:
        heading = f"{name}: pretraining without labels, then {SHARE:.0%} of the labels; figures of the test part"
        ledger = Ledger(RESULTS / f"pretraining_{name.lower()}.txt", heading, r"(\w+) +seed (\d+)", judged)
        for seed in asked.seeds:
            for kind in asked.kinds:
                text = line(name, asked.data, kind, seed)
                ledger.add(text)
                print(name, text, flush=True)


if __name__ == "__main__":
    main()
