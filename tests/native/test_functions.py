"""Functions of the byte code: within 3 units in the last place of float32, everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from unrolled.native.code import OPS
from unrolled.native.library import library

_SMALLEST = np.finfo(np.float32).smallest_normal
_BOUND = 3.0

_Wide = npt.NDArray[np.float64]
_TRUE: dict[str, Callable[[_Wide], _Wide]] = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "exp": np.exp,
    "log": np.log,
    "softplus": lambda x: np.logaddexp(0, x),
    "sqrt": np.sqrt,
    "abs": np.abs,
    "neg": np.negative,
    "relu": lambda x: np.maximum(x, 0),
    "positive": lambda x: (x > 0).astype(np.float64),
}


def _apply(name: str, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    y = np.empty_like(x)
    assert library().unrolled_apply(0, OPS.index(name), x.ctypes.data, y.ctypes.data, len(x)) == 0
    return y


def _worst(name: str, x: npt.NDArray[np.float32]) -> float:
    """The largest error in units in the last place; special values must be exact. Denormals count as zero."""
    y = _apply(name, x)
    with np.errstate(all="ignore"):
        true = _TRUE[name](np.where(np.abs(x) < _SMALLEST, np.copysign(0, x), x).astype(np.float64))
        true = np.where(np.abs(true) < _SMALLEST, 0, true)
        rounded = true.astype(np.float32)
        special = ~np.isfinite(rounded) | ((name == "positive") & np.isnan(x))
        if name == "positive":
            true = np.where(np.isnan(x), 0, true)
            special[:] = False
        unit = np.spacing(np.maximum(np.abs(rounded), _SMALLEST)).astype(np.float64)
        error = np.abs(np.where(np.abs(y) < _SMALLEST, 0, y) - true) / unit
    np.testing.assert_array_equal(y[special], rounded[special])
    return float(np.max(error[~special], initial=0))


@pytest.mark.parametrize("name", _TRUE)
def test_a_sample_of_all_numbers(name: str) -> None:
    bits = np.arange(0, 2**32, 4099, dtype=np.uint64).astype(np.uint32)
    edges = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 88.7, 88.8, -87.3, -104, 9, 9.1], np.float32)
    x = np.concatenate((bits.view(np.float32), edges, np.linspace(-20, 20, 100_003, dtype=np.float32)))
    assert _worst(name, x[: len(x) // 16 * 16]) <= _BOUND


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "exp", "log", "softplus"])
def test_all_numbers(name: str) -> None:
    chunk = 1 << 24
    worst = max(
        _worst(name, np.arange(start, start + chunk, dtype=np.uint64).astype(np.uint32).view(np.float32))
        for start in range(0, 2**32, chunk)
    )
    assert worst <= _BOUND


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "exp", "log", "softplus"])
def test_float64(name: str) -> None:
    x = np.concatenate((np.linspace(-30, 30, 16_000), np.geomspace(1e-300, 1e300, 16_000)))
    y = np.empty_like(x)
    assert library().unrolled_apply(1, OPS.index(name), x.ctypes.data, y.ctypes.data, len(x)) == 0
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, _TRUE[name](x), rtol=1e-15, atol=1e-300)
