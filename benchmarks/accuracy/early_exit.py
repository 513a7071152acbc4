"""Early exit beside fixed nets that are as deep as it is on average: JapaneseVowels, half of all numbers removed.

Each GRU layer has 48 units; a fixed net of 1, 2 or 3 of them is trained alike. The threshold of the exits is set so
that the average depth on the training part is 3, 2.1 or 1.5 layers (100, 70 and 50 %); depth and accuracy are those of
the test part.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.early_exit
"""

from __future__ import annotations

import argparse
import platform
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.accuracy.missing import DATA, write_removed
from unrolled.core.files import write_text
from unrolled.data import whole
from unrolled.nets import Net
from unrolled.prepare.build import build
from unrolled.prepare.read import read
from unrolled.program.shapes import Inputs, Outputs
from unrolled.workflow.config import Config
from unrolled.workflow.train import Trained, train

SEEDS, WISHED = (0, 1, 2), (3.0, 2.1, 1.5)
_LAYER: dict[str, Any] = {"gru": {"size": 48}}
_RESULT = Path(__file__).parent / "results" / "early_exit.txt"


def trained(folder: Path, net: list[Any], seed: int) -> Trained:
    """A net on these files."""
    paths = {"path": str(folder / "train.ts"), "test": str(folder / "test.ts"), "missing": "fill_forward"}
    return train(Config.parse({"data": paths, "task": {"name": "classify"}, "net": net, "seed": seed}))


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
        """The one with which the average depth comes nearest to what is wished."""
        return float(min(np.linspace(0, 1, 201), key=lambda at: abs(self.figures(float(at))[0] - wished)))


def main() -> None:
    """All depths and seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    asked = parser.parse_args()
    lines = ["JapaneseVowels, half of the numbers removed: accuracy against average depth", ""]
    for seed in SEEDS[: asked.seeds]:
        with TemporaryDirectory() as name:
            folder = Path(name)
            write_removed(asked.data, folder, 0.5, seed)
            for depth in (1, 2, 3):
                run = trained(folder, [_LAYER] * depth + [{"dropout": {"rate": 0.3}}, "linear"], seed)
                accuracy = Judged(run, folder / "test.ts").figures()[1]
                lines.append(f"seed {seed}  fixed       depth {depth:.2f}  accuracy {accuracy:.4f}")
            run = trained(folder, [{"early_exit": {"layers": [_LAYER] * 3, "dropout": 0.3}}], seed)
            seen, test = Judged(run, folder / "train.ts"), Judged(run, folder / "test.ts")
            for wished in WISHED:
                threshold = seen.threshold(wished)
                average, accuracy = test.figures(threshold)
                lines.append(
                    f"seed {seed}  early exit  depth {average:.2f}  accuracy {accuracy:.4f}  threshold {threshold:.3f}"
                )
        print("\n".join(lines[-6:]), flush=True)
    lines += ["", f"{date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"]
    if asked.seeds == len(SEEDS):
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
