"""A one-step net rolled out, against recursions written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from unrolled.core.errors import ConfigError
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.rollout import rollout

Float = npt.NDArray[np.float32]


def last_rows(arrays: Arrays) -> Float:
    """``(B, 2, D)`` the last two true rows of each window."""
    lengths = np.full(len(arrays.x), arrays.x.shape[1]) if arrays.lengths is None else arrays.lengths
    at = np.arange(len(arrays.x))
    return np.stack([arrays.x[at, lengths - 2], arrays.x[at, lengths - 1]], axis=1)


def second_order(arrays: Arrays) -> Float:
    """y_t = 0.5 y_(t-1) - 0.3 y_(t-2), for two targets at once."""
    rows = last_rows(arrays)
    return np.asarray((0.5 * rows[:, 1, :2] - 0.3 * rows[:, 0, :2])[:, None, :, None])


@pytest.mark.parametrize("padded", [False, True])
def test_it_is_the_recursion(padded: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, 2)).astype(np.float32)
    lengths = np.array([6, 3, 5]) if padded else None
    if lengths is not None:
        x[np.arange(6) >= lengths[:, None]] = 0
    found = rollout(second_order, Arrays(x, lengths), horizon=7, targets=2)
    for b in range(3):
        y = list(x[b, : 6 if lengths is None else lengths[b]])
        for _ in range(7):
            y.append(0.5 * y[-1] - 0.3 * y[-2])
        np.testing.assert_allclose(found[b, :, :, 0], y[-7:], rtol=1e-5, atol=1e-6)


def test_known_covariates_enter_at_their_own_step() -> None:
    """y_t = y_(t-1) + u_t + 10 u_(t-1): the step's covariate comes in ``known``, the one before is in the window."""

    def net(arrays: Arrays) -> Float:
        assert arrays.known is not None and arrays.known.shape[1] == 1
        row = arrays.x[:, -1]
        return np.asarray((row[:, :1] + arrays.known[:, 0] + 10 * row[:, 1:])[:, None, :, None])

    u = np.array([1.0, 2, 3, 4, 5], np.float32)
    x = np.array([[[0.0, 7.0], [100.0, 8.0]]], np.float32)
    found = rollout(net, Arrays(x, known=u.reshape(1, 5, 1)), horizon=5, targets=1)
    y, before, expected = 100.0, 8.0, []
    for value in u:
        y, before = y + value + 10 * before, value
        expected.append(y)
    np.testing.assert_allclose(found[0, :, 0, 0], expected)


def test_the_median_goes_back_in_and_the_input_stays_as_it_was() -> None:
    def net(arrays: Arrays) -> Float:
        last = arrays.x[:, -1:, :, None]
        return np.concatenate([last - 100, last + 1, last + 100], axis=-1)

    x = np.zeros((1, 2, 1), np.float32)
    found = rollout(net, Arrays(x), horizon=3, targets=1, point=1)
    np.testing.assert_array_equal(found[0, :, 0], [[-100, 1, 100], [-99, 2, 101], [-98, 3, 102]])
    assert not x.any()


def test_features_whose_future_is_unknown_are_refused() -> None:
    def never(arrays: Arrays) -> Any:
        raise AssertionError("must not be called")

    with pytest.raises(ConfigError, match="2 input columns is not known"):
        rollout(never, Arrays(np.zeros((1, 4, 3), np.float32)), horizon=2, targets=1)
