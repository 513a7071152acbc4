"""Pointwise functions on NumPy arrays and torch tensors."""

from __future__ import annotations

import math

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


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_torch_equals_numpy_and_float32_stays(name: str) -> None:
    v = np.linspace(-120, 120, 41, dtype=np.float32)
    function = getattr(functions, name)
    ours = function(v)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, function(torch.from_numpy(v)).numpy(), rtol=1e-5, atol=1e-30)


def test_arguments_are_not_written_to() -> None:
    v = np.array([-1.0, 2.0])
    for function in (functions.tanh, functions.sigmoid, functions.relu):
        function(v)
    assert v.tolist() == [-1.0, 2.0]


def test_chunks_are_the_gates_in_order() -> None:
    v = np.arange(12.0).reshape(2, 6)
    for array in (v, torch.from_numpy(v)):
        first, second, third = functions.chunk(array, 3)
        assert first.tolist() == [[0, 1], [6, 7]]
        assert second.tolist() == [[2, 3], [8, 9]]
        assert third.tolist() == [[4, 5], [10, 11]]
