"""Whole evaluations of each task, and a model that is joined to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.core.records import Evaluation
from unrolled.evaluate import Part, assess, evaluate
from unrolled.prepare.answer import Answer
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import AlarmDecoding, ClassDecoding, NumberDecoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Classify, Failure, Forecast, Regress, Task, make_task

RNG = np.random.default_rng(0)


def names(found: Evaluation) -> list[str]:
    return [scores.name for scores in found.baselines]


def codes(found: Evaluation) -> set[str]:
    return {note.code for note in found.notes}


def whole(found: Evaluation) -> None:
    """Everything in an evaluation is finite, in JSON, and inside its interval."""
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    for scores in (found.model, *found.baselines):
        for metric in scores.metrics:
            assert np.isfinite(metric.value)
            if metric.low is not None and metric.high is not None:
                assert metric.low <= metric.high
    for note in found.notes:
        assert note.en and note.zh


def cases(truth: Any, columns: tuple[Column, ...] = (), values: Any = None) -> Part:
    """One sequence of one row a truth."""
    n = len(truth)
    rows = np.zeros((n, 0)) if values is None else values
    one = np.arange(n)
    series = Series(np.asarray(rows, np.float32), np.empty((n, 0), np.float32), np.arange(n + 1), ("c",) * n, columns)
    return Part(series, Samples(one, one + 1, one), np.asarray(truth, np.float64).reshape(n, -1))


def test_a_forecast_with_intervals(make_part: Any) -> None:
    days = (np.datetime64("2024-01-01", "h") + np.arange(600)).astype("datetime64[ns]")
    wave = 10 + 5 * np.sin(np.arange(600) * 2 * np.pi / 24) + RNG.normal(size=600)
    train, test = (make_part([wave], window=24, horizon=6, time=days, **k) for k in ({"stop": 400}, {"first": 400}))
    expected = 10 + 5 * np.sin((test.samples.end[:, None, None] + np.arange(6)[:, None]) * 2 * np.pi / 24)
    decoding = NumberDecoding(
        task="forecast",
        targets=("y0",),
        horizon=6,
        levels=(0.05, 0.5, 0.95),
        offsets=tuple(((q,),) * 6 for q in (-1.645, 0.0, 1.645)),
        calibrated_on=200,
    )
    task = make_task("forecast", {"horizon": 6})
    found = evaluate(task, test, decode(expected[..., None], decoding), train=train, decoding=decoding, resamples=300)
    whole(found)
    assert names(found) == ["persistence", "seasonal_naive", "linear"]
    assert found.model["coverage"].value == pytest.approx(0.9, abs=0.05)
    assert found.model["rmse"].value == pytest.approx(1, abs=0.1)
    assert found.verdict.level in ("good", "fair") and found.count == len(test) == 195
    assert found.baselines[1]["mase"].value > found.model["mase"].value
    assert "season_used" in codes(found)
    assert [picture.kind for picture in found.pictures] == ["forecast", "residual"]


def test_intervals_that_do_not_hold_are_reported(make_part: Any) -> None:
    part = make_part([RNG.normal(size=400)], horizon=1)
    decoding = NumberDecoding(
        task="forecast", targets=("y0",), levels=(0.05, 0.95), offsets=(((-0.3,),), ((0.3,),)), calibrated_on=9
    )
    answer = decode(np.zeros((len(part), 1, 1, 1)), decoding)
    found = evaluate(Forecast(), part, answer, decoding=decoding, resamples=200)
    assert {"interval_few", "coverage_off", "baseline_without_training"} <= codes(found)


def test_a_copy_of_the_last_value_is_called_that(make_part: Any) -> None:
    walk = np.cumsum(RNG.normal(size=500))
    train, test = make_part([walk], horizon=1, stop=300), make_part([walk], horizon=1, first=300)
    copy = Answer("forecast", test.last()[:, None] + 0.1, targets=("y0",))
    found = evaluate(Forecast(), test, copy, train=train, resamples=200)
    whole(found)
    assert found.verdict.code == "copies_last_value" and found.verdict.level == "poor"


def test_a_classification() -> None:
    truth = RNG.integers(0, 3, 200).astype(float)
    logits = 3 * np.eye(4)[truth.astype(int)] + RNG.normal(size=(200, 4))
    decoding = ClassDecoding(targets=("beat",), classes=(("N", "S", "V", "F"),))
    train = cases(RNG.choice(4, 500, p=[0.7, 0.1, 0.1, 0.1]))
    found = evaluate(Classify(), cases(truth), decode(logits[:, None, None], decoding), train=train, resamples=300)
    whole(found)
    assert names(found) == ["majority"] and found.verdict.code == "beats_baseline"
    assert found.baselines[0]["accuracy"].value == np.mean(truth == 0)
    assert [picture.kind for picture in found.pictures] == ["confusion", "curve"]
    assert codes(found) == {"class_not_judged"}  # there is no F in this part


def test_groups_of_the_user_are_resampled_as_a_whole() -> None:
    """Three patients, all beats of a patient right or wrong together: the interval is wide, and said to be rough."""
    patient = np.repeat([0, 1, 2], 100)
    truth = np.zeros(300)
    logits = np.where(patient[:, None] == 2, [0.0, 1.0], [1.0, 0.0])
    answer = decode(logits[:, None, None], ClassDecoding(targets=("beat",), classes=(("N", "V"),)))
    found = evaluate(Classify(), cases(truth), answer, groups=patient, resamples=500)
    assert found.model["accuracy"].low == 0 and found.model["accuracy"].high == 1
    assert "few_groups" in codes(found)
    free = evaluate(Classify(), cases(truth), answer, resamples=500)
    assert free.model["accuracy"].low is not None and free.model["accuracy"].low > 0.6


def test_a_remaining_life() -> None:
    truth = RNG.uniform(0, 150, 100)
    task = make_task("regress", {"cap": 125})
    decoding = NumberDecoding(task="regress", targets=("life",), bounds=(0, 125))
    output = (truth + RNG.normal(0, 10, 100)).reshape(-1, 1, 1, 1)
    found = evaluate(task, cases(truth), decode(output, decoding), train=cases(RNG.uniform(0, 300, 900)), resamples=300)
    whole(found)
    assert names(found) == ["mean"] and found.verdict.code == "beats_baseline" and "capped" in found.verdict.en
    assert found.model["rmse_capped"].value < found.model["rmse"].value
    assert [picture.kind for picture in found.pictures] == ["scatter", "residual"]


def test_a_failure() -> None:
    risk = RNG.normal(-2, 2, 1500)
    label = (RNG.random(1500) < 1 / (1 + np.exp(-risk))).astype(float)
    columns, values = (Column(name="u"),), (risk + 2 * RNG.normal(size=1500))[:, None]
    train, test = cases(label[:1000], columns, values[:1000]), cases(label[1000:], columns, values[1000:])
    answer = decode(risk[1000:].reshape(-1, 1, 1, 1), AlarmDecoding(target="life", horizon=30))
    found = evaluate(Failure(), test, answer, train=train, resamples=300)
    whole(found)
    assert names(found) == ["prior", "logistic"] and found.verdict.code == "beats_baseline"
    assert found.baselines[0]["average_precision"].value == pytest.approx(label[1000:].mean())
    assert [picture.kind for picture in found.pictures] == ["confusion", "curve", "curve"]


def test_a_part_without_truth_is_refused() -> None:
    answer = Answer("regress", np.zeros((3, 1)), targets=("y",))
    with pytest.raises(DataError, match="no truth"):
        evaluate(Regress(), cases([np.nan] * 3), answer)


class Doubling:
    """A "trained model" that says twice the last value of its scaled input."""

    task: Task = Forecast()
    decoding = NumberDecoding(task="forecast", targets=("y",))

    def __init__(self, series: Series) -> None:
        schema = Schema(task="forecast", columns=series.columns)
        self.preprocessor = Preprocessor(schema, horizon=1).fit(series, [(0, 0, 40)])

    def output(self, series: Series, samples: Samples) -> Any:
        return 2 * self.preprocessor.arrays(series, samples, truth=False).x[:, -1:, :1, None]

    def invert(self, values: Any, series: Series, samples: Samples) -> Any:
        return self.preprocessor.invert(values, series, samples)

    def truth(self, series: Series, samples: Samples) -> Any:
        return self.preprocessor.truth(series, samples)


def test_a_trained_model_is_joined_to_its_evaluation() -> None:
    values = (100 + 7 * RNG.normal(size=60)).astype(np.float32)[:, None]
    columns = (Column(name="y", role="target"),)
    series = Series(values, np.empty((1, 0), np.float32), np.array([0, 60]), ("",), columns)
    task = Forecast()
    train, test = (task.samples(series, [span], window=3) for span in ((0, 0, 40), (0, 40, 60)))
    found = assess(Doubling(series), series, test, train=(series, train), resamples=100)
    center, last, truth = values[:40].astype(float).mean(), values[39:59, 0], values[40:, 0]
    expected = np.sqrt(np.mean((center + 2 * (last - center) - truth) ** 2))
    assert found.model["rmse"].value == pytest.approx(expected, rel=1e-4)
    assert found.count == 20 and found.part == "test" and names(found) == ["persistence", "linear"]


def test_truth_of_a_long_training_part_is_gathered_only_where_a_baseline_learns() -> None:
    values = RNG.normal(size=30_100).cumsum().astype(np.float32)[:, None]
    columns = (Column(name="y", role="target"),)
    series = Series(values, np.empty((1, 0), np.float32), np.array([0, len(values)]), ("",), columns)
    task, model = Forecast(), Doubling(series)
    train, test = (task.samples(series, [span], window=3) for span in ((0, 0, 30_000), (0, 30_000, 30_100)))
    asked: list[int] = []

    class Counting(Doubling):
        def truth(self, series: Series, samples: Samples) -> Any:
            asked.append(len(samples))
            return super().truth(series, samples)

    found = assess(Counting(series), series, test, train=(series, train), resamples=50)
    part, learnt = (Part(series, some, model.truth(series, some)) for some in (test, train))
    answer = decode(model.output(series, test), model.decoding, lambda values: model.invert(values, series, test))
    whole = evaluate(task, part, answer, train=learnt, decoding=model.decoding, resamples=50)
    assert asked == [100, 20_000] and len(train) > 29_000
    assert found == whole
