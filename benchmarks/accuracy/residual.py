"""Five LSTM layers with and without a way around each: ECG5000 and OSULeaf, accuracy and gradient norm per layer.

Both nets read the series in patches (4 and 7 steps to 32 numbers), so that runs are short; then five layers of 32
units, plain, or each in a ``residual`` with a layer norm before it, and a layer norm above all. Everything else is the
task's default, which knows nothing of these nets. The gradient is that of the mean loss over 64 training sequences,
its norm over all weights of a layer: before training, and after it.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.residual
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.accuracy.curves import RESULTS, SHARED, surroundings
from unrolled.core.files import write_text
from unrolled.data import whole
from unrolled.nets import Net
from unrolled.nets.recurrent import Recurrent
from unrolled.prepare.build import build
from unrolled.prepare.read import read
from unrolled.program.shapes import Inputs, Outputs
from unrolled.workflow.config import Config
from unrolled.workflow.train import Trained, train

LAYERS, SIZE, SEEDS = 5, 32, (0, 1, 2)
DATA = SHARED / "ucr_uea"
SETS = {
    "ECG5000": ("ECG5000_TRAIN.tsv", "ECG5000_TEST.tsv.gz", 4),
    "OSULeaf": ("OSULeaf_TRAIN.ts", "OSULeaf_TEST.ts", 7),
}
_LAYER: dict[str, Any] = {"lstm": {"size": SIZE}}
NETS: dict[str, list[Any]] = {
    "plain": [_LAYER] * LAYERS,
    "residual": [{"residual": {"layers": [_LAYER], "repeat": LAYERS}}, "layer_norm"],
}


def run(folder: Path, name: str, net: str, seed: int) -> tuple[float, list[float], list[float]]:
    """Accuracy on the test part, and the gradient norm of each recurrent layer before and after training."""
    begin, end, length = SETS[name]
    paths = {"path": str(folder / name / begin), "test": str(folder / name / end)}
    spec = [{"patch": {"length": length, "size": SIZE}}, *NETS[net], "linear"]
    done = train(Config.parse({"data": paths, "task": {"name": "classify"}, "net": spec, "seed": seed}))
    given, truth = _some(done, folder / name / begin)
    manifest = done.bundle.manifest
    torch.manual_seed(seed)
    fresh = Net(spec, Inputs(**manifest.inputs), Outputs(**manifest.outputs))
    before = gradients(fresh, given, truth)
    fresh.load_state_dict({key: torch.from_numpy(value) for key, value in done.bundle.weights.items()})
    return done.run.evaluation.model["accuracy"].value, before, gradients(fresh, given, truth)


def gradients(net: Net, given: dict[str, Tensor], truth: Tensor) -> list[float]:
    """Norm of the gradient of each recurrent layer, the lowest first."""
    net.zero_grad()
    torch.autograd.backward(cross_entropy(net(**given)[:, 0, 0], truth))
    layers = [part for part in net.modules() if isinstance(part, Recurrent)]
    return [
        torch.cat([weight.grad.flatten() for weight in layer.parameters() if weight.grad is not None]).norm().item()
        for layer in layers
    ]


def _some(done: Trained, path: Path, count: int = 64) -> tuple[dict[str, Tensor], Tensor]:
    """Inputs and classes of sequences of the training part, evenly chosen."""
    series = build(read(path), done.model.predictor.settings.reading)
    samples = done.model.task.samples(series, whole(series), window=done.model.window)
    arrays = done.model.preprocessor.arrays(series, samples)
    assert arrays.y is not None
    chosen = torch.linspace(0, len(arrays.y) - 1, count).long()
    given = {key: torch.from_numpy(value)[chosen] for key, value in arrays.inputs().items() if value is not None}
    return given, torch.from_numpy(arrays.y)[chosen, 0].long()


def main() -> None:
    """Both nets on both sets with every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    head = f"{'set':9}{'net':10}{'seed':>4}{'accuracy':>10}{'seconds':>9}"
    lines = [
        f"{LAYERS} LSTM layers of {SIZE} units: accuracy of the test, gradient norm of layers 1 (lowest) to {LAYERS}",
        "",
        f"{head}   {'before training':40}after training",
    ]
    print("\n".join(lines), flush=True)
    for name in SETS:
        for net in NETS:
            found = []
            for seed in SEEDS:
                began = time.process_time()
                accuracy, before, after = run(asked.data, name, net, seed)
                found.append(accuracy)
                norms = "   ".join(f"{' '.join(f'{norm:.1e}' for norm in norms):37}" for norms in (before, after))
                row = f"{name:9}{net:10}{seed:4}{accuracy:10.4f}{time.process_time() - began:9.0f}"
                lines.append(f"{row}   {norms}".rstrip())
                print(lines[-1], flush=True)
            mean, spread = statistics.mean(found), statistics.stdev(found)
            lines.append(f"{name:9}{net:10} all{mean:10.4f}  spread {spread:.4f}")
    write_text(RESULTS / "residual.txt", "\n".join([*lines, "", surroundings()]) + "\n")


if __name__ == "__main__":
    main()
