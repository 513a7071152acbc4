"""The plan's recurrent operation on the native library equals the one in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled import native
from unrolled.cells import cell, cells
from unrolled.core.errors import ConfigError
from unrolled.core.tolerances import TOLERANCES
from unrolled.program.ops import OPS
from unrolled.runtime.recurrent import recurrent

OPTIONS: dict[str, dict[str, Any]] = {"lstm_projected": {"projection": 3}, "slstm": {"heads": 2}}


def _case(name: str, dtype: str, *, bias: bool = True) -> tuple[np.ndarray[Any, Any], dict[str, Any], list[Any]]:
    settings = OPTIONS.get(name, {})
    kind, generator = cell(name, **settings), np.random.default_rng(0)
    weights = {key: generator.normal(0, 0.4, shape) for key, shape in kind.shapes(5, 6, bias=bias).items()}
    state = [np.tanh(generator.normal(size=(4, size))) for size in kind.state_sizes(6)]
    if name == "slstm":
        state[2] = 1 + state[2] ** 2  # the normaliser is positive
    arrays = {key: weight.astype(dtype) for key, weight in weights.items()}
    options = {"cell": name, "settings": settings, **arrays}
    return generator.normal(size=(4, 9, 5)).astype(dtype), options, [part.astype(dtype) for part in state]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", cells())
def test_equals_numpy(name: str, dtype: str) -> None:
    for bias in (True, False):
        x, options, state = _case(name, dtype, bias=bias)
        for lengths in (None, np.array([3, 9, 0, 5])):
            for reverse in (False, True):
                for start in ([], state):
                    fast = recurrent(x, lengths, *start, reverse=reverse, **options)
                    plain = OPS["recurrent"](x, lengths, *start, reverse=reverse, **options)
                    for ours, theirs in zip(fast, plain, strict=True):
                        np.testing.assert_allclose(ours, theirs, **TOLERANCES[dtype]._asdict())
                        assert ours.dtype == theirs.dtype


def test_strides_and_mixed_types_are_taken() -> None:
    x, options, _ = _case("gru", "float32")
    wide = np.zeros((4, 9, 10), np.float32)
    wide[..., ::2] = x
    expected = recurrent(x, None, reverse=False, **options)[0]
    np.testing.assert_array_equal(recurrent(wide[..., ::2], None, reverse=False, **options)[0], expected)
    mixed = recurrent(x.astype(np.float64), None, reverse=False, **options)[0]
    np.testing.assert_allclose(mixed, expected, **TOLERANCES["float32"]._asdict())


def test_the_library_is_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    if native.reason():
        pytest.skip(str(native.reason()))
    x, options, _ = _case("lstm", "float32")
    monkeypatch.setattr("unrolled.runtime.recurrent.plain", None)
    assert recurrent(x, None, reverse=False, **options)[0].shape == (4, 9, 6)


def test_what_does_not_fit_is_refused_before_any_memory_is_read() -> None:
    x, options, state = _case("lstm", "float32")
    with pytest.raises(ConfigError, match="weight_hh"):
        recurrent(x, None, reverse=False, **{**options, "weight_hh": options["weight_hh"][:, :2]})
    with pytest.raises(ConfigError, match="state"):
        recurrent(x, None, state[0][:2], state[1], reverse=False, **options)
    with pytest.raises(ConfigError, match="lengths"):
        recurrent(x, np.array([10, 1, 1, 1]), reverse=False, **options)
