"""ENAS, random wirings and a grid of the usual cells at equal wall time, five seeds, two sets; and a planted cell.

On JapaneseVowels and ECG5000 (in patches of 4 steps) each method has the same seconds on the same parts: ENAS trains a
super-net and then its proposals, random search trains what it draws, the grid goes through RNN, GRU and LSTM of 16, 32
and 64 units in a drawn order. The validation part chooses; the accuracy is that of the chosen model on the test part.

The planted cell: sequences of 40 numbers whose sum is the answer. A node without a squashing function can add them up;
the search is over two nodes and two widths. Told is the wiring that was found, its error, and that of the planted one.

    OMP_NUM_THREADS=1 python -m benchmarks.advice.enas [--seconds 60]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.curves import surroundings
from unrolled.core.files import write_text
from unrolled.core.search import SearchRecord, Tried
from unrolled.search.wiring import Wiring
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import evaluate_bundle
from unrolled.workflow.search import search
from unrolled.workflow.searched_layer import replaced
from unrolled.workflow.trial import run_trial

RESULTS = Path(__file__).parent / "results"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ucr_uea"
SEEDS = (0, 1, 2, 3, 4)
SETS = {
    "JapaneseVowels": ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts", []),
    "ECG5000": ("ECG5000_TRAIN.tsv", "ECG5000_TEST.tsv.gz", [{"patch": {"length": 4, "size": 32}}]),
}
_SIZES: dict[str, Any] = {"size": {"choice": [16, 32, 64]}}
_CELL: dict[str, Any] = {"enas": {**_SIZES, "nodes": 4}}
_USUAL: dict[str, Any] = {"choice": [{name: _SIZES} for name in ("rnn", "gru", "lstm")]}
_EPOCHS = 30


def contest(data: Path, name: str, seed: int, seconds: float) -> dict[str, tuple[float, float, int]]:
    """Validation figure, accuracy on the test, and trials of each method."""
    begin, end, before = SETS[name]
    plan: dict[str, Any] = {
        "data": {"path": str(data / name / begin), "split": {"test": 0}},
        "task": {"name": "classify"},
        "train": {"epochs": _EPOCHS},
        "seed": seed,
    }
    budget = {"seconds": seconds, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        found = search(
            {**plan, "net": [*before, _CELL, "linear"], "search": {**budget, "method": "enas"}}, folder=f"{folder}/e"
        ).record
        grid = search(
            {**plan, "net": [*before, _USUAL, "linear"], "search": {**budget, "method": "grid"}}, folder=f"{folder}/g"
        ).record
        tried = {
            "enas": [one for one in found.tried if one.values["found by"] == "enas"],
            "random": [one for one in found.tried if one.values["found by"] == "random"],
            "grid": list(grid.tried),
        }
        return {method: _judged(trials, data / name / end) for method, trials in tried.items()}


def _judged(tried: list[Tried], test: Path) -> tuple[float, float, int]:
    best = _best(tried)
    if best is None or best.trial.metric is None:
        return float("nan"), float("nan"), len(tried)
    evaluation = evaluate_bundle(Path(best.trial.folder) / "model.unrolled", test)
    return best.trial.metric.value, evaluation.model["accuracy"].value, len(tried)


def _best(tried: list[Tried]) -> Tried | None:
    measured = [one for one in tried if one.trial.cost is not None]
    whole = [one for one in measured if one.trial.whole]
    return min(whole or measured, key=lambda one: one.trial.cost or 0.0, default=None)


def planted(seed: int, seconds: float) -> list[str]:
    """What each method found where a wiring without squashing is the good one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sums.csv"
        _sums(path, seed)
        plan: dict[str, Any] = {
            "data": {"path": str(path), "target": "sum"},
            "task": {"name": "regress"},
            "net": [{"enas": {"size": {"choice": [4, 16]}, "nodes": 2}}, {"pool": {"kind": "last"}}, "linear"],
            "train": {"epochs": _EPOCHS, "learning_rate": 0.01},
            "seed": seed,
            "search": {"method": "enas", "seconds": seconds, "seed": seed},
        }
        record = search(plan, folder=f"{folder}/s").record
        return [*_found(record, seed), _good(plan, Path(folder), seed)]


def _found(record: SearchRecord, seed: int) -> list[str]:
    lines = []
    for by in ("enas", "random"):
        tried = [one for one in record.tried if one.values["found by"] == by]
        best = _best(tried)
        if best is not None and best.trial.metric is not None:
            told = f"{best.values['cell']}, {best.values['size']} units"
            lines.append(f"{seed:4}  {by:8}{best.trial.metric.value:9.4f}{len(tried):7}   {told}")
    return lines


def _good(plan: dict[str, Any], folder: Path, seed: int) -> str:
    """The planted wiring, trained from scratch as the others were."""

    wiring = Wiring(("identity", "identity"), (1,), 16)
    path = folder / "good.py"
    write_text(path, wiring.source())
    given = {key: value for key, value in plan.items() if key != "search"}
    given |= {"net": replaced(plan["net"], {wiring.name: {"size": wiring.width}}), "cells": str(path)}
    trial = run_trial(Config.parse(given), folder / "good")
    assert trial.metric is not None
    return f"{seed:4}  planted {trial.metric.value:9.4f}{'':7}   {wiring}, {wiring.width} units"


def _sums(path: Path, seed: int, count: int = 800, steps: int = 40) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, steps))
    rows = [f"s{s},{t},{x[s, t]:.5f},{x[s].sum():.5f}" for s in range(count) for t in range(steps)]
    write_text(path, "\n".join(["id,t,a,sum", *rows]) + "\n")


def main() -> None:
    """The contest on both sets with every seed, then the planted cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    asked = parser.parse_args()
    lines = [
        f"Accuracy on the test part of what each method chose in {asked.seconds:.0f} s of wall time; "
        "in brackets on the validation part, and trials",
        "",
        f"{'set':16}{'seed':>4}  {'ENAS':24}{'random wirings':24}{'grid of usual cells':24}",
    ]
    print("\n".join(lines), flush=True)
    for name in SETS:
        rows = [contest(asked.data, name, seed, asked.seconds) for seed in SEEDS[: asked.seeds]]
        for seed, row in zip(SEEDS, rows, strict=False):
            cells = "".join(f"{test:.4f} ({valid:.4f}, {count})".ljust(24) for valid, test, count in row.values())
            lines.append(f"{name:16}{seed:4}  {cells}".rstrip())
        means = "".join(f"{statistics.mean(row[by][1] for row in rows):.4f}".ljust(24) for by in rows[0])
        lines.append(f"{name:16} all  {means}".rstrip())
        print("\n".join(lines[-len(rows) - 1 :]), flush=True)
    lines += ["", "Planted: RMSE on the validation part of sums of 40 numbers (deviation 6.3), trials, wiring", ""]
    for seed in SEEDS[: asked.seeds]:
        found = planted(seed, asked.seconds)
        lines += found
        print("\n".join(found), flush=True)
    write_text(RESULTS / "enas.txt", "\n".join([*lines, "", surroundings()]) + "\n")


if __name__ == "__main__":
    main()
