"""Decoding of label sequences, against the sum over all paths."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import numpy.typing as npt
import pytest
import torch

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.ctc import beam, greedy, log_likelihood
from unrolled.prepare.spelling import padded

Float = npt.NDArray[np.float64]


def _rows(steps: int, labels: int, seed: int) -> Float:
    logits = 2 * np.random.default_rng(seed).normal(size=(steps, labels))
    rows: Float = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return rows


def _merged(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(code for code, _ in groupby(path) if code)


def _every(rows: Float) -> dict[tuple[int, ...], float]:
    """Probability of every label sequence: the sum over all paths that give it."""
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(rows.shape[1]), repeat=len(rows)):
        found[_merged(path)] += float(np.exp(rows[range(len(rows)), path].sum()))
    return found


@pytest.mark.parametrize(
    ("steps", "labels", "seed"), [(1, 2, 0), (4, 3, 1), (5, 3, 2), (6, 3, 3), (5, 4, 4), (4, 4, 5)]
)
def test_a_wide_beam_is_the_sum_over_all_paths(steps: int, labels: int, seed: int) -> None:
    rows = _rows(steps, labels, seed)
    expected = _every(rows)
    found = beam(rows, width=10_000)
    assert {prefix for prefix, value in found if np.isfinite(value)} == set(expected)
    for prefix, value in found:
        if np.isfinite(value):
            assert np.exp(value) == pytest.approx(expected[prefix], rel=1e-9)
    assert found[0][0] == max(expected, key=lambda prefix: expected[prefix])


@pytest.mark.parametrize("seed", range(4))
def test_probabilities_are_those_of_the_loss_in_torch(seed: int) -> None:
    rows = _rows(12, 4, seed)
    for prefix, value in beam(rows, width=2000)[:5]:
        loss = torch.nn.functional.ctc_loss(
            torch.tensor(rows)[:, None], torch.tensor([prefix]), torch.tensor([12]), torch.tensor([len(prefix)]),
            reduction="sum",
        )  # fmt: skip
        assert value <= -float(loss) + 1e-9
        assert value == pytest.approx(-float(loss), abs=1e-3)


def test_a_narrow_beam_gives_lower_bounds() -> None:
    rows = _rows(6, 3, 7)
    expected = _every(rows)
    for prefix, value in beam(rows, width=3):
        assert np.exp(value) <= expected[prefix] * (1 + 1e-9)
    assert len(beam(rows, width=3)) == 3


@pytest.mark.parametrize("seed", range(20))
def test_greedy_is_the_likeliest_path(seed: int) -> None:
    rows = _rows(5, 3, seed)
    best = max(product(range(3), repeat=5), key=lambda path: rows[range(5), path].sum())
    assert greedy(rows) == _merged(best)


def test_where_many_weak_paths_outweigh_the_best_one() -> None:
    rows = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))  # blank twice 0.36; the label by three paths 0.64
    assert greedy(rows) == ()
    prefix, value = beam(rows)[0]
    assert prefix == (1,) and np.exp(value) == pytest.approx(0.64)


def test_a_repeat_needs_a_blank_between() -> None:
    sure = np.log(np.full((3, 2), 1e-9))
    sure[[0, 1, 2], [1, 0, 1]] = 0
    assert greedy(sure) == beam(sure)[0][0] == (1, 1)
    sure = np.log(np.full((3, 2), 1e-9))
    sure[:, 1] = 0
    assert greedy(sure) == beam(sure)[0][0] == (1,)


def test_no_step_is_no_label() -> None:
    assert greedy(np.empty((0, 3))) == ()
    assert beam(np.empty((0, 3))) == [((), 0.0)]


@pytest.mark.parametrize(("steps", "labels", "seed"), [(1, 3, 0), (4, 3, 1), (6, 3, 3), (5, 4, 4)])
def test_the_likelihood_is_the_sum_over_all_paths(steps: int, labels: int, seed: int) -> None:
    rows = _rows(steps, labels, seed)
    expected = _every(rows)
    found = log_likelihood(np.repeat(rows[None], len(expected), 0), padded(list(expected)))
    np.testing.assert_allclose(np.exp(found), list(expected.values()), rtol=1e-12)


def test_the_likelihood_is_that_of_torch() -> None:
    random, strings = np.random.default_rng(0), [(1, 1, 2), (3,), (2, 3, 2, 3, 3), (1, 2)]
    rows = np.stack([_rows(15, 4, seed) for seed in range(4)])
    loss = torch.nn.functional.ctc_loss(
        torch.tensor(rows).transpose(0, 1), torch.tensor([code for one in strings for code in one]),
        torch.tensor([15] * 4), torch.tensor([*map(len, strings)]), reduction="none",
    )  # fmt: skip
    order = random.permutation(4)
    np.testing.assert_allclose(log_likelihood(rows[order], padded([strings[at] for at in order])), -loss[order])


def test_what_has_no_path_has_no_probability() -> None:
    rows = np.stack([_rows(3, 3, 0)] * 4)
    found = log_likelihood(rows, padded([(1, 1), (1, 1, 2), (1, 2, 1, 2), ()]))
    assert np.isfinite(found).tolist() == [True, False, False, True]
    assert found[3] == pytest.approx(rows[0, :, 0].sum())
    np.testing.assert_array_equal(log_likelihood(np.empty((2, 0, 3)), padded([(), (1,)])), [0, -np.inf])


def test_what_is_no_probability_is_refused() -> None:
    for wrong in (np.zeros(3), np.zeros((3, 1)), np.full((2, 2), np.nan)):
        with pytest.raises(DataError, match="log probabilities"):
            greedy(wrong)
        with pytest.raises(DataError, match="log probabilities"):
            beam(wrong)
    with pytest.raises(ConfigError, match="option width"):
        beam(np.zeros((2, 2)), width=0)
