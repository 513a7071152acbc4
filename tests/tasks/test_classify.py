"""The classification task: one label, several, weights, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from unrolled.core.errors import ConfigError, DataError
from unrolled.data.batch import Batch
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import ClassDecoding
from unrolled.prepare.series import Column
from unrolled.program.shapes import Outputs
from unrolled.tasks import Classify, Scales, make_task

BEAT = Column(name="beat", role="target", kind="category", level="case", categories=("N", "S", "V"))
ALARM = Column(name="alarm", role="target", kind="category", level="case", categories=("no", "yes"))


def batch(y: Any, weight: Any = None) -> Batch:
    return Batch(x=torch.zeros(len(y), 1, 1), y=torch.as_tensor(y), weight=weight)


def test_sizes_follow_the_classes(make_series: Any) -> None:
    series = make_series([4, 4], [Column(name="u"), BEAT, ALARM])
    assert Classify().outputs(series) == Outputs(steps=1, targets=2, values=3)
    assert Classify().decoding(series) == ClassDecoding(
        targets=("beat", "alarm"), classes=(("N", "S", "V"), ("no", "yes"))
    )


def test_a_sequence_is_one_sample(make_series: Any) -> None:
    series = make_series([4, 6], [Column(name="u"), BEAT], cases=[[0], [np.nan]])
    samples = Classify().samples(series, [(0, 0, 4), (1, 4, 10)], window=None)
    assert (samples.begin.tolist(), samples.end.tolist()) == ([0], [4])  # the second has no label
    with pytest.raises(DataError, match="no sample has a value in the target 'beat'"):
        Classify().samples(series, [(1, 4, 10)], window=None)


def test_a_label_that_changes_along_the_sequence_needs_a_window(make_series: Any) -> None:
    label = Column(name="state", role="target", kind="category", categories=("a", "b"))
    series = make_series([9], [label], values=np.arange(9)[:, None] % 2)
    with pytest.raises(ConfigError, match="window"):
        Classify().samples(series, [(0, 0, 9)], window=None)
    samples = Classify().samples(series, [(0, 5, 9)], window=3, stride=2)
    assert samples.end.tolist() == [6, 8]


def test_balanced_weights_are_scikit_learns_and_enter_the_loss() -> None:
    codes = np.array([0] * 7 + [1] * 2 + [2])
    fitted = make_task("classify", {"class_weights": "balanced"}).fit(codes[:, None].astype(np.float64))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=codes)
    assert isinstance(fitted, Classify)
    assert not isinstance(fitted.settings.class_weights, str)
    np.testing.assert_allclose(fitted.settings.class_weights[0], expected)
    torch.manual_seed(0)
    output, y = torch.randn(10, 1, 1, 3), torch.as_tensor(codes).float()[:, None]
    torch.testing.assert_close(
        fitted.loss(output, batch(y)),
        functional.cross_entropy(output[:, 0, 0], y[:, 0].long(), weight=torch.tensor(expected).float()),
    )
    assert Classify.options.model_validate_json(fitted.settings.model_dump_json()) == fitted.settings


def test_weights_that_were_not_fitted_or_do_not_fit_are_refused() -> None:
    output, y = torch.randn(2, 1, 1, 3), torch.zeros(2, 1)
    with pytest.raises(ConfigError, match="not fitted"):
        make_task("classify", {"class_weights": "balanced"}).loss(output, batch(y))
    with pytest.raises(ConfigError, match="class weights are given for"):
        make_task("classify", {"class_weights": [[1.0, 1, 1, 1]]}).loss(output, batch(y))


def test_several_labels_share_one_loss() -> None:
    torch.manual_seed(1)
    output, y = torch.randn(6, 1, 2, 3), torch.tensor([[0, 1], [2, 0], [1, 1], [0, 0], [2, 1], [1, 0]]).float()
    expected = functional.cross_entropy(output[:, 0].movedim(-1, 1), y.long())
    torch.testing.assert_close(Classify().loss(output, batch(y)), expected)
    weight = torch.tensor([1.0, 0, 0, 0, 0, 0])
    torch.testing.assert_close(
        Classify().loss(output, batch(y, weight)), functional.cross_entropy(output[0, 0], y[0].long())
    )


def test_figures_of_one_label() -> None:
    rng = np.random.default_rng(0)
    output, truth = rng.normal(size=(50, 1, 1, 3)), rng.integers(0, 3, (50, 1)).astype(float)
    truth[:3] = np.nan
    answer = decode(output, ClassDecoding(targets=("beat",), classes=(("N", "S", "V"),)))
    found = {s.name: s.value for s in Classify().metrics(truth, answer)}
    codes, predicted = truth[3:, 0].astype(int), output[3:, 0, 0].argmax(-1)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(codes, predicted))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(codes, predicted, average="macro"))
    assert answer.probability is not None
    assert found["log_loss"] == pytest.approx(metrics.log_loss(codes, answer.probability[3:, 0]))
    assert found["recall:V"] == pytest.approx(metrics.recall_score(codes, predicted, labels=[2], average=None)[0])


def test_figures_of_several_labels() -> None:
    output = np.zeros((4, 1, 2, 3))
    output[:, 0, 0, 1] = output[:, 0, 1, 0] = 9  # says class 1 of the first label, class 0 of the second
    truth = np.array([[1, 0], [1, 1], [0, 0], [1, np.nan]])
    answer = decode(output, ClassDecoding(targets=("x", "y"), classes=(("a", "b", "c"), ("no", "yes"))))
    found = {s.name: s.value for s in Classify().metrics(truth, answer)}
    assert found["accuracy"] == pytest.approx(5 / 7)
    assert found["exact_match"] == pytest.approx(1 / 3)
    assert found["accuracy:x"] == 3 / 4 and found["accuracy:y"] == 2 / 3
    assert found["macro_f1:y"] == pytest.approx(metrics.f1_score([0, 1, 0], [0, 0, 0], average="macro"))


def test_calibration_lowers_the_log_loss_of_an_overconfident_net() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(3000, 1, 1, 3))
    chance = np.exp(logits[:, 0, 0]) / np.exp(logits[:, 0, 0]).sum(-1, keepdims=True)
    truth = np.array([[rng.choice(3, p=row)] for row in chance], dtype=float)
    plain = ClassDecoding(targets=("beat",), classes=(("N", "S", "V"),))
    fitted = Classify().calibrate(4 * logits[:1500], truth[:1500], plain)
    before, after = (
        {s.name: s.value for s in Classify().metrics(truth[1500:], decode(4 * logits[1500:], decoding))}
        for decoding in (plain, fitted)
    )
    assert after["log_loss"] < 0.7 * before["log_loss"] and after["ece"] < 0.05 < before["ece"]
    assert after["accuracy"] == before["accuracy"]


def test_the_measure_is_the_log_loss() -> None:
    output, y = torch.randn(5, 1, 1, 3), torch.tensor([[0.0], [1], [2], [1], [0]])
    measured = Classify().measure([(output[:2], batch(y[:2])), (output[2:], batch(y[2:]))])
    assert measured.name == "log_loss"
    assert measured.value == pytest.approx(float(functional.cross_entropy(output[:, 0, 0], y[:, 0].long())), rel=1e-5)
    several = Classify().measure([(torch.zeros(2, 1, 2, 2), batch([[0.0, 1], [1, 0]]))])
    assert several.value == pytest.approx(np.log(2))


def test_the_headline_follows_the_weights() -> None:
    answer = decode(np.zeros((1, 1, 1, 2)), ClassDecoding(targets=("x",), classes=(("a", "b"),)))
    assert Classify().headline(answer, Scales()) == "accuracy"
    assert make_task("classify", {"class_weights": "balanced"}).headline(answer, Scales()) == "macro_f1"


def test_a_number_or_a_single_class_cannot_be_classified(make_series: Any) -> None:
    with pytest.raises(ConfigError, match="'y' is a number"):
        Classify().outputs(make_series([5]))
    single = BEAT.model_copy(update={"categories": ("N",)})
    with pytest.raises(DataError, match="only one class"):
        Classify().outputs(make_series([5], [single]))
