"""What the made-up long-range problems share: a loop over fresh batches, its curve, and how a results file keeps it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

RESULTS = Path(__file__).parent / "results"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
EVERY = 100
"""Batches between two looks at the held-out loss."""
Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
"""So many fresh sequences ``(B, T, D)`` and their answers."""
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Trial:
    """A net, its learning rate and at most how many batches."""

    spec: list[Any]
    rate: float
    steps: int


@dataclass(frozen=True)
class Curve:
    """``losses`` on held-out sequences after 0, ``EVERY``, ... batches; ``final`` on sequences that decided nothing."""

    losses: list[float]
    final: float
    seconds: float

    @property
    def batches(self) -> int:
        return EVERY * (len(self.losses) - 1)

    def below(self, goal: float) -> int | None:
        """After how many batches the loss was first below the goal."""
        return next((EVERY * at for at, loss in enumerate(self.losses) if loss < goal), None)

    @property
    def course(self) -> str:
        """All losses, at the end of a line of results."""
        return "| " + " ".join(f"{loss:.2g}" for loss in self.losses)


RUN = r"(.+?) +(\d+) .*\|"
"""A line of these results: the net, the seed, figures, and the course after a bar."""


def figures(lines: Iterable[str], place: int) -> dict[str, list[float]]:
    """Of every net the figure of its runs that stands in this place after the seed."""
    found: dict[str, list[float]] = {}
    for line in lines:
        if run := re.match(RUN, line):
            found.setdefault(run[1], []).append(float(line[run.end(2) :].split()[place]))
    return found


def courses(lines: Iterable[str]) -> dict[str, list[list[float]]]:
    """Of every net the losses of its runs, from lines of results that have them."""
    found: dict[str, list[list[float]]] = {}
    for line in lines:
        if (run := re.match(RUN, line)) and (losses := line[run.end() :].split()):
            found.setdefault(run[1], []).append([float(loss) for loss in losses])
    return found


def learn(
    net: nn.Module,
    draw: Draw,
    loss: Loss,
    *,
    seed: int,
    steps: int,
    batch: int = 50,
    rate: float = 0.01,
    enough: float = 0.0,
    lessons: Callable[[float], Draw] | None = None,
) -> Curve:
    """Adam on fresh batches, gradients clipped at 1; ends early once the held-out loss is twice below ``enough``.

    ``lessons`` gives what is drawn in training at a share of it, 0 to 1, where that is not what the net is judged on.
    """
    began, random = time.process_time(), torch.Generator().manual_seed(seed)
    held_out, unseen = (draw(500, torch.Generator().manual_seed(1000 + k)) for k in (seed, seed + 1000))
    optimizer = torch.optim.Adam(net.parameters(), rate)
    losses = [judge(net, loss, *held_out)]
    for step in range(1, steps + 1):
        x, y = (draw if lessons is None else lessons(step / steps))(batch, random)
        optimizer.zero_grad()
        torch.autograd.backward(loss(net(x), y))
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if step % EVERY == 0:
            losses.append(judge(net, loss, *held_out))
            if max(losses[-2:]) < enough:
                break
    return Curve(losses, judge(net, loss, *unseen), time.process_time() - began)


@torch.no_grad()
def judge(net: nn.Module, loss: Loss, x: Tensor, y: Tensor) -> float:
    """The loss outside training."""
    net.eval()
    found = loss(net(x), y).item()
    net.train()
    return found


def surroundings() -> str:
    """Machine, versions and commit."""
    here = Path(__file__).parent
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    cpu = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in cpu if line.startswith("model name")), platform.machine())
    return (
        f"{date.today()}, commit {git.stdout.strip() or 'none'}, {model}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} thread used, python {platform.python_version()}, torch {torch.__version__}"
    )
