"""What simple methods are given to compete with."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.evaluate.part import Part
from unrolled.tasks.task import Task


@dataclass(frozen=True)
class Contest:
    """What a baseline may use.

    Attributes:
        task: what is predicted.
        part: what is judged; a baseline reads its inputs, never its truth (but see ``train``).
        train: the training part; without it, shares and means are those of ``part`` itself, which flatters the
            baseline, and baselines that must be trained are left out.
        names: the targets.
        classes: of each target.
        season: rows in a season; 1 for none.
    """

    task: Task
    part: Part
    train: Part | None
    names: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...] = ()
    season: int = 1
