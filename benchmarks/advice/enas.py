"""ENAS, random wirings and a grid of the usual cells with equal time, five seeds, two sets; and a planted cell.

On JapaneseVowels and ECG5000 (in patches of 4 steps) each method has the same seconds on the same parts: ENAS trains a
super-net and then its proposals, random search trains what it draws, the grid goes through RNN, GRU and LSTM of 16, 32
and 64 units in a drawn order. The validation part chooses; the accuracy is that of the chosen model on the test part.
The seconds are those of the processor, for all three alike, so that what else the machine does changes nothing.

Wirings that either method tries are trained by successive halving.

The planted cell: sequences of 20 numbers whose sum is the answer, and four epochs to learn it. A cell whose nodes are
all the identity learns that soonest: among the 32 wirings of two nodes and widths 4 and 16 it is the best (seeds 5 and
6, all of them trained; the next one has 1.5 times its error). Here the space has three nodes and widths from 2 to 16:
512 wirings. The cell is recovered where what was found and trained from scratch has at most 1.25 times its error on 400
fresh sequences. How many of the wirings that chance began do as well is told too.

What is measured is kept by part and seed as it comes; the table is made of all that is kept.

    OMP_NUM_THREADS=1 python -m benchmarks.advice.enas [PART ...] [--seconds 25]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.accuracy.curves import surroundings
from benchmarks.advice.page import RESULTS
from benchmarks.advice.sets import DATA
from unrolled.core.files import write_text
from unrolled.core.search import SearchRecord, Tried, best_of
from unrolled.core.trial import Trial
from unrolled.search.wiring import Wiring
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import evaluate_bundle
from unrolled.workflow.search import search
from unrolled.workflow.searched_layer import replaced
from unrolled.workflow.trial import run_trial

SEEDS = (0, 1, 2, 3, 4)
SETS = {
    "JapaneseVowels": ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts", []),
    "ECG5000": ("ECG5000_TRAIN.tsv", "ECG5000_TEST.tsv.gz", [{"patch": {"length": 4, "size": 32}}]),
}
PLANTED = "planted"
METHODS = ("enas", "random", "grid")
_SIZES: dict[str, Any] = {"size": {"choice": [16, 32, 64]}}
_CELL: dict[str, Any] = {"enas": {**_SIZES, "nodes": 4}}
_USUAL: dict[str, Any] = {"choice": [{name: _SIZES} for name in ("rnn", "gru", "lstm")]}
_EPOCHS = 30
_STEPS, _SEQUENCES, _FRESH = 20, 800, 400  # of the planted experiment
_MARGIN = 1.25  # of the planted cell's error: what does not exceed it has recovered the cell
_PLANTED = tuple(Wiring(("identity",) * 3, reads, 16) for reads in ((1, 1), (1, 2)))


def contest(name: str, seed: int, seconds: float) -> dict[str, Any]:
    """What each method chose on one set, and how good it is there and on the test part."""
    begin, end, before = SETS[name]
    plan: dict[str, Any] = {
        "data": {"path": str(DATA / "ucr_uea" / name / begin), "split": {"test": 0}},
        "task": {"name": "classify"},
        "train": {"epochs": _EPOCHS},
        "seed": seed,
    }
    budget = {"seconds": seconds, "seed": seed}
    with tempfile.TemporaryDirectory() as folder, processor_time():
        found = search(
            {**plan, "net": [*before, _CELL, "linear"], "search": {**budget, "method": "enas"}}, folder=f"{folder}/e"
        ).record
        grid = search(
            {**plan, "net": [*before, _USUAL, "linear"], "search": {**budget, "method": "grid"}}, folder=f"{folder}/g"
        ).record
        tried = {by: [one for one in found.tried if one.values["found by"] == by] for by in ("enas", "random")}
        return {
            method: _judged(trials, DATA / "ucr_uea" / name / end)
            for method, trials in {**tried, "grid": list(grid.tried)}.items()
        }


@contextmanager
def processor_time() -> Iterator[None]:
    """Every clock of this process shows the time that the processor gave it."""
    began = time.time()
    with (
        mock.patch("time.time", lambda: began + time.process_time()),
        mock.patch("time.monotonic", time.process_time),
        mock.patch("time.perf_counter", time.process_time),
    ):
        yield


def _judged(tried: list[Tried], test: Path) -> dict[str, Any]:
    best = best_of(tried)
    if best is None or best.trial.metric is None:
        return {"valid": float("nan"), "test": float("nan"), "trials": len(tried), "chosen": ""}
    evaluation = evaluate_bundle(Path(best.trial.folder) / "model.unrolled", test)
    return {
        "valid": best.trial.metric.value,
        "test": evaluation.model["accuracy"].value,
        "trials": len(tried),
        "chosen": {key: value for key, value in best.values.items() if key not in ("found by", "file")},
        "all": [None if one.trial.metric is None or not one.trial.whole else one.trial.metric.value for one in tried],
    }


def planted(seed: int, seconds: float) -> dict[str, Any]:
    """What each method found where a linear cell is the good one, and whether it is as good on fresh sequences."""
    with tempfile.TemporaryDirectory() as folder, processor_time():
        path, fresh = Path(folder) / "sums.csv", Path(folder) / "fresh.csv"
        _sums(path, seed, _SEQUENCES)
        _sums(fresh, seed + 10_000, _FRESH)
        plan: dict[str, Any] = {
            "data": {"path": str(path), "target": "sum", "split": {"test": 0, "valid": 0.2}},
            "task": {"name": "regress"},
            "net": [{"enas": {"size": {"choice": [2, 4, 8, 16]}, "nodes": 3}}, {"pool": {"kind": "last"}}, "linear"],
            "train": {"epochs": 4, "learning_rate": 0.01, "schedule": "cosine", "patience": None},
            "seed": seed,
            "search": {"method": "enas", "seconds": seconds, "seed": seed},
        }
        good = min((_good(wiring, plan, fresh) for wiring in _PLANTED), key=lambda one: one["valid"])
        record = search(plan, folder=f"{folder}/s").record
        limit = _MARGIN * good["fresh"]
        found = {by: _found(record, by, fresh, limit) for by in ("enas", "random")}
    return {**found, "planted": good}


def _found(record: SearchRecord, by: str, fresh: Path, limit: float) -> dict[str, Any]:
    tried = [one for one in record.tried if one.values["found by"] == by]
    best = best_of(tried)
    assert best is not None and best.trial.metric is not None
    error = _error(best.trial, fresh)
    return {
        "valid": best.trial.metric.value,
        "fresh": error,
        "recovered": error <= limit,
        "trials": len(tried),
        "whole": [_error(one.trial, fresh) for one in tried if one.trial.whole],
        "chosen": f"{best.values['cell']}, {best.values['size']} units",
    }


def _good(wiring: Wiring, plan: dict[str, Any], fresh: Path) -> dict[str, Any]:
    """A planted wiring, trained from scratch as the others were."""
    folder = fresh.parent
    path = folder / f"{wiring.name}.py"
    write_text(path, wiring.source())
    given = {key: value for key, value in plan.items() if key != "search"}
    given |= {"net": replaced(plan["net"], {wiring.name: {"size": wiring.width}}), "cells": str(path)}
    trial = run_trial(Config.parse(given), folder / wiring.name)
    assert trial.metric is not None
    told = f"{wiring}, {wiring.width} units"
    return {"valid": trial.metric.value, "fresh": _error(trial, fresh), "trials": 1, "chosen": told}


def _error(trial: Trial, fresh: Path) -> float:
    return evaluate_bundle(Path(trial.folder) / "model.unrolled", fresh).model["rmse"].value


def _sums(path: Path, seed: int, count: int) -> None:
    x = np.random.default_rng(seed).normal(size=(count, _STEPS))
    rows = [f"s{s},{t},{x[s, t]:.5f},{x[s].sum():.5f}" for s in range(count) for t in range(_STEPS)]
    write_text(path, "\n".join(["id,t,a,sum", *rows]) + "\n")


def keep(part: str, seed: int, seconds: float, figures: Mapping[str, Any]) -> None:
    """Put one seed's figures beside the others of its part."""
    kept = _kept(part)
    kept[str(seed)] = {"seconds": seconds, "figures": figures, "on": surroundings()}
    write_text(_path(part), json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")


def _kept(part: str) -> dict[str, Any]:
    return json.loads(_path(part).read_text("utf-8")) if _path(part).exists() else {}


def _path(part: str) -> Path:
    return RESULTS / f"enas_{part}.json"


def summary() -> list[str]:
    """All that is kept, as a table."""
    kept = {part: _kept(part) for part in (*SETS, PLANTED)}
    rows = [row for record in kept.values() for row in record.values()]
    lines = [
        f"Accuracy on the test part of what each method chose in {_seconds(*(kept[name] for name in SETS))} s of",
        "processor time; in brackets on the validation part, and trials",
        "",
        f"{'set':16}{'seed':>4}  {'ENAS':24}{'random wirings':24}{'grid of usual cells':24}".rstrip(),
    ]
    for name in SETS:
        found = {seed: row["figures"] for seed, row in kept[name].items()}
        for seed, row in found.items():
            cells = (f"{one['test']:.4f} ({one['valid']:.4f}, {one['trials']})".ljust(24) for one in row.values())
            lines.append(f"{name:16}{seed:>4}  {''.join(cells)}".rstrip())
        if found:
            lines.append(f"{name:16} all  {_means(list(found.values()))}".rstrip())
    return [*lines, "", *_planted_lines(kept[PLANTED]), "", *dict.fromkeys(row["on"] for row in rows)]


def _planted_lines(kept: dict[str, Any]) -> list[str]:
    lines = [
        f"Planted, {_seconds(kept)} s: RMSE of sums of 20 numbers (deviation 4.5) on the validation part and on fresh",
        "sequences, wirings begun, wiring found",
        f"recovered: at most {_MARGIN} times the planted cell's error on fresh sequences",
        "",
    ]
    for seed, row in kept.items():
        for by, one in row["figures"].items():
            word = "recovered" if one.get("recovered") else ""
            figures = f"{one['valid']:9.4f}{one['fresh']:9.4f}{one['trials']:6}"
            lines.append(f"{seed:>4}  {by:8}{figures}  {word:10} {one['chosen']}")
    rows = [row["figures"] for row in kept.values()]
    for by in ("enas", "random"):
        recovered, begun = (sum(row[by][key] for row in rows) for key in ("recovered", "trials"))
        good = sum(error <= _MARGIN * row["planted"]["fresh"] for row in rows for error in row[by]["whole"])
        lines.append(
            f" all  {by:8}in {recovered} of {len(rows)} seeds; of {begun} wirings begun {good} came to do as well"
        )
    return lines


def _seconds(*records: dict[str, Any]) -> str:
    """That were given to each seed."""
    return ", ".join(f"{value:g}" for value in sorted({row["seconds"] for kept in records for row in kept.values()}))


def _means(rows: list[dict[str, Any]]) -> str:
    """Of test and validation part, for each method."""
    told = []
    for by in METHODS:
        test, valid = (statistics.mean(row[by][part] for row in rows) for part in ("test", "valid"))
        told.append(f"{test:.4f} ({valid:.4f})".ljust(24))
    return "".join(told)


def main() -> None:
    """The contest on both sets with every seed, then the planted cell; or the parts that are named."""
    parts = (*SETS, PLANTED)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}")
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--seed", type=int, action="append", help=f"{SEEDS} when not given")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for part in asked.parts or parts:
        for seed in asked.seed or SEEDS:
            figures = planted(seed, asked.seconds) if part == PLANTED else contest(part, seed, asked.seconds)
            keep(part, seed, asked.seconds, figures)
            write_text(RESULTS / "enas.txt", "\n".join(summary()) + "\n")
            print(part, seed, {by: one["valid"] for by, one in figures.items()}, flush=True)
    print("\n".join(summary()))


if __name__ == "__main__":
    main()
