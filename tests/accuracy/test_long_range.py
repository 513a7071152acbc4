"""The made-up long-range problems: what is asked, and what a results file keeps of a training."""

from __future__ import annotations

import torch
from benchmarks.accuracy import adding, blank_copy, copy_memory
from benchmarks.accuracy.curves import EVERY, Curve, Trial, courses
from benchmarks.accuracy.picture import picture


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_one_number_of_each_half_is_added() -> None:
    x, y = adding.draw(40, 100, _random())
    value, mark = x.unbind(2)
    assert (mark[:, :20].sum(1) == 1).all() and (mark[:, 20:].sum(1) == 1).all()
    torch.testing.assert_close(value[mark == 1].view(100, 2).sum(1), y)


def test_a_curriculum_ends_at_the_whole_length() -> None:
    def lengths(share: float) -> list[int]:
        lesson, random = adding.curriculum(400, share), _random()
        return [lesson(1, random)[0].shape[1] for _ in range(300)]

    assert set(lengths(0)) == set(range(2, adding.SHORT + 1, 2))
    assert adding.SHORT < max(lengths(0.25)) < 300
    assert 380 < max(lengths(0.5)) <= 400


def test_letters_are_asked_after_the_mark() -> None:
    x, y = blank_copy.draw(4, _random(), blanks=7)
    assert x.shape == (4, 27, blank_copy.SYMBOLS) and y.shape == (4, 27)
    given = x.argmax(2)
    assert (given[:, :10] == y[:, -10:]).all() and (given[:, -11] == blank_copy.MARK).all()
    assert (given[:, 10:-11] == 0).all() and (y[:, :-10] == 0).all()


def test_a_curriculum_ends_at_all_letters_and_blanks() -> None:
    def seen(share: float) -> tuple[set[int], set[int]]:
        lesson, random = blank_copy.curriculum(share), _random()
        answers = [lesson(1, random)[1][0] for _ in range(300)]
        shown = [int((answer > 0).sum()) for answer in answers]
        return set(shown), {len(answer) - 2 * count for answer, count in zip(answers, shown, strict=True)}

    few = set(range(1, blank_copy.SHORT + 1))
    assert seen(0) == ({1}, few)
    assert seen(0.25) == (set(range(1, 6)), few)
    every = set(range(1, blank_copy.SHOWN + 1))
    assert seen(0.5) == (every, few)
    assert blank_copy.SHORT < max(seen(0.6)[1]) < 50
    shown, blanks = seen(0.75)
    assert shown == every and blank_copy.BLANKS - 5 < max(blanks) <= blank_copy.BLANKS


def test_vectors_are_asked_as_often_as_the_mark_says() -> None:
    given = copy_memory.lesson("repeat-copy", 5, 3, 4, _random())
    assert given.x.shape == (4, 22, 8) and given.y.shape == (4, 22, 7) and given.asked.nonzero()[0] == 6
    shown = given.x[:, :5, : copy_memory.BITS]
    for turn in range(3):
        assert (given.y[:, 6 + 5 * turn : 11 + 5 * turn, : copy_memory.BITS] == shown).all()
    assert (given.x[:, 5, copy_memory.BITS + 1] == 0.75).all() and (given.y[:, -1, copy_memory.BITS] == 1).all()


def test_copies_are_judged_by_the_worst_seed() -> None:
    runs = {"lstm": ((0.9, 1.0), (0.8, 0.95)), "memory": ((0.0, 0.25), (0.001, 0.125))}
    lines = [f"{net}  {seed}  0.1 {own[0]} 0.2 {own[1]} 7  | 0.4" for net in runs for seed, own in enumerate(runs[net])]
    lstm, memory = copy_memory.judged(lines)
    assert lstm.startswith("lstm ") and "0.9000 at most" in lstm and lstm.endswith("1.0000")
    assert memory.startswith("memory ") and "0.0010 at most" in memory and memory.endswith("0.2500")


def test_a_line_of_results_has_its_course() -> None:
    curve = Curve([0.5, 0.02, 0.004, 0.003], final=0.0034, seconds=12)
    assert (curve.batches, curve.below(0.01), curve.below(0.001)) == (3 * EVERY, 2 * EVERY, None)
    lines = [adding.line(net, seed, Trial([], 0.01, 900), curve) for net, seed in (("gru", 0), ("gru", 1), ("rnn", 0))]
    assert courses([*lines, *adding.judged(lines)]) == {"gru": [curve.losses] * 2, "rnn": [curve.losses]}
    assert next(text.split() for text in adding.judged(lines)) == "gru all 0.0034 the median, 2 of 2 below 0.01".split()


def test_a_picture_has_a_line_for_every_run_and_one_for_the_level() -> None:
    drawn = picture("Losses", {"a": [[0.5, 0.1], [0.4, 0.2, 0.1]], "b": [[0.3, 0.3]]}, ("guessing", 0.3))
    assert drawn.count("<polyline") == 4
    assert f">{2 * EVERY}</text>" in drawn


def test_a_few_batches_lower_the_loss_of_a_short_sum() -> None:
    torch.manual_seed(0)
    curve = adding.run("gru", Trial([{"gru": {"size": 16}}], 0.02, EVERY), 4, 0)
    assert curve.batches == EVERY
    assert curve.losses[-1] < 0.5 * curve.losses[0]
