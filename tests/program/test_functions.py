"""Pointwise functions on NumPy arrays and torch tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.program import functions


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=20))
def test_numpy_equals_mathematics(values: list[float]) -> None:
    v = np.array(values)
    exact = [1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a)) for a in values]
    np.testing.assert_allclose(functions.sigmoid(v), exact, rtol=1e-14, atol=0)
    np.testing.assert_allclose(functions.tanh(v), [math.tanh(a) for a in values], rtol=1e-14)
    assert functions.relu(v).tolist() == [max(a, 0.0) for a in values]


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=20))
def test_the_others_equal_mathematics(values: list[float]) -> None:
    v = np.array(values)
    np.testing.assert_allclose(
        functions.softplus(v), [max(a, 0) + math.log1p(math.exp(-abs(a))) for a in values], 1e-14
    )
    np.testing.assert_allclose(
        functions.log_sigmoid(v), [min(a, 0) - math.log1p(math.exp(-abs(a))) for a in values], 1e-14
    )
    np.testing.assert_allclose(functions.exp(v / 2), [math.exp(a / 2) for a in values], 1e-13)
    np.testing.assert_allclose(functions.log(abs(v) + 1), [math.log(abs(a) + 1) for a in values], 1e-14)
    np.testing.assert_allclose(functions.sqrt(abs(v)), [math.sqrt(abs(a)) for a in values], 1e-14)
    assert functions.positive(v).tolist() == [float(a > 0) for a in values]
    assert functions.maximum(v, 1.5).tolist() == functions.maximum(1.5, v).tolist() == [max(a, 1.5) for a in values]
    assert functions.minimum(v, -v).tolist() == [min(a, -a) for a in values]
    row = v[None]
    np.testing.assert_allclose(functions.mean(row), [[math.fsum(values) / len(values)]], 1e-12, 1e-12)
    normed = torch.nn.functional.layer_norm(torch.tensor(row), (len(values),), eps=0.3).numpy()
    np.testing.assert_allclose(functions.layer_norm(row, 0.3), normed, 1e-9, 1e-10)


ALIKE: dict[str, Any] = {
    **{name: getattr(functions, name) for name in ("tanh", "sigmoid", "relu", "softplus", "log_sigmoid", "positive")},
    **{name: getattr(functions, name) for name in ("mean", "layer_norm")},
    "exp": lambda v: functions.exp(v / 10),
    "log": lambda v: functions.log(abs(v) + 1),
    "sqrt": lambda v: functions.sqrt(abs(v)),
    "maximum": lambda v: functions.maximum(v, 2) + functions.maximum(-1.0, v) + functions.maximum(v, -v),
    "minimum": lambda v: functions.minimum(v, 2) + functions.minimum(-1.0, v) + functions.minimum(v, -v),
}


def test_the_slope_of_softplus_at_zero_is_a_half() -> None:
    v = torch.zeros(3, requires_grad=True)
    functions.softplus(v).sum().backward()
    assert v.grad is not None and v.grad.tolist() == [0.5] * 3


@pytest.mark.parametrize("name", ALIKE)
def test_torch_equals_numpy_and_float32_stays(name: str) -> None:
    v = np.linspace(-120, 120, 41, dtype=np.float32)
    function = ALIKE[name]
    ours = function(v)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(
        ours, function(torch.from_numpy(v)).numpy(), rtol=1e-5, atol=1e-6 if name == "layer_norm" else 1e-30
    )


def test_arguments_are_not_written_to() -> None:
    v = np.array([-1.0, 2.0])
    for function in ALIKE.values():
        function(v)
    assert v.tolist() == [-1.0, 2.0]


def test_chunks_are_the_gates_in_order() -> None:
    v = np.arange(12.0).reshape(2, 6)
    for array in (v, torch.from_numpy(v)):
        first, second, third = functions.chunk(array, 3)
        assert first.tolist() == [[0, 1], [6, 7]]
        assert second.tolist() == [[2, 3], [8, 9]]
        assert third.tolist() == [[4, 5], [10, 11]]


def test_parts_of_given_sizes_are_views_in_order() -> None:
    v = np.arange(12.0).reshape(2, 6)
    parts = functions.split(v, (1, 0, 3, 2))
    assert [part.shape[1] for part in parts] == [1, 0, 3, 2] and all(part.base is v.base for part in parts)
    assert (np.concatenate(parts, axis=1) == v).all()
    for ours, torchs in zip(parts, functions.split(torch.from_numpy(v), (1, 0, 3, 2)), strict=True):
        np.testing.assert_array_equal(ours, torchs.numpy())
