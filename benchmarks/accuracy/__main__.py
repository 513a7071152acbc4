"""Accuracy of the default settings on real data, three seeds: ``python -m benchmarks.accuracy [CASE ...]``.

Results go to ``benchmarks/accuracy/results/<case>.txt``: figures, machine, versions, commit, seeds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.cases import CASES, Case, last_rmse, opened
from benchmarks.accuracy.curves import RESULTS, SHARED, surroundings
from unrolled.core.files import write_text
from unrolled.data import whole
from unrolled.prepare.build import build
from unrolled.prepare.read import read
from unrolled.prepare.series import Series
from unrolled.workflow.config import Config
from unrolled.workflow.train import Trained, train


def main() -> None:
    """Run the cases named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="all when none is named")
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the data sets")
    parser.add_argument("--set", dest="changes", action="append", default=[], help="key=value, to try other settings")
    asked = parser.parse_args()
    for name in asked.cases or CASES:
        if name not in CASES:
            parser.error(f"there is no case {name!r}; there are {', '.join(CASES)}")
        text = report(name, CASES[name], asked.data, asked.changes)
        print(text, flush=True)
        if not asked.changes:
            write_text(RESULTS / f"{name}.txt", text)


def report(name: str, case: Case, folder: Path, changes: list[str]) -> str:
    """Train with every seed and tabulate."""
    rows = []
    for seed in case.seeds:
        rows.append(run(case, seed, folder, changes))
        print(f"{name}, seed {seed}: {rows[-1][1]}", rows[-1][0], flush=True)
    lines = [f"{name}: default settings, seeds {', '.join(map(str, case.seeds))}", f"published: {case.note}", ""]
    for figure, (goal, sense) in case.goals.items():
        values = np.array([row[0][figure] for row in rows])
        met = {"at least": values.mean() >= goal, "at most": values.mean() <= goal}.get(sense)
        verdict = "" if met is None else f"  goal {sense} {goal:g}: {'reached' if met else 'NOT reached'}"
        each = ", ".join(f"{value:.4f}" for value in values)
        lines.append(f"{figure:20} mean {values.mean():.4f}  spread {values.std(ddof=1):.4f}  ({each}){verdict}")
    lines += ["", *(f"seed {seed}: {row[1]}" for seed, row in zip(case.seeds, rows, strict=True)), "", surroundings()]
    return "\n".join(lines) + "\n"


def run(case: Case, seed: int, folder: Path, changes: list[str]) -> tuple[dict[str, float], str]:
    """Figures of one seed, and a line about the run."""
    began, worked = time.monotonic(), time.process_time()
    with opened(case, folder) as (plain, data):
        trained = train(Config.parse({**plain, "seed": seed}).changed(changes), data=data)
        found = {metric.name: metric.value for metric in trained.run.evaluation.model.metrics}
        found |= _extra(trained, plain)
    facts, net = trained.run.facts, trained.run.net
    line = (
        f"{time.monotonic() - began:.0f} s ({time.process_time() - worked:.0f} s of processor time), "
        f"{facts.epochs} epochs (best {facts.best_epoch}), {net.parameters:,} weights; "
        f"{trained.run.evaluation.verdict.en}"
    )
    return found, line


def _extra(trained: Trained, plain: dict[str, Any]) -> dict[str, float]:
    """Figures that are this benchmark's own: the last cycle of each engine, the gain over a baseline."""
    found: dict[str, float] = {}
    evaluation = trained.run.evaluation
    for scores in evaluation.baselines:
        if scores.name in ("logistic", "zscore"):
            found[f"gain_over_{scores.name}"] = (
                evaluation.model["average_precision"].value - scores["average_precision"].value
            )
    if trained.model.task.name == "regress":
        series = _test_series(trained, plain)
        samples = trained.model.task.samples(series, whole(series), window=trained.model.window, last=True)
        answer = trained.model.predictor.answer(series, samples).value[:, 0]
        truth = trained.model.truth(series, samples)[:, 0]
        found["last_rmse"] = last_rmse(truth, answer, None)
        found["last_rmse_capped"] = last_rmse(truth, answer, 125)
    return found


def _test_series(trained: Trained, plain: dict[str, Any]) -> Series:
    return build(read(plain["data"]["test"]), trained.model.predictor.settings.reading)


if __name__ == "__main__":
    main()
