"""Tags: what the loss counts, and which samples there are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.tasks.conftest import MakeSeries

from unrolled.core.errors import DataError
from unrolled.data.batch import Batch
from unrolled.prepare.answer import Answer
from unrolled.prepare.series import Column
from unrolled.program.shapes import Outputs
from unrolled.tasks import Scales, Tag

_LABEL = Column(name="label", role="target", kind="category", categories=("B-a", "I-a", "O"))


def test_the_net_answers_every_step(make_series: MakeSeries) -> None:
    assert Tag().outputs(make_series([3], [_LABEL])) == Outputs(values=3, every=True)


def test_the_loss_is_the_mean_over_rows_with_a_label() -> None:
    torch.manual_seed(0)
    output, codes = torch.randn(2, 4, 1, 3), torch.tensor([[0.0, 1, 2, 1], [2, 0, float("nan"), float("nan")]])
    output[1, 2:] = float("nan")  # beyond a sequence's length there may be anything
    output.requires_grad_()
    weight = torch.tensor([1.0, 3.0])
    loss = Tag().loss(output, Batch(x=torch.zeros(2, 4, 1), y=codes[..., None], weight=weight))
    one = [
        -torch.log_softmax(output[b, t, 0], -1)[int(codes[b, t])] for b in range(2) for t in range(4 if not b else 2)
    ]
    expected = (sum(one[:4]) + 3 * sum(one[4:])) / (4 + 6)
    torch.testing.assert_close(loss, expected)
    torch.autograd.backward(loss)
    assert output.grad is not None and output.grad[1, 2:].eq(0).all()


def test_sequences_without_any_label_are_left_out(make_series: MakeSeries) -> None:
    values = [[0], [np.nan], [np.nan], [np.nan], [2]]
    series = make_series([2, 2, 1], [_LABEL], values=values)
    samples = Tag().samples(series, [(0, 0, 2), (1, 2, 4), (2, 4, 5)], window=None)
    assert samples.series.tolist() == [0, 2] and samples.counts.tolist() == [2, 1]
    with pytest.raises(DataError, match="no row has a label"):
        Tag().samples(series, [(1, 2, 4)], window=None)


def test_figures_of_chunks_come_first_and_know_where_sequences_begin() -> None:
    truth = np.array([[0.0], [1], [1], [2]])
    said = Answer(
        "tag", np.array([[0.0], [1], [1], [2]]), probability=np.eye(3)[[0, 1, 1, 2]][:, None], targets=("label",),
        classes=(_LABEL.categories,),
    )  # fmt: skip
    scales = Scales(fresh=np.array([True, False, True, False]))
    task = Tag()
    found = {figure.name: figure for figure in task.metrics(truth, said, scales)}
    assert task.headline(said, scales) == "chunk_f1" and found["chunk_f1"].value == 1 and found["accuracy"].value == 1
    amounts = found["chunk_f1"].draws(np.array([[1.0, 0.0]]), np.array([0, 0, 1, 1]))
    assert amounts[0] == 1
