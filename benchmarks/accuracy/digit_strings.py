"""Strings of spoken digits by CTC: nobody says where in the sound a digit stands.

Strings of one to five digits of one speaker, put together from recordings of the Free Spoken Digit Dataset with pauses
of up to a quarter of a second; then the whole is made louder or softer and white noise is added, 10 to 30 dB below the
voice. "publisher": recordings 0 to 4 of each digit and speaker make the test strings, and no training string.
"speaker": a speaker's recordings make the test strings, those of the others the training strings.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.digit_strings
"""

from __future__ import annotations

import argparse
import time
import wave
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.curves import RESULTS
from benchmarks.accuracy.digits import DATA, OPTIONS, SPEAKERS, recordings
from benchmarks.accuracy.ledger import Ledger
from unrolled.core.files import write_text
from unrolled.prepare.alignment import distances
from unrolled.prepare.readers import riff
from unrolled.prepare.spelling import lengths, padded
from unrolled.workflow.config import Config
from unrolled.workflow.train import Trained, train

RATE = 8000
COUNTS = {"train": 1000, "test": 300}  # strings
HELD = ("publisher", SPEAKERS[0])
BEAM = 8
TRAIN = {"epochs": 20, "learning_rate": 3e-3}
_RESULT = RESULTS / "digit_strings.txt"
Sound = npt.NDArray[np.float64]


class Voices:
    """The recordings of one part by speaker and digit, and strings that are drawn from them."""

    def __init__(self, source: Path, held: str, part: str) -> None:
        self._sounds: dict[tuple[str, str], list[Sound]] = {}
        for path, digit, speaker, number in recordings(source):
            test = number < 5 if held == "publisher" else speaker == held
            if test == (part == "test"):
                sound = riff.parse(path.read_bytes(), path.name).samples.mean(axis=1)
                self._sounds.setdefault((speaker, digit), []).append(sound)
        self._speakers = sorted({speaker for speaker, _ in self._sounds})

    def draw(self, random: np.random.Generator) -> tuple[str, str, Sound]:
        """Speaker, string and sound."""
        speaker = self._speakers[random.integers(len(self._speakers))]
        digits = [str(digit) for digit in random.integers(0, 10, random.integers(1, 6))]
        parts = [_pause(random)]
        for digit in digits:
            takes = self._sounds[speaker, digit]
            parts += [takes[random.integers(len(takes))], _pause(random)]
        sound = np.concatenate(parts)
        loudness = np.sqrt(np.mean(sound**2))
        sound = sound + random.normal(0, loudness * 10 ** (-random.uniform(10, 30) / 20), len(sound))
        return speaker, "".join(digits), sound / np.abs(sound).max() * 10 ** (-random.uniform(1, 20) / 20)


def _pause(random: np.random.Generator) -> Sound:
    return np.zeros(int(random.uniform(0, 0.25) * RATE))


def write_part(source: Path, folder: Path, held: str, part: str, seed: int) -> Path:
    """WAV files and the list of them."""
    random, voices = np.random.default_rng([seed, part == "test"]), Voices(source, held, part)
    (folder / part).mkdir()
    text = "path,label,speaker\n"
    for number in range(COUNTS[part]):
        speaker, digits, sound = voices.draw(random)
        path = folder / part / f"{number}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((sound * 32767).astype("<i2").tobytes())
        text += f"{path},{digits},{speaker}\n"
    write_text(folder / f"{part}.csv", text)
    return folder / f"{part}.csv"


def trained(folder: Path, source: Path, held: str, net: str, seed: int) -> Trained:
    """A model, judged on the test strings by the likeliest path."""
    paths = {name: str(write_part(source, folder, held, name, seed)) for name in ("train", "test")}
    data: dict[str, Any] = {"path": paths["train"], "test": paths["test"], "options": OPTIONS}
    given = {"data": {**data, "split": {"by": "case", "valid": 0}}, "task": {"name": "ctc"}, "train": TRAIN}
    named = {} if net == "ctc" else {"net": net}  # which is the default, thinned out as the data allows
    return train(Config.parse({**given, **named, "seed": seed}))


def with_beam(run: Trained, path: Path) -> float:
    """Label error rate of the likeliest string."""
    answer = run.model.predictor.predict(path, beam=BEAM, **OPTIONS).answer
    rows = [line.split(",")[1] for line in path.read_text().splitlines()[1:]]
    truth = padded([[answer.classes[0].index(digit) for digit in row] for row in rows])
    return float(distances(truth, answer.value).sum() / lengths(truth).sum())


def line(source: Path, held: str, net: str, seed: int) -> str:
    """What is said of a run."""
    worked = time.process_time()
    with TemporaryDirectory() as name:
        found = trained(Path(name), source, held, net, seed)
        wide = with_beam(found, Path(name) / "test.csv")
    evaluation = found.run.evaluation
    own, exact = evaluation.model["label_error_rate"], evaluation.model["exact_match"]
    simple = evaluation.baselines[0]["label_error_rate"].value
    span = "" if own.low is None or own.high is None else f" [{own.low:.4f}, {own.high:.4f}]"
    text = f"{held:10} {net:9} seed {seed}  label error rate {own.value:.4f}{span}  beam of {BEAM} {wide:.4f}  "
    text += f"whole strings right {exact.value:.3f}  median string {simple:.3f}  "
    seconds = time.process_time() - worked
    return text + f"{found.run.net.parameters:,} weights, {seconds:.0f} s of processor time"


def judged(lines: list[str]) -> list[str]:
    """The mean over the seeds of each split and net."""
    values: dict[tuple[str, str], list[float]] = {}
    for text in lines:
        words = text.split()
        values.setdefault((words[0], words[1]), []).append(float(words[7]))
    means = [f"{held:10} {net:9} mean {np.mean(own):.4f} of {len(own)}" for (held, net), own in values.items()]
    return means


def main() -> None:
    """Every split, net and seed; results are written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--splits", nargs="*", default=HELD)
    parser.add_argument("--nets", nargs="*", default=["ctc", "ctc-live"])
    asked = parser.parse_args()
    told = ", ".join(f"{key} {value:g}" for key, value in TRAIN.items())
    heading = f"strings of spoken digits, {COUNTS['train']} to learn and {COUNTS['test']} to judge, {told}, "
    heading += "frames of 32 ms every 20 ms"
    ledger = Ledger(_RESULT, heading, r"(\w+) +([\w-]+) +seed (\d+)", judged)
    for seed in asked.seeds:
        for held in asked.splits:
            for net in asked.nets:
                text = line(asked.data, held, net, seed)
                ledger.add(text)
                print(text, flush=True)


if __name__ == "__main__":
    main()
