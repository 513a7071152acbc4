"""What is true of every transform, and the fitted values against NumPy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.core.errors import BundleError, ConfigError, DataError
from unrolled.prepare.training import stream_array, stream_rows
from unrolled.prepare.transforms import TRANSFORMS, Chain, Step
from unrolled.prepare.transforms.base import Stream

Float64 = npt.NDArray[np.float64]

_CHAINS: list[list[Step]] = [
    ["standard"],
    [{"minmax": {"low": -1, "high": 1}}],
    ["robust"],
    ["log"],
    ["log1p"],
    ["difference"],
    ["log_return"],
    ["instance"],
    ["last_value"],
    ["standard", "instance"],
    ["log", "standard", "last_value"],
    ["log_return", "standard"],
    ["difference", "difference", "robust"],
    ["standard", "difference"],
    [],
]
_POSITIVE = st.floats(0.5, 1000, allow_subnormal=False)


def _fitted(steps: list[Step], values: Float64) -> Chain:
    chain = Chain(tuple(f"c{at}" for at in range(values.shape[1])), steps)
    chain.fit(stream_array(values))
    return chain


def test_every_transform_is_tried() -> None:
    tried = {step if isinstance(step, str) else next(iter(step)) for steps in _CHAINS for step in steps}
    assert tried == TRANSFORMS.keys() - {"cap"}


@pytest.mark.parametrize("steps", _CHAINS, ids=str)
@given(data=st.data())
def test_invert_undoes_future(steps: list[Step], data: st.DataObject) -> None:
    shape = st.tuples(st.integers(1, 3), st.integers(6, 9), st.integers(1, 2))
    values = data.draw(hnp.arrays(np.float64, shape, elements=_POSITIVE))
    chain = _fitted(steps, values.reshape(-1, values.shape[2]))
    past, future = values[:, :-3], values[:, -3:]
    group = np.zeros(len(values), dtype=np.int64)
    scaled, contexts = chain.past(past, group)
    assert scaled.shape[1] == past.shape[1] - chain.lag
    again = chain.invert(chain.future(future, contexts), contexts)
    np.testing.assert_allclose(again, future, rtol=1e-8, atol=1e-8 * np.abs(values).max())


@pytest.mark.parametrize("steps", _CHAINS, ids=str)
@given(data=st.data())
def test_causal_chains_look_at_no_later_step(steps: list[Step], data: st.DataObject) -> None:
    values = data.draw(hnp.arrays(np.float64, (2, 8, 1), elements=_POSITIVE))
    chain = _fitted(steps, np.linspace(1, 50, 40).reshape(-1, 1))
    group = np.zeros(2, dtype=np.int64)
    whole, cut = chain.past(values, group)[0], chain.past(values[:, :-1], group)[0]
    if chain.causal:
        np.testing.assert_array_equal(whole[:, :-1], cut)
    else:
        assert not np.array_equal(
            chain.past(np.linspace(1, 9, 8).reshape(1, 8, 1), group[:1])[0][:, :-1],
            chain.past(np.linspace(1, 9, 8).reshape(1, 8, 1)[:, :-1], group[:1])[0],
        )


@pytest.mark.parametrize("steps", [steps for steps in _CHAINS if steps], ids=str)
def test_a_fitted_chain_survives_json(steps: list[Step]) -> None:
    values = np.random.default_rng(0).uniform(1, 9, (50, 2))
    chain = _fitted(steps, values)
    other = Chain(chain.columns, steps)
    other.load(json.loads(json.dumps(chain.fitted())), 1)
    window = values.reshape(5, 10, 2)
    group = np.zeros(5, dtype=np.int64)
    np.testing.assert_array_equal(other.past(window, group)[0], chain.past(window, group)[0])
    np.testing.assert_array_equal(other.fill, chain.fill)


@pytest.mark.parametrize(
    ("key", "value"),
    [("scale", [[0.0]]), ("scale", [[float("nan")]]), ("center", [[1.0, 2.0]]), ("center", [1.0])],
)
def test_damaged_fitted_values_are_refused(key: str, value: Any) -> None:
    chain = _fitted(["standard"], np.arange(5.0).reshape(-1, 1))
    data = chain.fitted()
    data["states"][0][key] = value
    with pytest.raises(BundleError, match="damaged"):
        chain.load(data, 1)


def _stream(values: Float64, spans: list[tuple[int, int, int]], group: list[int] | None = None) -> Stream:
    labels = None if group is None else np.array(group)
    groups = 1 if group is None else max(group) + 1
    return stream_rows(values.astype(np.float32), list(range(values.shape[1])), spans, labels, groups)


def test_fitted_values_are_those_of_the_training_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unrolled.prepare.training._CHUNK", 7)
    values = np.random.default_rng(1).normal(3, 2, (100, 3)).astype(np.float32).astype(np.float64)
    values[5, 0] = values[40:50, 1] = np.nan
    spans = [(0, 2, 30), (1, 60, 61), (2, 33, 55), (1, 61, 61), (3, 70, 100)]
    part = np.concatenate([values[a:b] for _, a, b in spans])
    wanted = {
        "standard": (np.nanmean(part, axis=0), np.nanstd(part, axis=0)),
        "minmax": (np.nanmin(part, axis=0), np.nanmax(part, axis=0) - np.nanmin(part, axis=0)),
        "robust": (
            np.nanmedian(part, axis=0),
            np.nanquantile(part, 0.75, axis=0) - np.nanquantile(part, 0.25, axis=0),
        ),
    }
    for name, (center, scale) in wanted.items():
        chain = Chain(("a", "b", "c"), [name])
        chain.fit(_stream(values, spans))
        state = chain.transforms[0].state
        np.testing.assert_allclose(state["center"], center[None], rtol=1e-9)
        np.testing.assert_allclose(state["scale"], scale[None], rtol=1e-9)
        np.testing.assert_allclose(chain.fill, np.nanmean((part - center) / scale, axis=0), atol=1e-9)


@pytest.mark.parametrize("name", ["standard", "minmax", "robust"])
def test_each_group_has_its_own_scale_and_strangers_that_of_their_window(name: str) -> None:
    random = np.random.default_rng(2)
    values = np.concatenate([random.normal(0, 1, (40, 1)), random.normal(1e4, 300, (60, 1))])
    chain = Chain(("a",), [name])
    chain.fit(_stream(values, [(0, 0, 40), (1, 40, 70), (1, 70, 100)], [0, 1]))
    windows = values.astype(np.float32).astype(np.float64).reshape(5, 20, 1)
    alone = [_fitted([name], part.astype(np.float32).astype(np.float64)) for part in (values[:40], values[40:])]
    got = chain.past(windows, np.array([0, 0, 1, 1, -1]))[0]
    for at, group in enumerate((0, 0, 1, 1)):
        wanted = alone[group].past(windows[at : at + 1], np.zeros(1, dtype=np.int64))[0][0]
        np.testing.assert_allclose(got[at], wanted, rtol=1e-9, atol=1e-12)
    stranger = _fitted([name], windows[4]).past(windows[4:], np.zeros(1, dtype=np.int64))[0][0]
    np.testing.assert_allclose(got[4], stranger, rtol=1e-9, atol=1e-12)


def test_a_transform_after_a_difference_is_fitted_on_steps_inside_sequences() -> None:
    values = np.concatenate([np.arange(0.0, 10), 1000 + 3 * np.arange(0.0, 10)]).reshape(-1, 1)
    chain = Chain(("a",), ["difference", "standard"])
    chain.fit(_stream(values, [(0, 0, 10), (1, 10, 20)]))
    assert chain.transforms[1].state["center"][0, 0] == pytest.approx(2)  # nine steps of 1, nine of 3, no jump
    assert chain.transforms[1].state["scale"][0, 0] == pytest.approx(1)


def test_a_constant_column_is_left_alone() -> None:
    values = np.full((20, 1), 1234.5678)
    for name in ("standard", "minmax", "robust"):
        chain = _fitted([name], values)
        got, contexts = chain.past(values.reshape(1, 20, 1), np.zeros(1, dtype=np.int64))
        assert np.abs(got).max() < 1e-9
        np.testing.assert_allclose(chain.invert(got, contexts), values.reshape(1, 20, 1))


def test_robust_shrugs_at_spikes_and_survives_a_flat_middle() -> None:
    values = np.zeros((100, 1))
    values[:10, 0] = 50
    state = _fitted(["robust"], values).transforms[0].state
    assert state["center"][0, 0] == 0 and state["scale"][0, 0] == pytest.approx(np.std(values))


def test_cap_cuts_targets_and_leaves_predictions() -> None:
    chain = _fitted([{"cap": {"limit": 125}}, "standard"], np.array([[300.0], [125.0], [25.0]]))
    mean, deviation = np.mean([125, 125, 25]), np.std([125, 125, 25])
    got, contexts = chain.past(np.array([[[200.0]]]), np.zeros(1, dtype=np.int64))
    assert got[0, 0, 0] == pytest.approx((125 - mean) / deviation)
    assert chain.invert(np.array([[[3.0]]]), contexts)[0, 0, 0] == pytest.approx(3 * deviation + mean)


def test_instance_passes_over_holes_and_padding() -> None:
    window = np.array([[[1.0], [np.nan], [3.0], [np.nan]]])
    got, contexts = _fitted(["instance"], np.ones((3, 1))).past(window, np.zeros(1, dtype=np.int64))
    np.testing.assert_allclose(got[0, [0, 2], 0], [-1, 1])
    assert contexts[0][0][0, 0, 0] == 2
    got, contexts = _fitted(["last_value"], np.ones((3, 1))).past(window, np.zeros(1, dtype=np.int64))
    np.testing.assert_allclose(got[0, [0, 2], 0], [-2, 0])


def test_a_constant_window_stays_finite() -> None:
    window = np.full((1, 9, 1), 100.0)
    chain = _fitted(["instance"], window[0])
    got, contexts = chain.past(window, np.zeros(1, dtype=np.int64))
    assert not got.any()
    assert chain.future(np.array([[[101.0]]]), contexts)[0, 0, 0] == pytest.approx(0.01)


def test_a_window_without_a_value_is_forecast_from_the_mean_level() -> None:
    chain = _fitted(["difference"], np.array([[1.0], [3.0], [5.0]]))
    _, contexts = chain.past(np.full((1, 4, 1), np.nan), np.zeros(1, dtype=np.int64))
    np.testing.assert_allclose(chain.invert(np.array([[[1.0], [1.0]]]), contexts)[0, :, 0], [4, 5])


@pytest.mark.parametrize(("name", "value"), [("log", 0.0), ("log1p", -1.0), ("log_return", -3.0)])
def test_values_outside_the_domain_name_the_column(name: str, value: float) -> None:
    chain = Chain(("price", "count"), [name])
    values = np.ones((5, 2))
    values[3, 1] = value
    with pytest.raises(DataError, match=f"column 'count': .*{value:g}"):
        chain.fit(stream_array(values))


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["standart"], "Did you mean 'standard'"),
        (["instance", "standard"], "cannot follow 'instance'"),
        (["last_value", "difference"], "cannot follow 'last_value'"),
        ([{"minmax": {"lower": 0}}], "does not take these options: lower"),
        ([{"minmax": {"low": 2, "high": 1}}], "is empty"),
        ([{"cap": {"limit": float("nan")}}], "not a number"),
        ([{"cap": {}}], "does not take these options"),
        ([{}], "no transform"),
    ],
)
def test_impossible_chains_are_refused(steps: list[Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Chain(("a",), steps)
