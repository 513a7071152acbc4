"""The NumPy loop of the base install against the transcription of the papers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles import recurrent as oracles

from unrolled import cells
from unrolled.core.errors import ConfigError
from unrolled.program import loop
from unrolled.program.equations import Equations
from unrolled.program.loop import run_numpy

CELLS: list[tuple[Equations, Any]] = [
    (cells.RNN(), oracles.rnn),
    (cells.LSTM(), oracles.lstm),
    (cells.LSTMProjected(2), oracles.lstm_projected),
    (cells.GRU(), oracles.gru),
    (cells.GRUBefore(), oracles.gru_before),
]


def _random(cell: Equations, sizes: tuple[int, int, int, int], bias: bool, seed: int) -> tuple[Any, Any, Any]:
    batch, time, inputs, hidden = sizes
    random = np.random.default_rng(seed)
    weights = {name: random.normal(size=shape) for name, shape in cell.shapes(inputs, hidden, bias=bias).items()}
    hx = tuple(random.uniform(-1, 1, (batch, size)) for size in cell.state_sizes(hidden))
    return random.normal(size=(batch, time, inputs)), weights, hx


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_size_any_length_both_directions(data: st.DataObject) -> None:
    cell, oracle = data.draw(st.sampled_from(CELLS))
    sizes = data.draw(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(1, 4), st.integers(1, 5)))
    reverse, bias = data.draw(st.booleans()), data.draw(st.booleans())
    x, weights, hx = _random(cell, sizes, bias, data.draw(st.integers(0, 99)))
    lengths = np.array(data.draw(st.lists(st.integers(0, sizes[1]), min_size=sizes[0], max_size=sizes[0])), np.int64)
    for b, length in enumerate(lengths):
        x[b, length:] = np.nan
    y, state = run_numpy(cell, x, weights, hx, lengths, reverse)
    for b, length in enumerate(lengths):
        true = x[b : b + 1, :length]
        expected, final = oracle(true[:, ::-1] if reverse else true, weights, tuple(part[b : b + 1] for part in hx))
        np.testing.assert_allclose(y[b, :length], expected[0, ::-1] if reverse else expected[0], 1e-9, 1e-10)
        assert not y[b, length:].any()
        for ours, theirs in zip(state, final, strict=True):
            np.testing.assert_allclose(ours[b], theirs[0], 1e-9, 1e-10)


def test_blocks_of_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weights, hx = _random(cells.LSTM(), (3, 11, 2, 4), True, 1)
    for reverse in (False, True):
        whole, final = run_numpy(cells.LSTM(), x, weights, hx, reverse=reverse)
        with monkeypatch.context() as patch:
            patch.setattr(loop, "_BLOCK", 3 * 16 * 4)  # four steps at a time
            parts, state = run_numpy(cells.LSTM(), x, weights, hx, reverse=reverse)
        np.testing.assert_allclose(parts, whole, rtol=1e-13)
        np.testing.assert_allclose(state, final, rtol=1e-13)


def test_no_initial_state_means_zeros_and_float32_stays() -> None:
    x, weights, hx = _random(cells.GRU(), (2, 5, 3, 4), True, 2)
    single = {name: weight.astype(np.float32) for name, weight in weights.items()}
    y, (h,) = run_numpy(cells.GRU(), x.astype(np.float32), single)
    assert y.dtype == h.dtype == np.float32
    zeros = (np.zeros_like(hx[0], np.float32),)
    assert np.array_equal(y, run_numpy(cells.GRU(), x.astype(np.float32), single, zeros)[0])


def test_arguments_are_not_written_to() -> None:
    x, weights, hx = _random(cells.LSTM(), (2, 5, 3, 4), True, 3)
    copies = [array.copy() for array in (x, *hx, *weights.values())]
    run_numpy(cells.LSTM(), x, weights, hx, [5, 2])
    assert all(np.array_equal(now, then) for now, then in zip((x, *hx, *weights.values()), copies, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((2, 3))}, r"x must be \(B, T, D\)"),
        ({"x": np.zeros((2, 5, 4))}, "x has 4 columns, 'weight_ih' takes 3"),
        ({"hx": (np.zeros((2, 5)),)}, "the state has shapes"),
        ({"hx": ()}, "the state has shapes"),
        ({"lengths": [5]}, "one a sequence"),
        ({"lengths": [5, 6]}, r"within 0 \.\. 5"),
        ({"lengths": [-1, 5]}, r"within 0 \.\. 5"),
        ({"lengths": [1.5, 2.0]}, "whole numbers"),
        ({"weights": {}}, "'weight_ih' is missing"),
        ({"weights": {"weight_ih": np.zeros(())}}, r"'weight_ih' has shape \(\), expected"),
        ({"drop": "weight_hh"}, "'weight_hh' has shape None"),
        ({"add": "peephole"}, "'peephole' has shape .* expected None"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    x, weights, hx = _random(cells.GRU(), (2, 5, 3, 4), True, 4)
    arguments = {"x": x, "weights": weights, "hx": hx} | change
    if drop := arguments.pop("drop", None):
        del arguments["weights"][drop]
    if add := arguments.pop("add", None):
        arguments["weights"][add] = np.zeros(4)
    with pytest.raises(ConfigError, match=message):
        run_numpy(cells.GRU(), **arguments)
