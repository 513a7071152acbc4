"""Early exit beside fixed nets that are as deep as it is on average: where depth helps, and where it does not.

Spoken digits that ship with the package (600 recordings of six speakers to learn from, 300 for the test, 20 mel bands):
three convolutions of 32 channels, each deeper one a longer look. JapaneseVowels with half of all numbers removed: three
GRU layers of 48 units, of which one is enough. A fixed net of 1, 2 or 3 of the layers is trained alike. The threshold
of the exits is set so that the average depth on the training part is 3, 2.1 or 1.5 layers (100, 70 and 50 %); depth and
accuracy are those of the test part. A fixed net of 1.5 layers is the mean of those of 1 and 2.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.early_exit
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.accuracy.curves import RESULTS, surroundings
from benchmarks.accuracy.missing import DATA, write_removed
from unrolled.core.files import write_text
from unrolled.data import whole
from unrolled.nets import Net
from unrolled.prepare.build import build
from unrolled.prepare.read import read
from unrolled.program.shapes import Inputs, Outputs
from unrolled.workflow.config import Config
from unrolled.workflow.demo import shipped
from unrolled.workflow.train import Trained, train

SEEDS, WISHED = (0, 1, 2), (3.0, 2.1, 1.5)


@dataclass(frozen=True)
class Problem:
    """Files, one layer of the stack, how an exit pools, and settings."""

    train: Path
    test: Path
    layer: dict[str, Any]
    pool: str
    settings: dict[str, Any]

    def trained(self, net: list[Any], seed: int) -> Trained:
        """A net on these files."""
        paths = {"path": str(self.train), "test": str(self.test), "missing": "fill_forward"}
        plain = {"data": paths, "task": {"name": "classify"}, "net": net, "train": self.settings, "seed": seed}
        return train(Config.parse(plain))


def problems(data: Path, folder: Path, seed: int) -> dict[str, Problem]:
    """Both, with the files of this seed."""
    write_removed(data, folder, 0.5, seed)
    digits = [shipped(f"digits_{part}.npz") for part in ("train", "test")]
    convolution = {"conv": {"channels": 32, "kernel": 5}}
    return {
        "digits": Problem(digits[0], digits[1], convolution, "mean", {"epochs": 30, "batch_size": 16, "patience": 30}),
        "vowels": Problem(folder / "train.ts", folder / "test.ts", {"gru": {"size": 48}}, "last", {}),
    }


class Judged:
    """The net of a run, its inputs and its truth for one file."""

    def __init__(self, run: Trained, path: Path) -> None:
        manifest = run.bundle.manifest
        self.net = Net(manifest.net or [], Inputs(**manifest.inputs), Outputs(**manifest.outputs)).eval()
        self.net.load_state_dict({name: torch.from_numpy(value) for name, value in run.bundle.weights.items()})
        series = build(read(path), run.model.predictor.settings.reading)
        samples = run.model.task.samples(series, whole(series), window=run.model.window)
        arrays = run.model.preprocessor.arrays(series, samples)
        assert arrays.y is not None
        self.truth = torch.from_numpy(arrays.y)[:, 0]
        self.given = {k: torch.from_numpy(v) for k, v in arrays.inputs().items() if v is not None}

    @torch.no_grad()
    def figures(self, threshold: float | None = None) -> tuple[float, float]:
        """Average depth and accuracy."""
        if threshold is not None:
            vars(self.net.layers[-1])["threshold"] = threshold
        depth: Tensor | None = self.net.depth(**self.given)
        right = self.net(**self.given)[:, 0, 0].argmax(1) == self.truth
        return (0.0 if depth is None else depth.double().mean().item()), right.double().mean().item()

    def threshold(self, wished: float) -> float:
        """The one with which the average depth, which grows with it, comes nearest to what is wished."""
        low, high = 0.0, 1.0
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if self.figures(middle)[0] < wished else (low, middle)
        return min((low, high), key=lambda at: abs(self.figures(at)[0] - wished))


def compared(problem: Problem, seed: int) -> tuple[list[str], dict[float, float]]:
    """Lines to print, and by how much early exit is ahead at each depth that was wished."""
    lines, fixed = [], {}
    for depth in (1, 2, 3):
        spec = [problem.layer] * depth + [{"dropout": {"rate": 0.3}}, {"pool": {"kind": problem.pool}}, "linear"]
        fixed[depth] = Judged(problem.trained(spec, seed), problem.test).figures()[1]
        lines.append(f"seed {seed}  fixed       depth {depth:.2f}  accuracy {fixed[depth]:.4f}")
    exits = {"layers": [problem.layer] * 3, "dropout": 0.3, "pool": problem.pool}
    run = problem.trained([{"early_exit": exits}], seed)
    seen, test, ahead = Judged(run, problem.train), Judged(run, problem.test), {}
    for wished in WISHED:
        threshold = seen.threshold(wished)
        average, accuracy = test.figures(threshold)
        ahead[wished] = accuracy - {3.0: fixed[3], 2.1: fixed[2], 1.5: (fixed[1] + fixed[2]) / 2}[wished]
        lines.append(
            f"seed {seed}  early exit  depth {average:.2f}  accuracy {accuracy:.4f}  threshold {threshold:.3f}"
        )
    return lines, ahead


def main() -> None:
    """All depths and seeds, a file for each problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["digits", "vowels"])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    asked = parser.parse_args()
    for name in asked.names:
        lines, gains = [f"{name}: accuracy against average depth", ""], []
        for seed in SEEDS[: asked.seeds]:
            with TemporaryDirectory() as folder:
                found, ahead = compared(problems(asked.data, Path(folder), seed)[name], seed)
            gains.append(ahead)
            lines += found
            print("\n".join(found), flush=True)
        lines.append("")
        for wished in WISHED:
            each = [ahead[wished] for ahead in gains]
            verdict = "ahead of" if min(each) > 0 else "behind" if max(each) < 0 else "not reliably ahead of"
            lines.append(
                f"at {wished:.1f} layers on average {verdict} the fixed net of that depth: "
                f"{np.mean(each):+.4f} ({', '.join(f'{gain:+.4f}' for gain in each)})"
            )
        print("\n".join(lines[-len(WISHED) :]), flush=True)
        if asked.seeds == len(SEEDS):
            write_text(RESULTS / f"early_exit_{name}.txt", "\n".join([*lines, "", surroundings()]) + "\n")


if __name__ == "__main__":
    main()
