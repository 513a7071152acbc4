"""Raw outputs to answers: units, order of quantiles, JSON, columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import TypeAdapter, ValidationError
from scipy.special import expit
from scipy.special import softmax as scipy_softmax

from unrolled.prepare.answer import Values, table
from unrolled.prepare.decode import decode, softmax
from unrolled.prepare.decoding import AlarmDecoding, ClassDecoding, Decoding, NumberDecoding

finite = st.floats(-1e3, 1e3, width=32)


def to_celsius(values: Values) -> Values:
    """A scale with one factor and shift a target."""
    scale = np.array([10.0, 0.5]).reshape((1, 1, 2, 1)[: values.ndim])
    return np.asarray(values * scale + 3)


@settings(deadline=None)
@given(hnp.arrays(np.float32, (3, 4, 2, 1), elements=finite))
def test_a_point_forecast_is_the_net_in_original_units(output: Any) -> None:
    answer = decode(output, NumberDecoding(task="forecast", targets=("a", "b"), horizon=4), to_celsius)
    np.testing.assert_allclose(answer.value, output[..., 0] * np.array([10.0, 0.5]) + 3)
    assert answer.quantiles is None


@settings(deadline=None)
@given(hnp.arrays(np.float32, (3, 4, 2, 5), elements=finite))
def test_quantiles_never_cross_and_the_prediction_is_their_median(output: Any) -> None:
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    decoding = NumberDecoding(task="forecast", targets=("a", "b"), horizon=4, quantiles=levels)
    answer = decode(output, decoding, to_celsius)
    assert answer.quantiles is not None
    assert (np.diff(answer.quantiles, axis=-1) >= 0).all()
    assert answer.levels == levels
    sorted_units = np.sort(to_celsius(output), axis=-1)
    np.testing.assert_allclose(answer.quantiles, sorted_units, rtol=1e-6)
    np.testing.assert_array_equal(answer.value, answer.quantiles[..., 2])


def test_offsets_are_added_in_model_scale() -> None:
    offsets = (((-1.0,), (-2.0,)), ((1.0,), (3.0,)))  # two levels, two steps, one target
    decoding = NumberDecoding(
        task="forecast", targets=("a",), horizon=2, levels=(0.1, 0.9), offsets=offsets, calibrated_on=99
    )
    answer = decode(np.zeros((1, 2, 1, 1), np.float32), decoding, lambda values: 100 * values)
    assert answer.quantiles is not None
    np.testing.assert_array_equal(answer.quantiles[0, :, 0], [[-100, 100], [-200, 300]])


def test_offsets_of_running_sums_hold_for_the_sum_of_the_steps() -> None:
    """Target "a" is forecast by its changes, "b" by its level; quantiles are to lie 1, 5 and 2 around both points."""
    own = ((-1.0, -1.0), (-5.0, -5.0), (-2.0, -2.0))
    decoding = NumberDecoding(
        task="forecast",
        targets=("a", "b"),
        horizon=3,
        levels=(0.1, 0.9),
        offsets=(own, tuple(tuple(-v for v in row) for row in own)),
        summed=(True, False),
    )

    def add_up(values: Values) -> Values:
        return np.stack([values[..., 0].cumsum(1), values[..., 1]], axis=2) if values.ndim == 3 else by_quantile(values)

    def by_quantile(values: Values) -> Values:
        return np.stack([add_up(values[..., at]) for at in range(values.shape[3])], axis=3)

    answer = decode(np.ones((2, 3, 2, 1), np.float32), decoding, add_up)
    assert answer.quantiles is not None
    np.testing.assert_array_equal(answer.value[0], [[1, 1], [2, 1], [3, 1]])
    np.testing.assert_array_equal(answer.quantiles[..., 1] - answer.value, [[[1, 1], [5, 5], [2, 2]]] * 2)
    np.testing.assert_array_equal(answer.quantiles[..., 0] - answer.value, [[[-1, -1], [-5, -5], [-2, -2]]] * 2)


@pytest.mark.parametrize(
    "damage",
    [
        {"offsets": [[[1.0], [2.0]]]},
        {"offsets": [[[1.0]], [[2.0]]]},
        {"offsets": [[[1.0], [2.0, 3.0]], [[1.0], [2.0]]]},
        {"quantiles": [0.1, 0.5, 0.9]},
        {"summed": [True, False]},
    ],
)
def test_a_damaged_decoding_is_refused(damage: dict[str, Any]) -> None:
    sound = {"task": "forecast", "targets": ["a"], "horizon": 2, "levels": [0.1, 0.9], "offsets": [[[1.0], [2.0]]] * 2}
    NumberDecoding.model_validate(sound)
    with pytest.raises(ValidationError):
        NumberDecoding.model_validate(sound | damage)


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, (3, 4, 2, 1), elements=finite),
    hnp.arrays(np.float64, (4, 4, 2), elements=st.floats(-100, 100)),
)
def test_no_prediction_lies_outside_its_own_interval(output: Any, offsets: Any) -> None:
    """Whatever the residuals of a biased net were."""
    decoding = NumberDecoding(
        task="forecast",
        targets=("a", "b"),
        horizon=4,
        levels=(0.05, 0.5, 0.75, 0.95),
        offsets=np.sort(offsets, axis=0).tolist(),
    )
    answer = decode(output, decoding, to_celsius)
    assert answer.quantiles is not None
    assert (answer.quantiles[..., 0] <= answer.value).all() and (answer.value <= answer.quantiles[..., -1]).all()
    assert (np.diff(answer.quantiles, axis=-1) >= 0).all()


def test_a_regression_has_no_step_axis_and_stays_in_bounds() -> None:
    decoding = NumberDecoding(
        task="regress",
        targets=("life",),
        levels=(0.1, 0.9),
        offsets=(((-5.0,),), ((5.0,),)),
        bounds=(0.0, 125.0),
    )
    output = np.array([-3.0, 60.0, 124.0], np.float32).reshape(3, 1, 1, 1)
    answer = decode(output, decoding)
    np.testing.assert_array_equal(answer.value[:, 0], [0, 60, 124])
    assert answer.quantiles is not None
    np.testing.assert_array_equal(answer.quantiles[:, 0], [[0, 2], [55, 65], [119, 125]])


@settings(deadline=None)
@given(hnp.arrays(np.float32, (4, 2, 3), elements=finite), st.floats(0.1, 10))
def test_probabilities_are_a_softmax_over_the_targets_own_classes(logits: Any, temperature: float) -> None:
    classes = (("no", "yes"), ("a", "b", "c"))
    decoding = ClassDecoding(targets=("x", "y"), classes=classes, temperatures=(temperature, 1.0))
    answer = decode(logits[:, None], decoding)
    assert answer.probability is not None
    wide = logits.astype(np.float64)
    np.testing.assert_allclose(answer.probability[:, 0, :2], scipy_softmax(wide[:, 0, :2] / temperature, axis=-1))
    np.testing.assert_array_equal(answer.probability[:, 0, 2], 0)
    np.testing.assert_allclose(answer.probability[:, 1], scipy_softmax(wide[:, 1], axis=-1))
    np.testing.assert_array_equal(answer.value, answer.probability.argmax(-1))


def test_softmax_of_huge_logits_is_finite() -> None:
    np.testing.assert_array_equal(softmax(np.array([[1e30, -1e30, 1e30]], np.float32)), [[0.5, 0.0, 0.5]])


def test_alarms_stand_from_the_threshold_on() -> None:
    logits = np.array([-800.0, -1.0, 0.0, 2.0, 800.0], np.float32)
    decoding = AlarmDecoding(target="life", horizon=30, scale=2.0, bias=1.0, threshold=float(expit(1.0)))
    answer = decode(logits.reshape(5, 1, 1, 1), decoding)
    assert answer.probability is not None
    np.testing.assert_allclose(answer.probability[:, 0, 1], expit(2.0 * logits.astype(np.float64) + 1.0), atol=1e-15)
    np.testing.assert_allclose(answer.probability.sum(-1), 1)
    np.testing.assert_array_equal(answer.value[:, 0], [0, 0, 1, 1, 1])


levels_ = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4, unique=True).map(sorted).map(tuple)
names = st.text(min_size=1, max_size=5)


@st.composite
def number_decodings(draw: st.DrawFn) -> NumberDecoding:
    """Calibrated or not, of a net that gives points or quantiles."""
    levels, horizon = draw(levels_), draw(st.integers(1, 9))
    calibrated = draw(st.booleans())
    offsets = hnp.arrays(np.float64, (len(levels), horizon, 1), elements=st.floats(-9, 9))
    return NumberDecoding(
        task=draw(st.sampled_from(["forecast", "regress"])),
        targets=(draw(names),),
        horizon=horizon,
        quantiles=draw(st.sampled_from([(), levels])),
        levels=levels if calibrated else (),
        offsets=draw(offsets).tolist() if calibrated else (),
        summed=draw(st.sampled_from([(), (True,), (False,)])),
        calibrated_on=draw(st.integers(0, 99)),
        bounds=draw(st.tuples(st.none() | st.floats(-9, 9), st.none() | st.floats(-9, 9))),
    )


decodings = st.one_of(
    number_decodings(),
    st.builds(
        ClassDecoding,
        targets=st.tuples(names),
        classes=st.tuples(st.tuples(names, names)),
        temperatures=st.tuples(st.floats(0.1, 9)),
    ),
    st.builds(
        AlarmDecoding,
        target=names,
        horizon=st.integers(1, 99),
        scale=st.floats(-9, 9),
        bias=st.floats(-9, 9),
        threshold=st.floats(0, 1),
    ),
)


@settings(max_examples=50, deadline=None)
@given(decodings)
def test_every_decoding_survives_json(decoding: Decoding) -> None:
    adapter: TypeAdapter[Decoding] = TypeAdapter(Decoding)
    assert adapter.validate_json(adapter.dump_json(decoding)) == decoding


def test_a_forecast_table_has_a_row_a_step_with_future_times() -> None:
    output = np.arange(12, dtype=np.float32).reshape(2, 3, 1, 2)
    decoding = NumberDecoding(task="forecast", targets=("load",), horizon=3, quantiles=(0.1, 0.9))
    times = np.datetime64("2024-01-01T00", "ns") + np.arange(6).reshape(2, 3) * np.timedelta64(1, "h")
    columns = table(decode(output, decoding), ["a", "b"], times).columns
    assert list(columns) == ["id", "time", "step", "load", "load_low", "load_high"]
    assert columns["id"].tolist() == ["a", "a", "a", "b", "b", "b"]
    assert columns["step"].tolist() == [1, 2, 3, 1, 2, 3]
    np.testing.assert_array_equal(columns["time"], times.ravel())
    np.testing.assert_array_equal(columns["load"], output[..., 0].ravel())
    np.testing.assert_array_equal(columns["load_high"], output[..., 1].ravel())


def test_a_class_table_has_labels_and_a_probability_a_class() -> None:
    decoding = ClassDecoding(targets=("beat",), classes=(("N", "V", "S"),))
    output = np.log(np.array([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2]], np.float32))[:, None, None]
    columns = table(decode(output, decoding), ["r1", "r2"]).columns
    assert columns["beat"].tolist() == ["V", "N"]
    np.testing.assert_allclose(columns["beat_probability_S"], [0.1, 0.2], rtol=1e-5)


def test_a_failure_table_has_the_probability_and_the_alarm() -> None:
    output = np.array([[[[0.0]]], [[[-2.0]]]], np.float32)
    columns = table(decode(output, AlarmDecoding(target="life", horizon=9)), ["m1", "m2"], np.array([7.0, 9.0])).columns
    assert list(columns) == ["id", "time", "probability", "alarm"]
    np.testing.assert_allclose(columns["probability"], expit([0.0, -2.0]))
    assert columns["alarm"].tolist() == [1, 0]


@pytest.mark.parametrize("quantiles, point", [((), 0), ((0.1, 0.5, 0.9), 1), ((0.4, 0.45), 1), ((0.5,), 0)])
def test_the_point_is_the_value_nearest_to_the_median(quantiles: tuple[float, ...], point: int) -> None:
    assert NumberDecoding(task="forecast", targets=("a",), quantiles=quantiles).point == point
