"""Sentences that share a translation: a siamese GRU beside the cosine of TF-IDF, on Tatoeba (English and Chinese).

Two English sentences are alike where a Chinese one is the translation of both: 2309 pairs. For each there is a pair
that is not: of every second one the first sentence stays, with the sentence that shares most words with it (by the
Jaccard index) of 50 drawn from the same part; of the others two sentences are drawn at random. Sentences that are tied
together by translations stay in one part (70, 10 and 20 % of the tied groups), and pairs are made inside the parts, so
that no sentence stands in two.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.sentences
"""

from __future__ import annotations

import argparse
import re
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy.curves import RESULTS, SHARED, surroundings
from unrolled.core.files import write_text
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

DATA = SHARED / "tatoeba_en_zh" / "cmn.txt"
SEEDS, DRAWN = (0, 1, 2), 50
_RESULT = RESULTS / "sentences.txt"
_FIGURES = ("accuracy", "f1", "roc_auc", "average_precision")


def tied(path: Path) -> list[tuple[list[str], set[tuple[str, str]]]]:
    """Groups of sentences tied by translations, each with its pairs that are alike; alone ones have none."""
    translated: dict[str, set[str]] = defaultdict(set)
    for line in path.read_text(encoding="utf-8").splitlines():
        english, chinese, *_ = line.split("\t")
        translated[chinese].add(english)
    group: dict[str, list[str]] = {}
    for sentences in translated.values():
        merged = list(dict.fromkeys(other for one in sorted(sentences) for other in group.get(one, [one])))
        group.update((sentence, merged) for sentence in merged)
    alike = {pair for sentences in translated.values() for pair in combinations(sorted(sentences), 2)}
    pairs: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for pair in alike:
        pairs[id(group[pair[0]])].add(pair)
    return [(some, pairs[id(some)]) for some in {id(some): some for some in group.values()}.values()]


def write(folder: Path, groups: list[tuple[list[str], set[tuple[str, str]]]], seed: int) -> dict[str, int]:
    """Three files of pairs; how many pairs each has."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(groups))
    cuts = np.split(order, [round(0.7 * len(order)), round(0.8 * len(order))])
    counts = {}
    for name, part in zip(("train", "valid", "test"), cuts, strict=True):
        pool = [(sentence, number) for number in part.tolist() for sentence in groups[number][0]]
        alike = sorted(pair for number in part.tolist() for pair in groups[number][1])
        member = dict(pool)
        other = [_apart(pair[0] if at % 2 else None, pool, member, random) for at, pair in enumerate(alike)]
        rows = [(*pair, label) for label, pairs in ((1, alike), (0, other)) for pair in pairs]
        lines = ["first\tsecond\tsimilar", *(f"{one}\t{two}\t{label}" for one, two, label in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines).replace('"', "''") + "\n", encoding="utf-8")
        counts[name] = len(rows)
    return counts


def _apart(
    kept: str | None, pool: list[tuple[str, int]], member: dict[str, int], random: np.random.Generator
) -> tuple[str, str]:
    """Two sentences of different groups: a hard pair where one is kept, else a random one."""
    hard = kept is not None
    kept = kept or pool[int(random.integers(len(pool)))][0]
    drawn = [pool[at][0] for at in random.integers(len(pool), size=DRAWN).tolist()]
    others = [sentence for sentence in drawn if member[sentence] != member[kept]]
    return kept, max(others, key=lambda other: _overlap(kept, other)) if hard else others[0]


def _overlap(one: str, other: str) -> float:
    """The Jaccard index of their words."""
    first, second = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    return len(first & second) / max(1, len(first | second))


def main() -> None:
    """All seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--set", dest="changes", action="append", default=[], help="key=value, to try other settings")
    asked = parser.parse_args()
    groups = tied(asked.data)
    lines = ["English sentences that share a Chinese translation (Tatoeba), test part", ""]
    for seed in SEEDS[: asked.seeds]:
        worked = time.process_time()
        with TemporaryDirectory() as name:
            folder = Path(name)
            counts = write(folder, groups, seed)
            files = {
                "path": str(folder / "train.csv"),
                **{part: str(folder / f"{part}.csv") for part in ("valid", "test")},
            }
            options = {"pair": ["first", "second"], "delimiter": "\t"}
            plain: dict[str, Any] = {"data": {**files, "target": ["similar"], "options": options}, "seed": seed}
            evaluation = (run := train(Config.parse(plain).changed(asked.changes))).run.evaluation
        for scores in (evaluation.model, *evaluation.baselines):
            found = "  ".join(f"{figure} {scores[figure].value:.4f}" for figure in _FIGURES)
            lines.append(f"seed {seed}  {scores.name:8}  {found}")
        spent = time.process_time() - worked
        lines.append(f"        pairs {counts}, {run.run.facts.epochs} epochs, {spent:.0f} s of processor time")
        print("\n".join(lines[-4:]), flush=True)
    lines += ["", surroundings()]
    if asked.seeds == len(SEEDS) and not asked.changes:
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
