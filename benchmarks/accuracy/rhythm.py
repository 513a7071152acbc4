"""Atrial fibrillation from stretches of an ECG: a net that reads beat by beat beside one that reads sample by sample.

MIT-BIH, all 44 records; each stretch has 32 beats from one R peak to the next and is told by its rhythm, that of most
of its beats: fibrillation or not (stretches of atrial flutter are left out). The signal is averaged to 36 Hz; a second
column marks the sample of each R peak. Six patients have fibrillation, 201 and 202 being one: they and the others are
dealt into three parts, each of which is the test once, so that no patient is in two parts; a quarter of the patients
that are left choose the epoch. Both nets are a GRU below an LSTM of 32 units each, and a mean; in ``hierarchical`` the
GRU ends with each beat and the LSTM runs over beats. ``intervals`` has no net: the deviation of the intervals between R
peaks, relative to their mean.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.rhythm
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, f1_score

from benchmarks.accuracy.curves import RESULTS, SHARED, surroundings
from unrolled.core.files import write_text
from unrolled.prepare.readers.beats import CLASSES
from unrolled.prepare.table import Hints, Table
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

DATA = SHARED / "mitbih" / "records"
BEATS, COARSE, SEEDS = 32, 10, (0, 1, 2)
PARTS = (("202", "219"), ("203", "222"), ("210", "221"))
"""Records with fibrillation that are in the test together; 201 is of the patient of 202."""

_UNITS: list[Any] = [{"gru": {"size": 32}}, {"lstm": {"size": 32}}, {"pool": {"kind": "mean"}}, "linear"]
NETS: dict[str, list[Any]] = {
    "hierarchical": [{"pieces": {"column": 1, "mark": "start", "layers": _UNITS[:1]}}, *_UNITS[1:]],
    "flat": _UNITS,
}
_RESULT = RESULTS / "rhythm.txt"
_SAME = {"201": "202"}
_SYMBOLS = set("".join(CLASSES.values()))


class Stretch(NamedTuple):
    """``(T, 2)`` signal and marks, the patient, whether it is fibrillation, and how much its intervals vary."""

    values: npt.NDArray[np.float64]
    patient: str
    fibrillates: bool
    spread: float


def stretches(path: Path) -> list[Stretch]:
    """Those of one record, in order."""
    with np.load(path) as found:
        signal, at, symbols, rhythms = (found[key] for key in ("signal", "ann_sample", "ann_symbol", "ann_rhythm"))
    even = (signal - np.median(signal)) / signal.std()
    coarse = even[: len(even) // COARSE * COARSE].reshape(-1, COARSE).mean(1)
    now, peaks, kinds = "", [], []
    for place, symbol, rhythm in zip(at.tolist(), symbols.tolist(), rhythms.tolist(), strict=True):
        now = rhythm.strip("\x00") or now
        if symbol in _SYMBOLS:
            peaks.append(place)
            kinds.append(now)
    found_here = []
    for first in range(0, len(peaks) - BEATS, BEATS):
        own = np.array(peaks[first : first + BEATS + 1])
        told = kinds[first : first + BEATS]
        if 2 * told.count("(AFL") > BEATS:
            continue
        begin, *starts, end = np.unique(own // COARSE)
        values = np.zeros((end - begin, 2))
        values[:, 0] = coarse[begin:end]
        values[[0, *(np.array(starts, dtype=np.int64) - begin)], 1] = 1
        gaps = np.diff(own)
        patient = _SAME.get(path.stem, path.stem)
        found_here.append(Stretch(values, patient, 2 * told.count("(AFIB") > BEATS, float(gaps.std() / gaps.mean())))
    return found_here


def table(chosen: list[Stretch]) -> Table:
    """As a reader would give them."""
    rows = np.concatenate([each.values for each in chosen])
    cases = {
        "rhythm": np.array(["fibrillation" if each.fibrillates else "other" for each in chosen], dtype=object),
        "patient": np.array([each.patient for each in chosen], dtype=object),
    }
    return Table(
        {"ecg": rows[:, 0], "peak": rows[:, 1]},
        "mitbih",
        starts=np.cumsum([0, *(len(each.values) for each in chosen)]).astype(np.int64),
        case_columns=cases,
        case_ids=tuple(str(number) for number in range(len(chosen))),
        hints=Hints(target=("rhythm",), group="patient", task="classify"),
    )


def chances(net: list[Any], learnt: list[Stretch], judged: list[Stretch], seed: int, epochs: int) -> tuple[Any, Any]:
    """``(n,)`` probability of fibrillation, and the run."""
    plain: dict[str, Any] = {
        "data": {"split": {"by": "group", "valid": 0.25, "test": 0, "seed": seed}},
        "net": net,
        "train": {"epochs": epochs, "batch_size": 32, "learning_rate": 2e-3, "patience": 5},
        "seed": seed,
    }
    run = train(Config.parse(plain), data=table(learnt))
    answer = run.model.predictor.predict(table(judged)).answer
    assert answer.probability is not None
    return answer.probability[:, 0, answer.classes[0].index("fibrillation")], run


def main() -> None:
    """All nets and parts; the seed is that of the weights and of the patients that choose the epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--parts", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--epochs", type=int, default=12)
    asked = parser.parse_args()
    every = [each for path in sorted(asked.data.glob("*.npz")) for each in stretches(path)]
    ill = {record for part in PARTS for record in part}
    others = sorted({each.patient for each in every} - ill)
    count = sum(each.fibrillates for each in every)
    lines = [f"fibrillation in {count} of {len(every)} stretches of {BEATS} beats", ""]
    found: dict[str, list[float]] = {}
    for seed in asked.parts:
        test = {*PARTS[seed], *others[seed :: len(PARTS)]}
        judged = [each for each in every if each.patient in test]
        learnt = [each for each in every if each.patient not in test]
        truth = np.array([each.fibrillates for each in judged])
        spread = np.array([each.spread for each in judged])
        naive = average_precision_score(truth, spread)
        found.setdefault("intervals", []).append(naive)
        lines.append(f"part {seed}  {'intervals':13}average precision {naive:.4f}   {truth.sum()} of {len(truth)}")
        print(lines[-1], flush=True)
        for name, net in NETS.items():
            worked = time.process_time()
            chance, run = chances(net, learnt, judged, seed, asked.epochs)
            precision, score = average_precision_score(truth, chance), f1_score(truth, chance > 0.5)
            found.setdefault(name, []).append(precision)
            lines.append(
                f"part {seed}  {name:13}average precision {precision:.4f}  F1 {score:.4f}  "
                f"accuracy {np.mean((chance > 0.5) == truth):.4f}  ({run.run.net.parameters:,} weights, "
                f"{run.run.facts.epochs} epochs, {time.process_time() - worked:.0f} s of processor time)"
            )
            print(lines[-1], flush=True)
    means = {name: float(np.mean(values)) for name, values in found.items()}
    lines += ["", "mean average precision  " + "  ".join(f"{name} {value:.4f}" for name, value in means.items())]
    wins = sum(one > other for one, other in zip(found["hierarchical"], found["flat"], strict=True))
    lines += [f"hierarchical ahead of flat in {wins} of {len(found['flat'])} parts", "", surroundings()]
    print("\n".join(lines[-4:]))
    if asked.parts == list(SEEDS):
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
