"""Strings of labels: what the loss counts, which strings fit, and the figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.tasks.conftest import MakeSeries

from unrolled.core.errors import ConfigError, DataError
from unrolled.data.batch import Batch
from unrolled.nets import Net
from unrolled.prepare.answer import Answer
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column
from unrolled.prepare.spelling import padded
from unrolled.program.shapes import Inputs, Outputs
from unrolled.tasks import Ctc, CtcSettings, Scales

_STRING = Column(name="said", role="target", kind="characters", level="case", categories=("a", "b"))
_NAN = math.nan


def test_the_net_gives_the_blank_and_each_label_at_its_steps(make_series: MakeSeries) -> None:
    series = make_series([3], [_STRING], values=np.zeros((3, 0)), cases=[[0]])
    assert Ctc().outputs(series) == Outputs(values=3, every=True, blank=True)
    decoding = Ctc(CtcSettings(beam=4)).decoding(series)
    assert decoding.labels == ("a", "b") and decoding.width == 4 and decoding.spelling == "characters"
    with pytest.raises(ConfigError, match="2 targets"):
        Ctc().outputs(make_series([3], [_STRING, _STRING.model_copy(update={"name": "too"})], np.zeros((3, 0))))


def test_the_loss_is_that_of_torch_for_each_label_and_weighted() -> None:
    torch.manual_seed(0)
    output = torch.randn(3, 9, 1, 3, requires_grad=True)
    codes = torch.tensor([[0.0, 0, 1], [1, _NAN, _NAN], [_NAN, _NAN, _NAN]])
    weight = torch.tensor([1.0, 3.0, 5.0])
    loss = Ctc().loss(output, Batch(x=torch.zeros(3, 9, 1), y=codes, weight=weight))
    rows = torch.log_softmax(output[:, :, 0], -1)
    each = []
    for b, one in enumerate([[1, 1, 2], [2]]):
        sizes = torch.tensor(9), torch.tensor(len(one))
        each.append(torch.nn.functional.ctc_loss(rows[b], torch.tensor(one), *sizes, reduction="sum") / len(one))
    torch.testing.assert_close(loss, (each[0] + 3 * each[1]) / 4)
    torch.autograd.backward(loss)
    assert output.grad is not None and output.grad[2].eq(0).all()


def test_padding_changes_neither_the_loss_nor_its_gradient() -> None:
    """Behind its end a sequence is sure to say nothing, so lengths need not be known outside the net."""
    torch.manual_seed(1)
    net = Net([{"conv": {"channels": 4, "stride": 2, "norm": "layer"}}, {"gru": {"size": 4}}], Inputs(numbers=2),
              Ctc().outputs(_Columns())).eval()  # fmt: skip
    x, codes = torch.randn(1, 11, 2), torch.tensor([[0.0, 1]])
    wide = torch.cat([x, torch.full((1, 8, 2), 7.0)], 1)

    def judged(x: torch.Tensor, lengths: torch.Tensor | None) -> tuple[torch.Tensor, list[torch.Tensor]]:
        net.zero_grad()
        loss = Ctc().loss(net(x, lengths), Batch(x=x, y=codes))
        torch.autograd.backward(loss)
        return loss.detach(), [weight.grad.clone() for weight in net.parameters() if weight.grad is not None]

    torch.testing.assert_close(judged(wide, torch.tensor([11])), judged(x, None))


class _Columns:
    def of_role(self, *roles: str) -> tuple[Column, ...]:
        return (_STRING,) if "target" in roles else ()


@pytest.mark.parametrize(("pace", "string", "fits"), [(1, "abab", True), (1, "aab", True), (1, "aaab", False),
                                                      (2, "ab", True), (2, "aa", False), (4, "a", True)])  # fmt: skip
def test_a_string_needs_as_many_steps_as_it_has_labels_and_blanks(
    make_series: MakeSeries, pace: int, string: str, fits: bool
) -> None:
    series = make_series([9, 4], [_STRING], values=np.zeros((13, 0)), cases=[[0], [0]])
    truth = padded([["ab".index(label) for label in text] for text in ("a", string)])
    samples = Samples(np.array([0, 9]), np.array([9, 13]), np.array([0, 1]))
    if fits:
        Ctc().refuse(series, samples, truth, pace)
        return
    with pytest.raises(DataError, match=r"sequence 's1'.*has 4 steps"):
        Ctc().refuse(series, samples, truth, pace)


def test_figures_count_labels_and_whole_strings() -> None:
    truth = padded([[0, 1, 1], [1], [0, 0], []])
    said = Answer("ctc", padded([[0, 1], [1], [1, 0, 0, 1], [1]]), classes=(("a", "b"),), spelling="characters")
    found = {figure.name: figure for figure in Ctc().metrics(truth, said, Scales())}
    assert found["label_error_rate"].value == pytest.approx((1 + 0 + 2 + 1) / 6)
    assert found["exact_match"].value == pytest.approx(1 / 3)  # what has no known string counts for no match
    drawn = found["label_error_rate"].draws(np.array([[2.0, 0, 1, 0]]), np.arange(4))
    assert drawn[0] == pytest.approx((2 * 1 + 2) / (2 * 3 + 2))


def test_validation_reads_batches_of_any_width() -> None:
    sure = {0: [5.0, 0, 0], 1: [0, 5.0, 0], 2: [0, 0, 5.0]}

    def output(*paths: list[int]) -> torch.Tensor:
        return torch.tensor([[sure[code] for code in path] for path in paths])[:, :, None]

    first, second = torch.tensor([[0.0, 0, 1], [1, _NAN, _NAN]]), torch.tensor([[1.0]])
    pairs = [
        (output([1, 0, 1, 2], [2, 2, 0, 0]), Batch(x=torch.zeros(2, 4, 1), y=first)),
        (output([1, 0]), Batch(x=torch.zeros(1, 2, 1), y=second)),
    ]
    metric = Ctc().measure(pairs)
    assert metric.name == "label_error_rate" and metric.better == "lower" and metric.value == pytest.approx(1 / 5)
