"""The failure task: labels from lives and events, imbalance, alarms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics
from torch.nn import functional

from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import AlarmDecoding
from unrolled.prepare.pages import mapping, pieces
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column
from unrolled.tasks import Failure, make_task
from unrolled.tasks.target import event_within, events_of

SENSOR, LIFE = Column(name="u"), Column(name="life", role="target")


@given(hnp.arrays(np.float32, 20, elements=st.sampled_from([0.0, 0.0, 0.0, 1.0])), st.integers(1, 25))
def test_an_event_within_the_horizon_is_found_by_looking_at_every_row(event: Any, horizon: int) -> None:
    starts = np.array([0, 7, 7, 20])
    found = event_within(events_of(event), starts, horizon, np.arange(20))
    for first, stop in ((0, 7), (7, 20)):
        for row in range(first, stop):
            ahead = event[row + 1 : min(row + horizon + 1, stop)]
            expected = 1.0 if ahead.any() else (np.nan if row + horizon >= stop else 0.0)
            np.testing.assert_equal(found[row], expected)


def test_a_remaining_life_becomes_a_label(make_series: Any) -> None:
    values = np.stack([np.arange(6), np.arange(5, -1, -1)], axis=1).astype(float)
    values[2, 1] = np.nan
    series = make_series([6], [SENSOR, LIFE], values=values)
    derived = make_task("failure", {"horizon": 2}).derive(series)
    np.testing.assert_array_equal(derived.values[:, 1], [0, 0, np.nan, 1, 1, 1])
    np.testing.assert_array_equal(derived.values[:, 0], series.values[:, 0])
    assert derived.columns[1].kind == "category" and derived.columns[1].categories == ("no", "yes")
    assert series.values[0, 1] == 5 and series.columns[1].kind == "number"  # the original stays


@pytest.mark.parametrize("target", ["life", "event"])
def test_a_memory_map_is_labelled_piece_by_piece_and_stays_one(
    target: str, make_series: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = [700, 1, 1300]
    life = np.concatenate([np.arange(length)[::-1] for length in lengths]).astype(np.float32)
    values = np.stack([np.random.default_rng(0).normal(size=2001).astype(np.float32), life], axis=1)
    if target == "event":
        values[:, 1] = life % 301 == 0
    plain = make_series(lengths, [SENSOR, LIFE], values=values)
    values.tofile(tmp_path / "block")
    mapped = replace(plain, values=np.memmap(tmp_path / "block", dtype=np.float32, mode="r", shape=values.shape))
    monkeypatch.setattr("unrolled.tasks.target.pieces", partial(pieces, size=256))
    task = make_task("failure", {"horizon": 30})
    found = task.derive(mapped).values
    assert mapping(found) is not None
    np.testing.assert_array_equal(found, task.derive(plain).values)
    np.testing.assert_array_equal(mapped.values, values)


def test_the_source_is_found_or_said(make_series: Any) -> None:
    zeros_and_ones = make_series([4], [LIFE], values=[[0], [0], [0], [1]])
    assert np.isnan(Failure().derive(zeros_and_ones).values[3, 0])  # events: the end is not known
    life = make_task("failure", {"source": "life", "horizon": 1}).derive(zeros_and_ones)
    np.testing.assert_array_equal(life.values[:, 0], 1)
    label = make_task("failure", {"source": "label"}).derive(zeros_and_ones)
    np.testing.assert_array_equal(label.values[:, 0], [0, 0, 0, 1])
    two = Column(name="state", role="target", kind="category", level="case", categories=("fine", "broken"))
    case = Failure().derive(make_series([4, 4], [SENSOR, two], cases=[[0], [1]]))
    np.testing.assert_array_equal(case.cases[:, 0], [0, 1])


@pytest.mark.parametrize("classes, source", [(("a", "b", "c"), "auto"), (("a", "b"), "life")])
def test_other_targets_are_refused(make_series: Any, classes: tuple[str, ...], source: str) -> None:
    column = Column(name="state", role="target", kind="category", categories=classes)
    with pytest.raises(ConfigError, match="'state' has the classes"):
        make_task("failure", {"source": source}).derive(make_series([4], [column]))
    with pytest.raises(ConfigError, match="one target, not 'life', 'age'"):
        Failure().outputs(make_series([4], [LIFE, Column(name="age", role="target")]))


def test_the_preprocessor_gathers_the_derived_label(make_series: Any) -> None:
    """With the columns of the derived series in the schema, y is 0 or 1, not a scaled life."""
    values = np.stack([np.sin(np.arange(12)), np.arange(11, -1, -1)], axis=1)
    series = make_series([12], [SENSOR, LIFE], values=values)
    task = make_task("failure", {"horizon": 3})
    derived = task.derive(series)
    schema = Schema(task="failure", columns=derived.columns)
    preprocessor = Preprocessor(schema).fit(derived, [(0, 0, 12)])
    samples = task.samples(derived, [(0, 0, 12)], window=4)
    arrays = preprocessor.arrays(derived, samples)
    assert arrays.y is not None and arrays.x.shape[2] == 1
    np.testing.assert_array_equal(arrays.y[:, 0], (values[samples.end - 1, 1] <= 3).astype(float))
    np.testing.assert_array_equal(preprocessor.truth(derived, samples)[:, 0], arrays.y)


def test_rows_whose_label_is_unknown_are_no_samples(make_series: Any) -> None:
    event = make_series([10], [SENSOR, LIFE], values=np.zeros((10, 2)))
    task = make_task("failure", {"horizon": 4})
    assert task.samples(task.derive(event), [(0, 0, 10)], window=2).end.tolist() == [2, 3, 4, 5, 6]


def test_failing_samples_count_as_often_as_they_are_rare() -> None:
    truth = np.array([[1.0]] * 2 + [[0.0]] * 10 + [[np.nan]])
    task = Failure().fit(truth)
    assert task.settings.positive_weight == 5
    torch.manual_seed(0)
    output, y = torch.randn(13, 1, 1, 1), torch.as_tensor(truth).float()
    found = task.loss(output, Batch(x=torch.zeros(13, 1, 1), y=y))
    expected = functional.binary_cross_entropy_with_logits(output[:12, 0, :, 0], y[:12], pos_weight=torch.tensor(5.0))
    torch.testing.assert_close(found, expected)
    assert make_task("failure", {"positive_weight": 3.0}).fit(truth).settings.model_dump()["positive_weight"] == 3
    with pytest.raises(ConfigError, match="not fitted"):
        Failure().loss(output, Batch(x=torch.zeros(13, 1, 1), y=y))


def test_probability_and_alarm_are_calibrated_on_validation() -> None:
    rng = np.random.default_rng(1)
    risk = rng.normal(-2, 1.5, 8000)
    label = (rng.random(8000) < 1 / (1 + np.exp(-risk))).astype(float)
    output = (risk + np.log(7)).reshape(-1, 1, 1, 1)  # as trained with positives counted seven times
    plain = AlarmDecoding(target="life", horizon=30)
    task = Failure()
    fitted = task.calibrate(output[:4000], label[:4000, None], plain)
    before, after = (
        {s.name: s.value for s in task.metrics(label[4000:, None], decode(output[4000:], decoding))}
        for decoding in (plain, fitted)
    )
    assert after["log_loss"] < before["log_loss"] and after["ece"] < 0.03 < before["ece"]
    assert after["f1"] > before["f1"]
    assert after["average_precision"] == pytest.approx(before["average_precision"])
    assert after["average_precision"] == pytest.approx(metrics.average_precision_score(label[4000:], risk[4000:]))
    cautious = make_task("failure", {"miss_cost": 20.0}).calibrate(output[:4000], label[:4000, None], plain)
    assert isinstance(cautious, AlarmDecoding) and isinstance(fitted, AlarmDecoding)
    assert cautious.threshold < fitted.threshold
    assert cautious.threshold == pytest.approx(1 / 21, abs=0.02)  # alarm where the expected cost of a miss is higher


def test_without_a_failure_validation_watches_the_log_loss() -> None:
    y = torch.zeros(4, 1)
    output = torch.zeros(4, 1, 1, 1)
    task = Failure()
    assert task.measure([(output, Batch(x=torch.zeros(4, 1, 1), y=y))]).name == "log_loss"
    y[0] = 1
    assert task.measure([(output, Batch(x=torch.zeros(4, 1, 1), y=y))]).name == "average_precision"
    unknown = task.calibrate(np.zeros((2, 1, 1, 1)), np.full((2, 1), np.nan), AlarmDecoding(target="life", horizon=3))
    assert unknown == AlarmDecoding(target="life", horizon=3)
