"""Batches against a plain loop, inversion, leakage, masks, known covariates, JSON, speed."""

from __future__ import annotations

import gc
import json
import time as clock
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.core.errors import BundleError, ConfigError, DataError, UnrolledError
from unrolled.prepare.build import build
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.scaling import Wanted
from unrolled.prepare.schema import Schema, infer
from unrolled.prepare.series import Column, Series
from unrolled.prepare.table import Hints, Table

_LENGTHS = (40, 25, 60)


def _text(*cells: str | None) -> Any:
    return np.array([*cells, None], dtype=object)[:-1]


def _hours(count: int) -> Any:
    return np.datetime64("2024-01-01", "ns") + np.arange(count) * np.timedelta64(1, "h")


def _table(*, holes: bool = False, seed: int = 0) -> Table:
    """Three series with two targets, a feature, a known number, a known and a plain category, two static columns."""
    random = np.random.default_rng(seed)
    count = sum(_LENGTHS)
    columns: dict[str, Any] = {
        "id": _text(*(name for name, length in zip("abc", _LENGTHS, strict=True) for _ in range(length))),
        "t": np.concatenate([_hours(length) for length in _LENGTHS]),
        "y": random.uniform(1, 9, count),
        "z": random.normal(100, 5, count),
        "load": random.normal(size=count),
        "plan": random.normal(size=count),
        "shift": _text(*random.choice(["day", "night"], count)),
        "mode": _text(*random.choice(["p", "q", "r"], count)),
        "size": np.repeat([1.0, 2.0, 5.0], _LENGTHS),
        "kind": _text(*(name for name, length in zip("uvu", _LENGTHS, strict=True) for _ in range(length))),
    }
    if holes:
        for name in ("y", "load"):
            columns[name] = np.where(random.random(count) < 0.2, np.nan, columns[name])
    return Table(columns, "data.csv")


def _forecast(table: Table, **flags: Any) -> tuple[Schema, Series]:
    schema, _ = infer(
        table, task="forecast", target=["y", "z"], known=["plan", "shift"], group="id", static=["size", "kind"], **flags
    )
    return schema, build(table, schema)


def _spans(series: Series, share: float = 0.6) -> list[tuple[int, int, int]]:
    pairs = zip(series.starts[:-1], series.starts[1:], strict=True)
    return [(s, int(a), int(a + share * (b - a))) for s, (a, b) in enumerate(pairs)]


def _windows(series: Series, steps: int, horizon: int) -> Samples:
    found = [
        (begin, begin + steps, s)
        for s, (a, b) in enumerate(zip(series.starts[:-1], series.starts[1:], strict=True))
        for begin in range(int(a), int(b) - steps - horizon + 1, 5)
    ]
    begin, end, owner = np.array(found, dtype=np.int64).T
    return Samples(begin, end, owner)


def _column(series: Series, name: str) -> Any:
    column = next(column for column in series.columns if column.name == name)
    values = series.values if column.level == "row" else series.cases
    return values[:, series.index(column)].astype(np.float64)


def test_a_forecast_batch_equals_a_plain_loop() -> None:
    schema, series = _forecast(_table(), calendar=["hour_of_day"])
    spans, horizon = _spans(series), 4
    preprocessor = Preprocessor(schema, horizon=horizon).fit(series, spans)
    samples = _windows(series, 10, horizon)
    arrays = preprocessor.arrays(series, samples)
    train = np.concatenate([np.arange(a, b) for _, a, b in spans])

    def scaled(name: str) -> Any:
        values = _column(series, name)
        return (values - values[train].mean()) / values[train].std()

    assert series.time is not None
    hour = 2 * np.pi * (series.time.astype("datetime64[h]").astype(int) % 24) / 24
    numbers = [scaled(name) for name in ("y", "z", "load", "plan")]
    rows = np.stack([*numbers, np.sin(hour), np.cos(hour), _column(series, "mode"), _column(series, "shift")], axis=1)
    order = [column.name for column in series.row_columns]
    assert order.index("shift") < order.index("mode")
    for at, (begin, end, owner) in enumerate(zip(samples.begin, samples.end, samples.series, strict=True)):
        np.testing.assert_allclose(arrays.x[at], rows[begin:end], rtol=1e-4, atol=1e-5)
        ahead = rows[end : end + horizon]
        assert arrays.y is not None and arrays.known is not None and arrays.static is not None
        np.testing.assert_allclose(arrays.y[at], ahead[:, :2], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(arrays.known[at], ahead[:, [3, 4, 5, 7]], rtol=1e-4, atol=1e-5)
        sizes = np.array([1.0, 2, 5])
        wanted = [(sizes[owner] - sizes.mean()) / sizes.std(), float("uvu"[owner] == "v")]
        np.testing.assert_allclose(arrays.static[at], wanted, rtol=1e-5)
    assert arrays.lengths is None
    inputs = preprocessor.inputs(10)
    assert (inputs.numbers, inputs.categories, inputs.targets, inputs.length) == (6, (3, 2), 2, 10)
    assert (inputs.static_numbers, inputs.static_categories) == (1, (2,))
    assert (inputs.known_numbers, inputs.known_categories) == (3, (2,))


_TRANSFORMS: list[Wanted] = [
    {},
    {"target": ["log", "standard"], "z": ["robust"], "feature": ["minmax"]},
    {"target": ["standard", "last_value"]},
    {"target": ["instance"], "load": ["difference", "standard"]},
    {"target": ["log_return", "standard"], "known": ["difference"]},
    {"y": ["difference", "difference"], "z": ["last_value"]},
]


@pytest.mark.parametrize("per_series", [False, True])
@pytest.mark.parametrize("transforms", _TRANSFORMS, ids=str)
def test_inverting_the_truth_in_model_scale_gives_the_truth(transforms: Wanted, per_series: bool) -> None:
    schema, series = _forecast(_table())
    preprocessor = Preprocessor(schema, horizon=4, transforms=transforms, per_series=per_series)
    preprocessor.fit(series, _spans(series)[:2])  # the third series is new to a scale of its own
    samples = _windows(series, 8, 4)
    y, truth = preprocessor.arrays(series, samples).y, preprocessor.truth(series, samples)
    assert y is not None
    np.testing.assert_allclose(preprocessor.invert(y, series, samples), truth, rtol=2e-4)
    assert truth.dtype == np.float64
    wanted = np.stack([_column(series, name) for name in ("y", "z")], axis=1)
    for at, end in enumerate(samples.end):
        np.testing.assert_array_equal(truth[at], wanted[end : end + 4])


def test_quantiles_are_inverted_one_by_one() -> None:
    schema, series = _forecast(_table())
    preprocessor = Preprocessor(schema, horizon=4, transforms={"target": ["standard", "instance"]})
    preprocessor.fit(series, _spans(series))
    samples = _windows(series, 8, 4)
    quantiles = np.random.default_rng(0).normal(size=(len(samples), 4, 2, 3))
    got = preprocessor.invert(quantiles, series, samples)
    for q in range(3):
        np.testing.assert_array_equal(got[..., q], preprocessor.invert(quantiles[..., q], series, samples))


@pytest.mark.parametrize("policy", ["error", "mask", "fill_forward", "interpolate"])
@pytest.mark.parametrize("transforms", _TRANSFORMS[:4], ids=str)
def test_a_memory_map_and_a_buffer_give_the_same_batches(transforms: Wanted, policy: str, tmp_path: Any) -> None:
    schema, series = _forecast(_table(holes=policy != "error"), missing=policy, time_delta=True)
    path = tmp_path / "block"
    series.values.tofile(path)
    mapped = replace(series, values=np.memmap(path, dtype=np.float32, mode="r", shape=series.values.shape))
    preprocessor = Preprocessor(schema, horizon=4, transforms=transforms).fit(series, _spans(series))
    samples = _windows(series, 9, 4)
    one, other = preprocessor.arrays(series, samples), preprocessor.arrays(mapped, samples)
    for name in ("x", "known", "static", "y"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-3, atol=1e-4)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_batch_knows_what_comes_after_its_window(data: st.DataObject) -> None:
    transforms = data.draw(st.sampled_from(_TRANSFORMS))
    policy = data.draw(st.sampled_from(["mask", "fill_forward", "interpolate"]))
    table = _table(holes=True)
    schema, series = _forecast(table, missing=policy, time_delta=True)
    preprocessor = Preprocessor(schema, horizon=4, transforms=transforms).fit(series, _spans(series, 0.3))
    samples = _windows(series, 8, 4)
    one = samples[np.array([data.draw(st.integers(0, len(samples) - 1))])]
    before = preprocessor.arrays(series, one, truth=False)
    values = series.values.copy()
    known = [series.index(column) for column in series.of_role("known")]
    hidden = [at for at in range(values.shape[1]) if at not in known]
    values[one.end[0] :, hidden] = data.draw(st.sampled_from([1.0, 2.0, 0.5]))
    after = preprocessor.arrays(replace(series, values=values), one, truth=False)
    np.testing.assert_array_equal(after.x, before.x)
    np.testing.assert_array_equal(after.known, before.known)


def test_targets_of_other_tasks_are_no_inputs() -> None:
    table = _table()
    for target, task in (("y", "regress"), ("mode", "classify"), ("y", "failure")):
        schema, _ = infer(table, task=task, target=target, group="id")
        series = build(table, schema)
        preprocessor = Preprocessor(schema).fit(series, _spans(series))
        samples = Samples(series.starts[:-1], series.starts[1:] - 3, np.arange(3))
        before = preprocessor.arrays(series, samples)
        values = series.values.copy()
        at = series.index(series.of_role("target")[0])
        values[:, at] = values[:, at][::-1] * 0 + (1 if task == "classify" else 4.5)
        after = preprocessor.arrays(replace(series, values=values), samples)
        np.testing.assert_array_equal(after.x, before.x)
        assert preprocessor.inputs().targets == 0
        assert after.y is not None and before.y is not None and (after.y != before.y).any()
        names = [column.name for column in schema.columns if column.role != "target"]
        assert target not in names


def test_lengths_may_differ_and_the_padding_is_zero() -> None:
    schema, series = _forecast(_table(), calendar=["hour_of_day"], time_delta=True)
    for transforms in _TRANSFORMS:
        preprocessor = Preprocessor(schema, horizon=2, transforms=transforms).fit(series, _spans(series))
        begin = np.array([0, 5, 41, 70, 80])
        samples = Samples(begin, begin + np.array([6, 1, 9, 3, 9]), np.array([0, 0, 1, 2, 2]))
        whole = preprocessor.arrays(series, samples)
        assert whole.x.shape[1] == 9 and whole.lengths is not None
        assert whole.lengths.tolist() == [6, 1, 9, 3, 9]
        for at in range(len(samples)):
            alone = preprocessor.arrays(series, samples[np.array([at])])
            length = int(samples.lengths[at])
            np.testing.assert_allclose(whole.x[at, :length], alone.x[0], rtol=1e-5, atol=1e-6)
            assert not whole.x[at, length:].any()
            assert whole.y is not None and alone.y is not None
            np.testing.assert_allclose(whole.y[at], alone.y[0], rtol=1e-5, atol=1e-6)


def test_masks_stand_for_the_columns_with_holes_in_the_training_part() -> None:
    table = _table(holes=True)
    table.columns["z"][-1] = np.nan  # a hole outside of the training part earns no mask
    schema, series = _forecast(table, calendar=())
    preprocessor = Preprocessor(schema, horizon=2).fit(series, _spans(series))
    samples = _windows(series, 8, 2)
    arrays = preprocessor.arrays(series, samples)
    assert preprocessor.inputs().numbers == 4 + 2
    for at, (begin, end) in enumerate(zip(samples.begin, samples.end, strict=True)):
        for place, (column, name) in enumerate(((0, "y"), (2, "load"))):
            holes = np.isnan(_column(series, name)[begin:end])
            np.testing.assert_array_equal(arrays.x[at, :, 4 + place], holes)
            np.testing.assert_allclose(arrays.x[at, holes, column], 0, atol=1e-6)  # the training mean
    assert np.isfinite(arrays.x).all()
    assert arrays.y is not None
    np.testing.assert_array_equal(np.isnan(arrays.y), np.isnan(preprocessor.truth(series, samples)))


def test_a_hole_under_minmax_is_the_mean_not_the_minimum() -> None:
    table = Table({"y": np.array([0.0, 10, 10, 10, np.nan, 10])}, "f")
    schema, _ = infer(table, task="forecast", calendar=())
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=1, transforms={"target": ["minmax"]}).fit(series, [(0, 0, 6)])
    x = preprocessor.arrays(series, Samples(np.array([2]), np.array([5]), np.array([0]))).x
    np.testing.assert_allclose(x[0], np.array([[1, 0], [1, 0], [0.8, 1]]), rtol=1e-6)


def test_the_time_since_the_row_before() -> None:
    time = np.array([0.0, 1, 2, 4, 4.5, 0, 1, 9])
    table = Table({"t": time, "g": _text(*"aaaaabbb"), "y": np.arange(8.0)}, "f")
    schema, _ = infer(table, task="forecast", time="t", group="g", time_delta=True, target="y")
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=1).fit(series, [(0, 0, 5)])
    samples = Samples(np.array([0, 1, 5]), np.array([3, 4, 8]), np.array([0, 0, 1]))
    assert schema.rhythm is not None and schema.rhythm.step == 1
    wanted = [[0, 0, 0], [0, 0, 1], [0, 0, 3]]
    np.testing.assert_allclose(preprocessor.arrays(series, samples).x[..., 1], wanted)


def test_truth_beyond_the_end_is_unknown_and_never_the_next_series() -> None:
    schema, series = _forecast(_table())
    plain = schema.model_copy(update={"columns": tuple(c for c in schema.columns if c.role != "known")})
    preprocessor = Preprocessor(plain, horizon=3).fit(series, _spans(series))
    samples = Samples(np.array([30]), np.array([39]), np.array([0]))
    truth, y = preprocessor.truth(series, samples), preprocessor.arrays(series, samples).y
    assert np.isnan(truth[0, 1:]).all() and not np.isnan(truth[0, 0]).any()
    assert y is not None and np.isnan(y[0, 1:]).all()


def test_covariates_known_in_advance_must_cover_the_horizon() -> None:
    schema, series = _forecast(_table())
    preprocessor = Preprocessor(schema, horizon=3).fit(series, _spans(series))
    with pytest.raises(DataError, match="2 rows are missing at the end of series 'a'"):
        preprocessor.arrays(series, Samples(np.array([30]), np.array([39]), np.array([0])), truth=False)


def test_a_forecast_beyond_the_file_has_times_and_calendar() -> None:
    table = Table({"t": _hours(100), "y": np.random.default_rng(0).normal(size=100)}, "f")
    schema, _ = infer(table, task="forecast", calendar=["hour_of_day"])
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=5).fit(series, [(0, 0, 100)])
    last = Samples(np.array([80, 70]), np.array([100, 90]), np.array([0, 0]))
    times = preprocessor.times(series, last)
    assert times is not None and series.time is not None
    np.testing.assert_array_equal(times[0], series.time[-1] + np.arange(1, 6) * np.timedelta64(1, "h"))
    np.testing.assert_array_equal(times[1], series.time[90:95])
    known = preprocessor.arrays(series, last, truth=False).known
    assert known is not None
    hour = 2 * np.pi * ((100 + np.arange(5)) % 24) / 24
    np.testing.assert_allclose(known[0], np.stack([np.sin(hour), np.cos(hour)], axis=1), atol=1e-5)


def test_only_the_training_part_is_learnt_from() -> None:
    table = _table(holes=True)
    schema, series = _forecast(table)
    values = series.values.copy()
    later = np.concatenate([np.arange(int(a + 0.6 * (b - a)), b) for a, b in
                            zip(series.starts[:-1], series.starts[1:], strict=True)])  # fmt: skip
    values[later] = np.where(np.isnan(values[later]), 1.0, np.nan)
    changed = replace(series, values=values)
    for transforms in _TRANSFORMS[:4]:
        one = Preprocessor(schema, horizon=2, transforms=transforms).fit(series, _spans(series))
        other = Preprocessor(schema, horizon=2, transforms=transforms).fit(changed, _spans(series))
        assert json.dumps(one.to_json()) == json.dumps(other.to_json())


def test_a_category_that_training_does_not_show_is_unknown() -> None:
    table = Table({"c": _text(*"abcabcabc"), "y": np.arange(9.0) ** 2}, "f")
    schema, _ = infer(table, task="forecast", calendar=(), categorical="c", missing="mask")
    assert schema.columns[1].categories == ("a", "b", "c")
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=1).fit(series, [(0, 0, 2)])
    assert preprocessor.schema.columns[1].categories == ("a", "b")
    codes = preprocessor.arrays(series, Samples(np.array([0]), np.array([8]), np.array([0]))).x[0, :, 1]
    assert codes.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    later = build(Table({"c": _text("b", "zebra", None), "y": np.zeros(3)}, "g"), preprocessor.schema)
    codes = preprocessor.arrays(later, Samples(np.array([0]), np.array([3]), np.array([0])), truth=False).x[0, :, 1]
    assert codes.tolist() == [1, 2, 2]


def _engines() -> Table:
    lengths = np.array([5, 9, 7])
    rul = np.concatenate([np.arange(n)[::-1] * 30.0 for n in lengths])
    sensor = np.random.default_rng(0).normal(size=int(lengths.sum()))
    hints = Hints(target=("rul",), group="engine", task="regress")
    return Table({"engine": np.repeat([1.0, 2.0, 3.0], lengths), "s": sensor, "rul": rul}, "f", hints=hints)


def test_a_capped_target_is_learnt_capped_and_judged_uncapped() -> None:
    schema, _ = infer(_engines(), task="regress")
    series = build(_engines(), schema)
    preprocessor = Preprocessor(schema, cap=125).fit(series, _spans(series, 1))
    samples = Samples(series.starts[:-1], series.starts[:-1] + np.array([5, 2, 3]), np.arange(3))
    rul = _column(series, "rul")
    capped = np.minimum(rul, 125)
    wanted = rul[samples.end - 1]
    assert wanted.max() == 210
    arrays = preprocessor.arrays(series, samples)
    scaled = (np.minimum(wanted, 125) - capped.mean()) / capped.std()
    assert arrays.y is not None and arrays.y.shape == (3, 1)
    np.testing.assert_allclose(arrays.y[:, 0], scaled, rtol=1e-5)
    np.testing.assert_array_equal(preprocessor.truth(series, samples)[:, 0, 0], wanted)
    inverted = preprocessor.invert(arrays.y[:, None], series, samples)
    np.testing.assert_allclose(inverted[:, 0, 0], np.minimum(wanted, 125), rtol=1e-5, atol=1e-4)
    assert preprocessor.invert(np.full((3, 1, 1, 2), 9.0), series, samples).min() > 125
    assert arrays.lengths is not None and arrays.known is None


def test_targets_of_sequences_are_taken_from_the_case() -> None:
    table = Table(
        {"x": np.random.default_rng(0).normal(size=12)},
        "f",
        starts=np.array([0, 4, 8, 12]),
        case_columns={"label": _text("b", "a", "b"), "age": np.array([1.0, 2.0, np.nan])},
        hints=Hints(target=("label",), static=("age",)),
    )
    schema, _ = infer(table, task="classify")
    series = build(table, schema)
    preprocessor = Preprocessor(schema).fit(series, _spans(series, 1))
    samples = Samples(series.starts[:-1], series.starts[1:], np.arange(3))[np.array([2, 0, 1])]
    arrays = preprocessor.arrays(series, samples)
    assert arrays.y is not None and arrays.y.tolist() == [[1], [1], [0]]
    assert preprocessor.classes == (("a", "b"),)
    assert arrays.static is not None
    np.testing.assert_allclose(arrays.static[:, 0], [0, -1, 1])  # a missing one is the mean
    assert preprocessor.inputs(4).numbers == 1


@pytest.mark.parametrize("transforms", _TRANSFORMS, ids=str)
def test_a_preprocessor_survives_json(transforms: Wanted) -> None:
    schema, series = _forecast(_table(holes=True), time_delta=True)
    preprocessor = Preprocessor(schema, horizon=3, transforms=transforms, per_series=True).fit(series, _spans(series))
    again = Preprocessor.from_json(json.loads(json.dumps(preprocessor.to_json())))
    samples = _windows(series, 8, 3)
    one, other = preprocessor.arrays(series, samples), again.arrays(series, samples)
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.y, other.y)
    assert again.inputs() == preprocessor.inputs() and again.schema == preprocessor.schema
    values = np.zeros((len(samples), 3, 2))
    np.testing.assert_array_equal(preprocessor.invert(values, series, samples), again.invert(values, series, samples))
    assert json.dumps(again.to_json()) == json.dumps(preprocessor.to_json())


def test_a_stored_schema_that_would_resample_without_a_time_column_is_refused() -> None:
    table = Table({"y": np.arange(9.0) ** 2}, "f")
    schema, _ = infer(table, task="forecast", target="y")
    stored: Any = Preprocessor(schema, horizon=2).fit(build(table, schema), [(0, 0, 9)]).to_json()
    stored["reading"]["resample"] = "mean"
    with pytest.raises(BundleError, match="time steps without a rhythm"):
        Preprocessor.from_json(stored)


@given(st.data())
@settings(max_examples=100)
def test_damaged_json_is_refused_or_harmless(data: st.DataObject) -> None:
    table = Table({"t": _hours(9), "y": np.arange(9.0) ** 2, "c": _text(*"ab" * 4, "a")}, "f")
    schema, _ = infer(table, task="forecast", target="y", calendar="hour_of_day", time_delta=True)
    stored: Any = Preprocessor(schema, horizon=2).fit(build(table, schema), [(0, 0, 9)]).to_json()
    samples = Samples(np.array([0, 3]), np.array([5, 8]), np.array([0, 0]))
    place, key = stored, data.draw(st.sampled_from(sorted(stored)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    if data.draw(st.booleans()) and isinstance(place, dict):
        del place[key]
    else:
        junk: list[Any] = [None, -1, 10**9, 0.5, "x", [], {}, [[]], [None], {"a": 1}, float("nan")]
        place[key] = data.draw(st.sampled_from(junk))
    try:
        loaded = Preprocessor.from_json(stored)
    except BundleError as error:
        assert ("damaged" in error.what or "is wrong" in error.what) and "\n" not in error.what
        return
    loaded.horizon = min(loaded.horizon, 100)
    try:
        series = build(table, loaded.schema)
        assert np.isfinite(loaded.arrays(series, samples, truth=False).x).all()
        loaded.invert(np.zeros((2, loaded.horizon or 1, 1)), series, samples)
        loaded.times(series, samples)
    except UnrolledError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": 0}, "Give 1 or more"),
        ({"horizon": 3, "cap": 5.0}, "not for forecasts"),
        ({"horizon": 3, "transforms": {"tragte": ["log"]}}, "no column and no role 'tragte'"),
        ({"horizon": 3, "transforms": {"static": ["difference"]}}, "have no window"),
    ],
)
def test_options_that_contradict_each_other(options: Any, words: str) -> None:
    schema, _ = _forecast(_table())
    with pytest.raises(ConfigError, match=words):
        Preprocessor(schema, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": 2}, "no horizon"),
        ({"per_series": True}, "for forecasts"),
        ({"transforms": {"target": ["instance"]}}, "have no window"),
    ],
)
def test_options_that_are_not_for_other_tasks(options: Any, words: str) -> None:
    schema, _ = infer(_engines(), task="regress")
    with pytest.raises(ConfigError, match=words):
        Preprocessor(schema, **options)


def test_causal_tells_what_a_stream_can_have() -> None:
    schema, _ = _forecast(_table())
    changes = Preprocessor(schema, horizon=1, transforms={"target": ["log_return", "standard"]})
    assert "known over the whole horizon" in str(changes.obstacle())  # and nothing else
    assert "instance" in str(Preprocessor(schema, horizon=1, transforms={"target": ["instance"]}).obstacle())
    between = schema.model_copy(update={"missing": "interpolate"})
    assert "interpolated" in str(Preprocessor(between, horizon=1).obstacle())


def test_a_series_of_another_schema_is_refused() -> None:
    schema, series = _forecast(_table())
    preprocessor = Preprocessor(schema, horizon=1).fit(series, _spans(series))
    other = replace(series, columns=(Column(name="q"), *series.columns[1:]))
    with pytest.raises(DataError, match="the series has no column 'y'"):
        preprocessor.arrays(other, _windows(series, 4, 1))


def test_only_the_last_few_series_are_kept_alive() -> None:
    schema, series = _forecast(_table())
    preprocessor = Preprocessor(schema, horizon=1).fit(series, _spans(series))
    seen = []
    for _ in range(9):
        other = replace(series, source="again")
        preprocessor.arrays(other, _windows(series, 4, 1))
        seen.append(weakref.ref(other))
    del other
    gc.collect()
    assert [ref() is not None for ref in seen] == [False] * 5 + [True] * 4


def test_an_empty_batch() -> None:
    schema, series = _forecast(_table())
    preprocessor = Preprocessor(schema, horizon=2).fit(series, _spans(series))
    arrays = preprocessor.arrays(series, _windows(series, 4, 2)[:0])
    assert arrays.x.shape[0] == 0 and arrays.x.shape[2] == preprocessor.inputs().numbers + 2
    assert arrays.y is not None and arrays.y.shape == (0, 2, 2)


def test_gathering_is_fast() -> None:
    count = 20_000
    table = Table({f"c{at}": np.random.default_rng(at).normal(size=count) for at in range(8)}, "f")
    schema, _ = infer(table, task="forecast", target="c0")
    series = build(table, schema)
    preprocessor = Preprocessor(schema, horizon=96).fit(series, [(0, 0, count)])
    begin = np.random.default_rng(0).integers(0, count - 500, 64)
    samples = Samples(begin, begin + 336, np.zeros(64, dtype=np.int64))
    best = 1.0
    for _ in range(30):
        start = clock.perf_counter()
        preprocessor.arrays(series, samples)
        best = min(best, clock.perf_counter() - start)
    assert best < 0.5e-3
