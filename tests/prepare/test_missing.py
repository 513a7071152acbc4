from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.prepare.missing import fill_forward, interpolate, last_known, observed_end

_WINDOWS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=6),
    elements=st.one_of(st.just(float("nan")), st.floats(-100, 100, width=32)),
)


def _columns(values: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return [values[b, :, c] for b in range(values.shape[0]) for c in range(values.shape[2])]


@given(_WINDOWS)
def test_fill_forward_repeats_the_last_value(values: npt.NDArray[np.float32]) -> None:
    for before, after in zip(_columns(values), _columns(fill_forward(values)), strict=True):
        held = np.float32(np.nan)
        for raw, filled in zip(before, after, strict=True):
            held = held if np.isnan(raw) else raw
            np.testing.assert_equal(filled, held)


@given(_WINDOWS)
def test_interpolate_draws_lines_and_holds_the_end(values: npt.NDArray[np.float32]) -> None:
    for before, after in zip(_columns(values), _columns(interpolate(values)), strict=True):
        known = np.flatnonzero(~np.isnan(before))
        if not len(known):
            assert np.isnan(after).all()
            continue
        wanted = np.interp(np.arange(len(before)), known, before[known])
        wanted[: known[0]] = np.nan
        np.testing.assert_allclose(after, wanted, rtol=1e-4, atol=1e-4)


@given(_WINDOWS)
def test_last_known(values: npt.NDArray[np.float32]) -> None:
    for before, last in zip(_columns(values), last_known(values).reshape(-1), strict=True):
        known = before[~np.isnan(before)]
        np.testing.assert_equal(last, known[-1] if len(known) else np.float32(np.nan))


def test_no_steps_have_no_last_value() -> None:
    assert np.isnan(last_known(np.empty((2, 0, 3), dtype=np.float32))).all()


@given(st.lists(st.lists(st.booleans(), max_size=6), min_size=1, max_size=5))
def test_observed_end(seen: list[list[bool]]) -> None:
    starts = np.concatenate([[0], np.cumsum([len(one) for one in seen])]).astype(np.int64)
    flat = [flag for one in seen for flag in one]
    values = np.where(flat, 1.0, np.nan).astype(np.float32).reshape(-1, 1)
    wanted = [
        start + max((at + 1 for at, flag in enumerate(one) if flag), default=0)
        for start, one in zip(starts[:-1], seen, strict=True)
    ]
    assert observed_end(values, starts, [0]).tolist() == wanted
