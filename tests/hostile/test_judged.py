"""What evaluation makes of answers and truths that are not as they should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import TrainingError
from unrolled.core.records import Evaluation
from unrolled.evaluate import Part, evaluate
from unrolled.prepare.answer import Answer
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import AlarmDecoding, ClassDecoding, NumberDecoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Classify, Failure, Forecast, Regress


def part_of(truth: Any) -> Part:
    n = len(truth)
    one = np.arange(n)
    values = np.zeros((n, 1), np.float32)
    series = Series(values, np.empty((n, 0), np.float32), np.arange(n + 1), ("x",) * n, (Column(name="u"),))
    return Part(series, Samples(one, one + 1, one), np.asarray(truth, np.float64).reshape(n, -1))


def finite(found: Evaluation) -> set[str]:
    """Names of the model's figures; all of them are numbers that JSON can hold."""
    for scores in (found.model, *found.baselines):
        for metric in scores.metrics:
            assert all(np.isfinite(v) for v in (metric.value, metric.low, metric.high) if v is not None)
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    return {metric.name for metric in found.model.metrics}


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_failure_data_with_one_class_only(label: float) -> None:
    answer = decode(np.zeros((9, 1, 1, 1)), AlarmDecoding(target="life", horizon=3))
    found = finite(evaluate(Failure(), part_of([label] * 9), answer, resamples=50))
    assert "roc_auc" not in found and {"log_loss", "f1", "ece"} <= found
    assert ("average_precision" in found) == (label == 1)


def test_a_single_sample() -> None:
    answer = decode(np.zeros((1, 1, 1, 2)), ClassDecoding(targets=("x",), classes=(("a", "b"),)))
    found = evaluate(Classify(), part_of([1.0]), answer, resamples=50)
    assert finite(found) and found.model["accuracy"].low is None
    assert {note.code for note in found.notes} >= {"few_groups", "class_not_judged"}


def test_a_truth_that_never_changes() -> None:
    answer = Answer("regress", np.ones((9, 1)), targets=("y",))
    found = evaluate(Regress(), part_of([1.0] * 9), answer, train=part_of([1.0] * 9), resamples=50)
    assert "r2" not in finite(found) and found.verdict.code == "no_better"


def test_a_constant_series_has_no_scaled_errors() -> None:
    values = np.ones((30, 1), np.float32)
    columns = (Column(name="y", role="target"),)
    series = Series(values, np.empty((1, 0), np.float32), np.array([0, 30]), ("",), columns)
    samples = Forecast().samples(series, [(0, 0, 30)], window=4)
    part = Part(series, samples, np.ones((len(samples), 1, 1)))
    found = evaluate(Forecast(), part, Answer("forecast", part.truth, targets=("y",)), train=part, resamples=50)
    assert not {"mase", "mse_standardised"} & finite(found)
    assert found.verdict.level == "poor"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_answer_that_is_not_a_number_is_an_error(bad: float) -> None:
    output = np.zeros((9, 1, 1, 1))
    output[4] = bad
    with pytest.raises(TrainingError, match="not a finite number for 1 of 9 samples"):
        evaluate(Regress(), part_of(np.arange(9)), decode(output, NumberDecoding(task="regress", targets=("y",))))
    logits = np.full((9, 1, 1, 2), bad)
    with np.errstate(invalid="ignore"):
        answer = decode(logits, ClassDecoding(targets=("x",), classes=(("a", "b"),)))
    with pytest.raises(TrainingError, match="9 of 9"):
        evaluate(Classify(), part_of([0.0] * 9), answer)
