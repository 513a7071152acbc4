"""Clips of which one picture alone says nothing: a CNN with a GRU (preset video), and the same net on one picture.

drift: a blurred dot moves up, down, left or right over a picture whose edges meet. turn: a bar turns to the left or to
the right. Places, speeds (0.5 to 1.5 places, 10 to 30 degrees a step) and phases are uniform, so that each picture by
itself is drawn in the same way for all classes. 8 pictures of 12 x 12, noise of standard deviation 0.2; 1200 clips to
learn from, 600 others to judge. Everything goes through the files of ``unrolled train --net video``, with batches of
32 and a rate of 0.003: with 128 and 0.001, the defaults, 8 epochs did not learn to tell where the dot goes.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.video
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.curves import RESULTS, surroundings
from unrolled.core.files import write_text
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

SEEDS, STEPS, SIDE, NOISE, LEARNT, JUDGED = (0, 1, 2), 8, 12, 0.2, 1200, 600
_RESULT = RESULTS / "video.txt"

Floats = npt.NDArray[np.float64]


def drift(count: int, random: np.random.Generator) -> tuple[Floats, list[str]]:
    """``(count, STEPS, SIDE, SIDE)`` clips of a moving dot, and where it goes."""
    ways = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
    names = random.choice(list(ways), count)
    way = np.array([ways[name] for name in names])[:, None, :]
    start, speed = random.uniform(0, SIDE, (count, 1, 2)), random.uniform(0.5, 1.5, (count, 1, 1))
    place = start + way * speed * np.arange(STEPS)[None, :, None]
    apart = [np.arange(SIDE) - place[..., axis, None] for axis in (0, 1)]
    near = [np.exp(-(((d + SIDE / 2) % SIDE - SIDE / 2) ** 2) / 2) for d in apart]  # the edges meet
    return near[0][..., :, None] * near[1][..., None, :], list(names)


def turn(count: int, random: np.random.Generator) -> tuple[Floats, list[str]]:
    """``(count, STEPS, SIDE, SIDE)`` clips of a turning bar, and which way it turns."""
    names = random.choice(["left", "right"], count)
    sign = np.where(names == "left", 1, -1)[:, None]
    start, speed = random.uniform(0, np.pi, (count, 1)), np.radians(random.uniform(10, 30, (count, 1)))
    angle = (start + sign * speed * np.arange(STEPS))[..., None, None]
    across = np.arange(SIDE) - (SIDE - 1) / 2
    right, up = across[None, None, None, :], -across[None, None, :, None]
    beside, along = right * np.sin(angle) - up * np.cos(angle), right * np.cos(angle) + up * np.sin(angle)
    return np.exp(-(beside**2) / 2) * (np.abs(along) < SIDE / 2), list(names)


CLIPS: dict[str, Callable[[int, np.random.Generator], tuple[Floats, list[str]]]] = {"drift": drift, "turn": turn}


def write_clips(path: Path, kind: str, count: int, seed: int, pictures: slice) -> None:
    """An archive of clips, or of some of their pictures."""
    random = np.random.default_rng(seed)
    clips, names = CLIPS[kind](count, random)
    noisy = clips + random.normal(0, NOISE, clips.shape)
    np.savez(path, X=noisy[:, pictures].astype(np.float32), y=names)


def accuracy(kind: str, seed: int, pictures: slice, **settings: Any) -> float:
    """Of the preset, trained on these clips."""
    with TemporaryDirectory() as name:
        learnt, judged = Path(name) / "train.npz", Path(name) / "test.npz"
        write_clips(learnt, kind, LEARNT, 2 * seed, pictures)
        write_clips(judged, kind, JUDGED, 2 * seed + 1, pictures)
        data = {"path": str(learnt), "test": str(judged)}
        config = {"data": data, "task": {"name": "classify"}, "net": "video", "seed": seed, "train": settings}
        run = train(Config.parse(config)).run
    return run.evaluation.model["accuracy"].value


def main() -> None:
    """Both kinds of clips, whole and one picture of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--epochs", type=int, default=15)
    asked = parser.parse_args()
    lines = [f"Clips of {STEPS} pictures: accuracy of the preset video, {asked.epochs} epochs", ""]
    for kind, chance in (("drift", 0.25), ("turn", 0.5)):
        for what, pictures in (("whole clip", slice(None)), ("one picture", slice(STEPS // 2, STEPS // 2 + 1))):
            began, found = time.process_time(), []
            for seed in SEEDS[: asked.seeds]:
                found.append(accuracy(kind, seed, pictures, epochs=asked.epochs, batch_size=32, learning_rate=3e-3))
            each, seconds = ", ".join(f"{value:.4f}" for value in found), (time.process_time() - began) / len(found)
            lines.append(
                f"{kind:6}{what:12} mean {np.mean(found):.4f} ({each})  chance {chance}  {seconds:.0f} s a seed"
            )
            print(lines[-1], flush=True)
    lines += ["", surroundings()]
    if asked.seeds == len(SEEDS):
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
