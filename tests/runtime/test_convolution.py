"""A convolution that is fed step by step, and what joins it, against the operations of the plan one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.nets import Net
from unrolled.program.ops import OPS
from unrolled.program.shapes import Inputs, Outputs
from unrolled.runtime.convolution import Convolution

_WIDTH = 4


def _draw(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    st.sampled_from([1, 2, 5]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "relu", "gelu"]),
)
def test_in_pieces_it_gives_what_the_operations_give(
    sizes: list[int], stride: int, each: bool, biased: bool, norm: bool, activation: str | None
) -> None:
    x, weight = _draw(2, sum(sizes), 3), _draw(3, 1, _WIDTH) if each else _draw(5, 3, _WIDTH)
    bias = _draw(len(weight), seed=1) if biased else None
    layer = Convolution(weight, bias, stride=stride, each=each, batch=2)
    expected, _ = OPS["conv1d"](x, None, weight=weight, bias=bias, stride=stride, left=_WIDTH - 1, right=0, each=each)
    if norm:
        names = ("weight", "bias", "running_mean", "running_var")
        given_ = {name: np.abs(_draw(len(weight), seed=at)) for at, name in enumerate(names)}
        layer.join_norm(**given_, eps=1e-3)
        expected = OPS["batch_norm"](expected, **given_, eps=1e-3)
    if activation is not None:
        layer.join_activation(activation)
        expected = OPS["activation"](expected, kind=activation)
    pieces = np.split(x, np.cumsum(sizes)[:-1], axis=1)
    found = np.concatenate([layer.process(piece) for piece in pieces], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert layer.closed == (activation is not None)


@pytest.mark.parametrize("stride", [1, 3])
def test_the_tail_is_all_that_counts(stride: int) -> None:
    weight, x = _draw(5, 3, _WIDTH), _draw(1, 12, 3)
    one, other = (Convolution(weight, None, stride=stride, each=False, batch=1) for _ in range(2))
    one.process(x[:, :7])
    other.restore(one.snapshot())
    np.testing.assert_array_equal(other.process(x[:, 7:]), one.process(x[:, 7:]))
    np.testing.assert_array_equal(one.snapshot()[0], x[:, 9:])
    with pytest.raises(DataError, match="shapes"):
        Convolution(weight, None, each=False, batch=2).restore(one.snapshot())


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "read twice"])
def test_norm_and_activation_join_only_where_nobody_else_reads_what_is_between(shared: bool) -> None:
    conv: dict[str, Any] = {"conv": {"channels": 4, "padding": "causal"}}
    plain = [{"conv": {"channels": 4, "padding": "causal", "norm": None, "activation": None}}]
    body = [{"parallel": {"branches": [plain, [conv]]}}] if shared else [conv]
    net = Net([*body, {"gru": {"size": 3}}], Inputs(numbers=2), Outputs()).eval()
    stream, x = net.stream(), _draw(1, 9, 2).astype(np.float32)
    steps = np.concatenate([stream.process(x[:, at : at + 1]) for at in range(9)], axis=1)
    stream.reset()
    np.testing.assert_allclose(steps, stream.process(x), rtol=1e-5, atol=1e-6)
