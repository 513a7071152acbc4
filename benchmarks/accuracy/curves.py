"""What the made-up long-range problems share: a loop over fresh batches, its curve, and a picture of all curves."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn

RESULTS = Path(__file__).parent / "results"
Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
"""So many fresh sequences ``(B, T, D)`` and their answers."""
Loss = Callable[[Tensor, Tensor], Tensor]

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
_SIZE, _MARGIN = (640, 360), (60, 20, 150, 40)


@dataclass(frozen=True)
class Curve:
    """``losses`` on held-out sequences after ``batches``; ``final`` on sequences that decided nothing."""

    batches: list[int]
    losses: list[float]
    final: float
    seconds: float

    def below(self, goal: float) -> int | None:
        """After how many batches the loss was first below the goal."""
        return next((at for at, loss in zip(self.batches, self.losses, strict=True) if loss < goal), None)


def learn(
    net: nn.Module,
    draw: Draw,
    loss: Loss,
    *,
    seed: int,
    steps: int,
    batch: int = 50,
    rate: float = 0.01,
    every: int = 100,
    enough: float = 0.0,
) -> Curve:
    """Adam on fresh batches, gradients clipped at 1; ends early once the held-out loss is twice below ``enough``."""
    began, random = time.process_time(), torch.Generator().manual_seed(seed)
    held_out, unseen = (draw(500, torch.Generator().manual_seed(1000 + k)) for k in (seed, seed + 1000))
    optimizer = torch.optim.Adam(net.parameters(), rate)
    batches, losses = [0], [judge(net, loss, *held_out)]
    for step in range(1, steps + 1):
        x, y = draw(batch, random)
        optimizer.zero_grad()
        torch.autograd.backward(loss(net(x), y))
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if step % every == 0:
            batches.append(step)
            losses.append(judge(net, loss, *held_out))
            if max(losses[-2:]) < enough:
                break
    return Curve(batches, losses, judge(net, loss, *unseen), time.process_time() - began)


@torch.no_grad()
def judge(net: nn.Module, loss: Loss, x: Tensor, y: Tensor) -> float:
    """The loss outside training."""
    net.eval()
    found = loss(net(x), y).item()
    net.train()
    return found


def picture(title: str, curves: Mapping[str, Sequence[Curve]], level: tuple[str, float]) -> str:
    """SVG of losses (logarithmic) against batches; a colour a net, a line a seed, dashed where one knows nothing."""
    left, top, right, bottom = _MARGIN
    width, height = _SIZE[0] - left - right, _SIZE[1] - top - bottom
    every = [curve for several in curves.values() for curve in several]
    longest = max(curve.batches[-1] for curve in every)
    high = math.ceil(math.log10(max(level[1], *(max(curve.losses) for curve in every))) * 2) / 2
    low = math.floor(math.log10(max(1e-6, min(min(curve.losses) for curve in every))))

    def at(batch: float, loss: float) -> str:
        share = (high - math.log10(max(loss, 10**low))) / (high - low)
        return f"{left + width * batch / longest:.1f},{top + height * share:.1f}"

    def text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#333333") -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'

    parts = [text(left, 14, title)]
    for power in range(low, math.floor(high) + 1):
        x, y = map(float, at(0, 10.0**power).split(","))
        parts += [f'<path d="M{x},{y} h{width}" stroke="#dddddd"/>', text(left - 6, y + 4, f"1e{power}", "end")]
    parts += [text(left + width * k / 4, top + height + 18, f"{longest * k // 4}", "middle") for k in range(5)]
    parts.append(text(left + width / 2, top + height + 34, "batches", "middle"))
    parts.append(
        f'<polyline points="{at(0, level[1])} {at(longest, level[1])}" {_line("#888888")} stroke-dasharray="5"/>'
    )
    parts.append(text(left + width + 8, float(at(0, level[1]).split(",")[1]) + 4, level[0], colour="#888888"))
    for place, (name, several) in enumerate(curves.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        parts.append(text(left + width + 8, top + height - 16 * (len(curves) - 1 - place), name, colour=colour))
        for curve in several:
            points = " ".join(at(*point) for point in zip(curve.batches, curve.losses, strict=True))
            parts.append(f'<polyline points="{points}" {_line(colour)}/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE[0]} {_SIZE[1]}" width="{_SIZE[0]}"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="11">', paper, *parts, "</svg>\n"])


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


def _line(colour: str) -> str:
    return f'fill="none" stroke="{colour}" stroke-width="1.5"'
