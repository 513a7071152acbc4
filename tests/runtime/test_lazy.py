"""Streams that multiply with what has changed: the same answers, as few products as the package counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.cells import cells
from unrolled.nets import Net, Recurrent, multiplications
from unrolled.program import equations
from unrolled.program.shapes import Inputs, Outputs


def _walk(steps: int, columns: int, *, batch: int = 1) -> Any:
    """Steps of which most stand still."""
    random = np.random.default_rng(0)
    moves = random.normal(size=(batch, steps, columns)) * (random.random((batch, steps, columns)) < 0.2)
    return moves.cumsum(1)


@pytest.mark.parametrize("name", cells())
def test_every_cell_gives_what_it_gives_otherwise(name: str) -> None:
    torch.manual_seed(0)
    own = {"lstm_projected": {"projection": 3}}.get(name, {})
    rnn = Recurrent(equations.cell(name, **own), 5, 8, layers=2).double().eval()
    x = _walk(30, 5, batch=2)
    plain, lazy = rnn.stream(2), rnn.stream(2, lazy=True)
    np.testing.assert_allclose(lazy.process(x), plain.process(x), rtol=1e-9, atol=1e-11)
    kept = lazy.snapshot()
    after = lazy.process(x[:, :4])
    lazy.restore(kept)
    np.testing.assert_allclose(lazy.process(x[:, :4]), after, rtol=1e-9, atol=1e-11)
    lazy.reset()
    plain.reset()
    np.testing.assert_allclose(lazy.step(x[:, 0]), plain.step(x[:, 0]), rtol=1e-9, atol=1e-11)


def test_what_is_counted_is_what_is_done() -> None:
    """``nets.multiplications`` says beforehand what a stream will need; wholly changed products are done as a whole."""
    torch.manual_seed(0)
    spec = [{"delta": {"threshold": 0.5}}, {"gru_delta": {"size": 40, "threshold": 0.1}}, {"pool": {"kind": "last"}}]
    net = Net(spec, Inputs(numbers=12), Outputs()).double().eval()
    x = _walk(100, 12) * 0.3
    counted, stream = multiplications(net, torch.from_numpy(x)), net.stream(lazy=True)
    found = stream.process(x)
    np.testing.assert_allclose(found, net.stream().process(x), rtol=1e-9, atol=1e-11)
    done, dense = stream.multiplications
    assert dense == counted.dense and counted.needed <= done < 1.2 * counted.needed and done < 0.5 * dense


def test_a_missing_number_passes() -> None:
    torch.manual_seed(0)
    stream = Recurrent("gru_delta", 4, 3).double().stream(lazy=True)
    before = stream.step(np.ones(4))
    kept = stream.snapshot()
    assert np.isnan(stream.step(np.array([1.0, np.nan, 1.0, 1.0]))).all()
    stream.restore(kept)
    after = stream.step(np.ones(4))
    assert np.isfinite(before).all() and np.isfinite(after).all()
