"""Spoken digits from their WAV files, with a net that answers after every frame: keyword spotting.

Free Spoken Digit Dataset: 3,000 recordings of 6 speakers. Its publisher's split (recordings 0 to 4 of each digit and
speaker are the test), and each speaker held out in turn, which is the harder question.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.digits
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy.curves import RESULTS, SHARED
from benchmarks.accuracy.ledger import Ledger
from unrolled.workflow.config import Config
from unrolled.workflow.train import Trained, train

DATA = SHARED / "fsdd" / "recordings"
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
GOALS = {"publisher": 0.97, "speaker": 0.85}
OPTIONS: dict[str, Any] = {"format": "wav", "frame": 0.032, "hop": 0.02}
TRAIN = {"epochs": 12, "batch_size": 32, "learning_rate": 3e-3}


def recordings(folder: Path) -> list[tuple[Path, str, str, int]]:
    """File, digit, speaker and number of every recording."""
    found = []
    for path in sorted(folder.glob("*.wav")):
        match = re.fullmatch(r"(\d)_([a-z]+)_(\d+)", path.stem)
        assert match is not None, path.name
        found.append((path, match[1], match[2], int(match[3])))
    return found


def write_lists(source: Path, folder: Path, held: str) -> None:
    """``train.csv`` and ``test.csv``; ``held`` is a speaker, or "publisher" for the publisher's split."""
    texts = {"train": "path,label,speaker\n", "test": "path,label,speaker\n"}
    for path, digit, speaker, number in recordings(source):
        test = number < 5 if held == "publisher" else speaker == held
        texts["test" if test else "train"] += f"{path},{digit},{speaker}\n"
    for part, text in texts.items():
        (folder / f"{part}.csv").write_text(text, encoding="utf-8")


def trained(source: Path, held: str, seed: int) -> Trained:
    """A model, judged on what was held out."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_lists(source, folder, held)
        data = {"path": str(folder / "train.csv"), "test": str(folder / "test.csv"), "options": OPTIONS}
        given = {"data": {**data, "split": {"by": "case"}}, "task": {"name": "classify", "class_weights": "none"}}
        return train(Config.parse({**given, "net": "keyword-spotting", "train": TRAIN, "seed": seed}))


def line(source: Path, held: str, seed: int) -> str:
    """What is said of a run."""
    worked = time.process_time()
    run = trained(source, held, seed).run
    metric = run.evaluation.model["accuracy"]
    span = "" if metric.low is None or metric.high is None else f" [{metric.low:.4f}, {metric.high:.4f}]"
    text = f"{held:10} seed {seed}  accuracy {metric.value:.4f}{span}  {run.facts.epochs} epochs"
    seconds = time.process_time() - worked
    return f"{text}, {run.net.parameters:,} weights, {seconds:.0f} s of processor time"


def judged(lines: list[str]) -> list[str]:
    """The mean of each kind of split, beside its goal."""
    found = []
    for kind, goal in GOALS.items():
        own = [line for line in lines if (line.split()[0] == "publisher") == (kind == "publisher")]
        values = [float(line.split()[4]) for line in own]
        if values:
            mean = float(np.mean(values))
            verdict = "reached" if mean >= goal else "NOT reached"
            found.append(f"{kind:10} mean {mean:.4f} of {len(values)}  goal {goal:g}: {verdict}")
    return found


def main() -> None:
    """Every split; results are written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="of the publisher's split")
    parser.add_argument("--splits", nargs="*", default=["publisher", *SPEAKERS])
    asked = parser.parse_args()
    told = ", ".join(f"{key} {value:g}" for key, value in TRAIN.items())
    heading = f"spoken digits from WAV files, preset keyword-spotting (causal), {told}, frames of 32 ms every 20 ms"
    ledger = Ledger(RESULTS / "digits.txt", heading, r"(\w+) +seed (\d+)", judged)
    for held in asked.splits:
        for seed in asked.seeds if held == "publisher" else asked.seeds[:1]:
            text = line(asked.data, held, seed)
            ledger.add(text)
            print(text, flush=True)


if __name__ == "__main__":
    main()
