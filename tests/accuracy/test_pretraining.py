"""What pretraining is measured with: few labels of all classes, and a verdict that pairs seeds."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy import pretraining


def test_few_sequences_have_every_class_and_differ_by_seed(tmp_path: Path) -> None:
    source, rows = tmp_path / "all.tsv", [f"{k % 4}\t{k}\t{k + 1}\n" for k in range(100)]
    source.write_text("".join(rows))
    found = []
    for seed in (0, 1):
        assert pretraining.write_few(source, tmp_path / "few.tsv", 0.1, seed) == 10
        found.append((tmp_path / "few.tsv").read_text().splitlines(keepends=True))
        assert set(found[-1]) <= set(rows)
        assert {pretraining.label_of(line) for line in found[-1]} == set("0123")
    assert found[0] != found[1]


def test_a_verdict_compares_the_same_seeds() -> None:
    lines = [
        "masked    seed 0  accuracy 0.6000  macro F1 0.5000  9 labels, 3 s of processor time",
        "masked    seed 1  accuracy 0.4000  macro F1 0.5000  9 labels, 3 s of processor time",
        "none      seed 0  accuracy 0.5000  macro F1 0.5000  9 labels, 1 s of processor time",
        "none      seed 1  accuracy 0.4200  macro F1 0.5000  9 labels, 1 s of processor time",
        "none      seed 2  accuracy 0.9000  macro F1 0.5000  9 labels, 1 s of processor time",
    ]
    assert pretraining.judged(lines) == [
        "masked    mean accuracy 0.5000 of 2  +0.0400 to none, ahead in 1 of 2",
        "none      mean accuracy 0.6067 of 3",
    ]
