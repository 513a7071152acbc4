"""Chunks against an oracle that walks through tags as text, one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.chunks import are_chunks, chunk_figures

_CLASSES = ("B-a", "B-b", "E-a", "I-a", "I-b", "O", "S-a")
_SENTENCES = st.lists(st.lists(st.sampled_from(range(7)), min_size=1, max_size=9), min_size=1, max_size=4)


def _walk(sentence: list[int], number: int) -> set[tuple[int, int, int, str]]:
    """(sentence, first, last, type) of each chunk: it goes on while the type does and nothing begins or has ended."""
    found, first, kind, ended = set(), -1, "", True
    for at, code in enumerate([*sentence, _CLASSES.index("O")]):
        place, _, own = _CLASSES[code].partition("-")
        if first >= 0 and (place in "OBS" or own != kind or ended):
            found.add((number, first, at - 1, kind))
            first = -1
        if place != "O" and first < 0:
            first, kind = at, own
        ended = place in "ES"
    return found


def _figures(truth: list[list[int]], said: list[list[int]]) -> dict[str, float]:
    fresh = np.concatenate([np.arange(len(sentence)) == 0 for sentence in truth])
    found = chunk_figures(np.concatenate(truth), np.concatenate(said), _CLASSES, fresh)
    return {figure.name: figure.value for figure in found}


@given(_SENTENCES, st.randoms(use_true_random=False))
def test_figures_are_those_of_sets_of_chunks(truth: list[list[int]], random: object) -> None:
    said = [[random.choice([code, random.randrange(7)]) for code in sentence] for sentence in truth]  # type: ignore[attr-defined]
    actual = set().union(*(_walk(sentence, n) for n, sentence in enumerate(truth)))
    claimed = set().union(*(_walk(sentence, n) for n, sentence in enumerate(said)))
    hits = len(actual & claimed)
    found = _figures(truth, said)
    assert found["chunk_precision"] == pytest.approx(hits / len(claimed) if claimed else 0)
    assert found["chunk_recall"] == pytest.approx(hits / len(actual) if actual else 0)
    assert found["chunk_f1"] == pytest.approx(2 * hits / (len(actual) + len(claimed)) if hits else 0)


def test_the_example_of_seqeval() -> None:
    """From its documentation: one of two chunks of the truth is found, with one too long: F1 0.50."""
    classes = ("B-MISC", "B-PER", "I-MISC", "I-PER", "O")
    first = [4, 4, 4, 0, 2, 2, 4], [4, 4, 0, 2, 2, 2, 4]
    second = [1, 3, 4], [1, 3, 4]
    truth, said = (np.array([*one, *other]) for one, other in zip(first, second, strict=True))
    f1, *_ = chunk_figures(truth, said, classes, np.arange(10) % 7 == 0)
    assert f1.value == 0.5


def test_a_chunk_does_not_reach_over_the_end_of_a_sequence() -> None:
    truth = np.array([0, 1, 1])
    fresh = np.array([True, False, True])
    whole = chunk_figures(truth, truth, ("B-a", "I-a", "O"), fresh)[0]
    assert whole.draws(np.ones((1, 1)), np.zeros(3, dtype=np.int64))[0] == 1
    apart = chunk_figures(truth, np.array([0, 1, 2]), ("B-a", "I-a", "O"), fresh)[2]
    assert apart.value == 0.5  # two chunks in the truth, one was found


@pytest.mark.parametrize(
    ("classes", "are"),
    [
        (("B-x", "I-x", "O"), True),
        (("B", "I", "O"), True),
        (("I-x", "O"), False),
        (("E", "S"), False),
        (("N", "S", "V"), False),
        (("B-x", "I-x", "O", "other"), False),
    ],
)
def test_which_labels_are_tags_of_chunks(classes: tuple[str, ...], are: bool) -> None:
    assert are_chunks(classes) is are
