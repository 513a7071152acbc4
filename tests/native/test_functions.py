"""Functions of the byte code: within 3 units in the last place of float32, everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.accuracy.functions import BOUND, TRUE, apply, errors, present, sweep, truth

from unrolled.native.code import OPS
from unrolled.native.library import library


@pytest.mark.parametrize("name", TRUE)
def test_a_sample_of_all_numbers(name: str) -> None:
    bits = np.arange(0, 2**32, 4099, dtype=np.uint64).astype(np.uint32)
    edges = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 88.7, 88.8, -87.3, -104, 9, 9.1], np.float32)
    x = np.concatenate((bits.view(np.float32), edges, np.linspace(-20, 20, 100_003, dtype=np.float32)))
    x = x[: len(x) // 16 * 16]
    assert errors(x, apply(name, x), truth(name, x)).units <= BOUND


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "exp", "log", "softplus"])
def test_all_numbers_on_every_instruction_set(name: str) -> None:
    found = sweep(name, present())
    assert "baseline" in found
    for isa, worst in found.items():
        assert worst.units <= BOUND, f"{isa}: {worst}"


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "exp", "log", "softplus"])
def test_float64(name: str) -> None:
    x = np.concatenate((np.linspace(-30, 30, 16_000), np.geomspace(1e-300, 1e300, 16_000)))
    y = np.empty_like(x)
    assert library().unrolled_apply(1, OPS.index(name), x.ctypes.data, y.ctypes.data, len(x)) == 0
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, TRUE[name](x), rtol=1e-15, atol=1e-300)
