"""Anomalies: what is learnt from, what the loss compares, and when there is an alarm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.tasks.conftest import MakeSeries

from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.prepare.scores import errors
from unrolled.prepare.series import Column
from unrolled.program.shapes import Outputs
from unrolled.tasks import Anomaly, AnomalySettings, Scales
from unrolled.tasks.task import QUANTILES

_A, _B = Column(name="a"), Column(name="b")
_WORD = Column(name="w", kind="category", categories=("x", "y"))
_LABEL = Column(name="label", role="target", kind="category", categories=("V", "N", "S"))


def _task(**settings: object) -> Anomaly:
    return Anomaly(settings=AnomalySettings.model_validate(settings))


def test_every_numeric_input_is_forecast(make_series: MakeSeries) -> None:
    columns = make_series([3], [_A, _WORD, _B, _LABEL], values=np.zeros((3, 4)))
    assert _task(horizon=3).outputs(columns) == Outputs(targets=2, values=3, every=True)
    assert _task(score="reconstruction", horizon=3).outputs(columns).values == 1
    with pytest.raises(ConfigError, match="no numeric column"):
        _task().outputs(make_series([3], [_WORD], values=np.zeros((3, 1))))


def test_what_is_kept_is_one_score_of_a_row_or_of_a_labelled_sequence(make_series: MakeSeries) -> None:
    spans = [(0, 0, 30), (1, 30, 60)]
    for columns in ([_A], [_A, _B, Column(name="c")]):
        for task in (_task(), _task(horizon=7)):
            by_row = make_series([30, 30], columns)
            whole = make_series([30, 30], [*columns, _LABEL.model_copy(update={"level": "case"})], cases=[[0], [1]])
            sizes = [task.answer_size(series, task.samples(series, spans, window=None)) for series in (by_row, whole)]
            assert sizes == [30 * QUANTILES, QUANTILES]


def test_labels_that_are_not_usual_are_unusual(make_series: MakeSeries) -> None:
    series = make_series([4], [_A, _LABEL], values=[[0, 1], [0, 0], [0, np.nan], [0, 2]])
    derived = _task(normal=["N"]).derive(series)
    np.testing.assert_array_equal(derived.values[:, 1], [0, 1, np.nan, 1])
    assert derived.of_role("target")[0].categories == ("no", "yes")
    with pytest.raises(ConfigError, match=r"task\.normal"):
        _task().derive(series)


def test_a_usual_label_that_no_row_has_is_named(make_series: MakeSeries) -> None:
    with pytest.raises(ConfigError, match=r"no row has the label 'zz'; there are"):
        _task(normal=["zz"]).derive(make_series([2], [_A, _LABEL], values=[[0, 1], [0, 0]]))


def test_nothing_unusual_is_learnt_from(make_series: MakeSeries) -> None:
    usual = Column(name="label", role="target", kind="category", categories=("no", "yes"))
    series = make_series([8], [_A, usual], values=np.array([[0, at == 5] for at in range(8)]))
    task = _task()
    samples = task.samples(series, [(0, 0, 8)], window=4)
    kept = task.learnable(series, samples)
    assert samples.end.tolist() == [4, 7, 8] and kept.end.tolist() == [4, 8]
    case = usual.model_copy(update={"level": "case"})
    cases = make_series([2, 2, 2], [_A, case], cases=[[0], [1], [np.nan]])
    whole = task.samples(cases, [(s, 2 * s, 2 * s + 2) for s in range(3)], window=None)
    assert task.learnable(cases, whole).series.tolist() == [0, 2]


@pytest.mark.parametrize(("score", "horizon"), [("forecast", 3), ("reconstruction", 1)])
def test_the_loss_is_the_mean_square_of_the_errors_that_score(score: str, horizon: int) -> None:
    torch.manual_seed(1)
    output, y = torch.randn(2, 6, 2, horizon), torch.randn(2, 6, 2)
    y[1, 4:] = float("nan")
    task = _task(score=score, horizon=horizon)
    batch = Batch(x=torch.zeros(2, 6, 2), y=y)
    found = errors(output.numpy(), y.numpy(), task.settings.score)
    assert task.loss(output, batch).item() == pytest.approx(np.nanmean(found.astype(np.float64) ** 2), rel=1e-5)
    assert task.measure([(output, batch)]).value == pytest.approx(np.nanmean(found.astype(np.float64) ** 2), rel=1e-6)


def test_the_threshold_lets_the_promised_share_pass(make_series: MakeSeries) -> None:
    random = np.random.default_rng(0)
    task = _task(false_alarms=0.05)
    plain = task.decoding(make_series([3], [_A, _B]))
    learnt, fresh = (random.normal([3.0, -1.0], [0.1, 5.0], (4000, 1, 2))[..., None] for _ in range(2))
    fitted = task.calibrate(learnt, np.zeros(0), plain)
    answer = fitted.answer(fitted.score(fresh[..., 0], None))  # type: ignore[union-attr]
    assert answer.value.mean() == pytest.approx(0.05, abs=0.01)
    np.testing.assert_allclose(fitted.center, [[3, -1]], atol=0.3)  # type: ignore[union-attr]
    np.testing.assert_allclose(fitted.scale, [[0.1, 5]], rtol=0.05)  # type: ignore[union-attr]
    figures = {figure.name: figure.value for figure in task.statistics(np.full((4000, 1), np.nan), answer, Scales())}
    assert figures == {"alarm_rate": answer.value.mean()}


def test_figures_where_labels_are_known(make_series: MakeSeries) -> None:
    decoding = _task().decoding(make_series([3], [_A])).model_copy(update={"threshold": 2.5})
    answer = decoding.answer(np.array([1.0, 4, 1, 3, 0, 1]))
    truth = np.array([[0.0], [1], [1], [0], [np.nan], [0]])
    fresh = np.array([True, False, False, False, False, False])
    found = {figure.name: figure.value for figure in _task().statistics(truth, answer, Scales(fresh=fresh))}
    assert found["precision"] == found["recall"] == found["f1"] == 0.5
    assert found["false_alarm_rate"] == pytest.approx(1 / 3)
    assert found["f1_point_adjusted"] == pytest.approx(2 * 2 / (3 + 2))  # both rows of the stretch count as found
    assert {"average_precision", "roc_auc"} <= found.keys()


def test_a_warm_up_longer_than_the_overlap_is_refused(make_series: MakeSeries) -> None:
    with pytest.raises(ConfigError, match="--window of 32"):
        _task(warm_up=8).samples(make_series([50], [_A]), [(0, 0, 50)], window=16)
