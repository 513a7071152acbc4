"""Every task gets a profile, rules and nets that can be built; those without rivals are measured without them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.small import write

from unrolled.advise.halving import by_share
from unrolled.core.errors import ConfigError
from unrolled.workflow.advise import advise
from unrolled.workflow.config import Config

SMALL = {"train": {"epochs": 1, "batch_size": 16}}


def tags(folder: Path) -> dict[str, Any]:
    """The tag of a number is its sign, and that of the number before."""
    random = np.random.default_rng(0)
    rows = [
        (f"s{at}", round(value, 3), "up" if value > 0 else "down")
        for at in range(80)
        for value in random.normal(size=9)
    ]
    path = write(folder / "tags.csv", ("id", "a", "tag"), rows)
    return {"data": {"path": str(path), "target": "tag", "group": "id"}, "task": {"name": "tag"}}


def sensors(folder: Path) -> dict[str, Any]:
    random, at = np.random.default_rng(0), np.arange(1500)
    rows = zip((np.sin(at / 3) + 0.1 * random.normal(size=1500)).round(4), np.cos(at / 4).round(4), strict=True)
    path = write(folder / "sensors.csv", ("a", "b"), rows)
    return {"data": {"path": str(path), "window": 20}, "task": {"name": "anomaly"}}


def sessions(folder: Path) -> dict[str, Any]:
    random, lines = np.random.default_rng(0), []
    for session in range(120):
        for at, item in enumerate(random.integers(9, size=random.integers(2, 8))):
            stamp = np.datetime64("2014-04-07T10:00:00.000") + 60_000 * session + 1000 * at
            lines.append(f"{session},{stamp}Z,{500 + item},0")
    path = folder / "clicks.dat"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"data": {"path": str(path)}}


def texts(folder: Path) -> dict[str, Any]:
    random = np.random.default_rng(0)
    words = ("a", "b", "c", "d")
    rows = []
    for _ in range(200):
        one, other = random.choice(words, 2)
        rows.append(f"{one} x\t{other} y\t{int(one == other)}")
    path = folder / "pairs.csv"
    path.write_text("\n".join(["one\ttwo\tsame", *rows]) + "\n", encoding="utf-8")
    return {"data": {"path": str(path), "options": {"pair": ["one", "two"], "delimiter": "\t"}}}


TASKS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tag": tags,
    "anomaly": sensors,
    "recommend": sessions,
    "pairs": texts,
}


@pytest.mark.parametrize("task", TASKS)
def test_profile_and_rules(task: str, tmp_path: Path) -> None:
    found = advise(Config.parse({**TASKS[task](tmp_path), **SMALL}))
    assert found.profile.task == task and found.profile.too_small.en == ""
    assert found.profile.figures["samples"] > 0 and found.counsel and found.recommendation is not None
    assert bool(found.profile.guesses) == (task != "anomaly")  # without labels there is nothing to judge by


def test_tags_are_measured_without_rivals(tmp_path: Path) -> None:
    found = advise(Config.parse({**tags(tmp_path), **SMALL}), seconds=100, plan=partial(by_share, largest=1.0), seeds=0)
    assert {one.trial.model for one in found.entrants} == {"net"} and "cnn" in {one.name for one in found.entrants}
    assert all(one.metric is not None for one in found.entrants)
    assert found.recommendation is not None and len(found.recommendation.comparisons) == 1


def test_a_pretraining_is_profiled_and_not_measured(tmp_path: Path) -> None:
    plain = {**sensors(tmp_path), "task": {"name": "pretrain"}, **SMALL}
    found = advise(Config.parse(plain))
    assert found.recommendation is not None and found.profile.guesses == ()
    for task in ("pretrain", "anomaly"):
        with pytest.raises(ConfigError, match="no figure to compare by"):
            advise(Config.parse({**plain, "task": {"name": task}}), seconds=10)
