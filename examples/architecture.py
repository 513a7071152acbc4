"""Train architectures on data that ships with the package: python examples/architecture.py NAME [EPOCHS]"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import yaml

from unrolled.workflow.config import Config
from unrolled.workflow.demo import shipped
from unrolled.workflow.train import train


def digits(part: str, holes: float) -> str:
    """Spoken zero, one and two, every second recording, with a share of all numbers removed."""
    with np.load(shipped(f"digits_{part}.npz")) as archive:
        lengths, chosen = np.diff(archive["starts"]), np.isin(archive["y"], ["0", "1", "2"])
        chosen[::2] = False
        values = archive["values"][np.repeat(chosen, lengths)].astype(np.float32)
        values[np.random.default_rng(0).random(values.shape) < holes] = np.nan
        np.savez(f"{part}.npz", values=values, starts=np.cumsum([0, *lengths[chosen]]), y=archive["y"][chosen])
    return f"{part}.npz"


catalogue = yaml.safe_load((Path(__file__).parent / "architectures.yaml").read_text(encoding="utf-8"))
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 10
os.chdir(mkdtemp())  # where runs are kept
for name in catalogue if sys.argv[1] == "all" else [sys.argv[1]]:
    entry = catalogue[name]
    data = {"path": digits("train", entry.get("holes", 0)), "test": digits("test", entry.get("holes", 0))}
    load = {"path": str(shipped("ETTh1.csv")), **entry.get("data", {})}
    base = {"data": load if "data" in entry else data, "task": {"name": "classify"}, "train": {"epochs": epochs}}
    for number, job in enumerate(entry.get("jobs", [])):  # a later one may start from the first
        done = train(Config.parse(base).over(job, where=name), folder=None if number else f"{name}-0")
        print(f"{name}: {done.run.evaluation.verdict.en}", flush=True)
