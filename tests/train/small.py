"""A small problem to train on, shared by the tests.

As a script: a run in a process of its own, ``small.py FOLDER SETTINGS``; ``small.py --serve`` forks such a run for
each line of arguments (JSON) it reads, so that torch is loaded once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from unrolled.data.batch import Batch
from unrolled.train import Fitting, Hook, TrainSettings, fit


class Net(nn.Module):
    """LSTM, dropout and a linear head: (B, T, 3) to (B, 1, 1, 1)."""

    def __init__(self, hidden: int = 6, dropout: float = 0.0) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(3, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, 1)
        self._cells = torch.zeros(())

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, static: Tensor | None = None, known: Tensor | None = None
    ) -> Tensor:
        steps, (_, self._cells) = self.recurrent(x)
        answer: Tensor = self.head(self.dropout(steps[:, -1]))
        return answer[:, None, :, None]

    def state_penalty(self) -> Tensor:
        return self._cells.square().mean()


class Memory:
    """Batches of tensors in memory, in an order that depends on the epoch's number alone."""

    def __init__(self, x: Tensor, y: Tensor, size: int, share: tuple[int, int] = (0, 1)) -> None:
        self.x, self.y, self._size, self._share = x, y, size, share

    def __len__(self) -> int:
        return -(-len(self.x) // self._size)

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        order = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(number))
        rank, world = self._share
        for at in range(start, len(self)):
            chosen = order[at * self._size : (at + 1) * self._size][rank::world]
            yield Batch(x=self.x[chosen], y=self.y[chosen])


def squared_error(output: Tensor, batch: Batch) -> Tensor:
    return nn.functional.mse_loss(output[:, 0, :, 0], batch.y)


def data(samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise (N, 7, 3) and the mean of its last steps (N, 1)."""
    x = torch.randn(samples, 7, 3, generator=torch.Generator().manual_seed(seed))
    return x, x[:, -3:].mean(dim=(1, 2))[:, None]


def net(seed: int = 0, dropout: float = 0.0) -> Net:
    torch.manual_seed(seed)
    return Net(dropout=dropout)


def digest(module: nn.Module) -> str:
    """A fingerprint of every bit of the weights."""
    raw = b"".join(value.detach().contiguous().numpy().tobytes() for value in module.state_dict().values())
    return hashlib.sha256(raw).hexdigest()


class _Watcher(Hook):
    """Says when training has begun, and ends it after some epochs if asked to."""

    def __init__(self, stop_after: int | None) -> None:
        self._stop_after = stop_after

    def on_start(self, fitting: Fitting) -> None:
        print("started", flush=True)

    def on_epoch(self, fitting: Fitting) -> None:
        if fitting.epoch == self._stop_after:
            fitting.stop = "enough"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("settings")
    parser.add_argument("--share", action="store_true", help="divide each batch among the processes of torchrun")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--stop-after", type=int, help="epochs after which a hook ends the run, to be resumed anew")
    asked = parser.parse_args(arguments)
    if asked.stop_after is not None:
        _run(asked, asked.stop_after)
    _run(asked, None)


def _run(asked: argparse.Namespace, stop_after: int | None) -> None:
    settings = TrainSettings.model_validate_json(asked.settings)
    share = (int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])) if asked.share else (0, 1)
    module = net(dropout=asked.dropout)
    result = fit(
        module,
        Memory(*data(61, 1), settings.batch_size, share),
        squared_error,
        settings,
        valid=Memory(*data(20, 2), 20),
        folder=asked.folder,
        hooks=[_Watcher(stop_after)],
        resume=True,
    )
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in result.rows]
    answer = {"weights": digest(module), "rows": rows, "stopped": result.stopped, "best": result.best}
    name = f"answer-{share[0]}.json" if stop_after is None else f"stopped-{share[0]}.json"
    (asked.folder / name).write_text(json.dumps(answer))


def serve() -> None:
    """Print the id of each run's process, what it prints itself, and ``ended STATUS``."""
    for line in iter(sys.stdin.readline, ""):
        process = os.fork()
        if process == 0:
            main(json.loads(line))
            return
        print(process, flush=True)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main(sys.argv[1:])
