"""The recommendation task: what is learnt and asked of a session, ranking losses, figures."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError, DataError
from unrolled.data.batch import Batch
from unrolled.data.every_step import Candidates, EveryStep
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import RankDecoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Scales, make_task, sampled
from unrolled.tasks.sessions import beginnings, pieces

ITEM = Column(name="item", role="target", kind="category", categories=("a", "b", "c", "d"))


def sessions(make_series: Any, *codes: list[float]) -> Series:
    values = np.concatenate(codes)[:, None]
    made: Series = make_series([len(some) for some in codes], [ITEM], values=values)
    return made


def fitted(series: Series, least: int = 1, upto: int | None = None) -> Preprocessor:
    spans = [(s, int(series.starts[s]), int(series.starts[s + 1])) for s in range(upto or len(series.ids))]
    return Preprocessor(Schema(task="recommend", columns=(ITEM,))).fit(series, spans, least=least)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(1, 4))
def test_every_item_that_follows_is_asked_once_and_learnt_once(lengths: list[int], window: int) -> None:
    starts = np.concatenate([[0], np.cumsum(lengths)])
    series = Series(np.zeros((starts[-1], 1), np.float32), np.zeros((len(lengths), 0), np.float32), starts, (), (ITEM,))
    spans = [(s, int(a), int(b)) for s, (a, b) in enumerate(pairwise(starts))]
    expected = [(max(a, end - window), end, s) for s, a, b in spans for end in range(a + 1, b)]
    asked = beginnings(series, spans, window=window)
    assert list(zip(asked.begin, asked.end, asked.series, strict=True)) == expected
    learnt = pieces(series, spans, window=window)
    assert learnt.lengths.max(initial=0) <= window
    rows = [row + 1 for begin, end in zip(learnt.begin, learnt.end, strict=True) for row in range(begin, end)]
    assert rows == [end for _, end, _ in expected]


def test_a_span_inside_a_session_asks_for_its_own_rows(make_series: Any) -> None:
    series = sessions(make_series, [0, 1, 2, 3, 0, 1])
    found = beginnings(series, [(0, 3, 5)], window=2)
    assert (found.begin.tolist(), found.end.tolist()) == ([1, 2], [3, 4])


def test_truth_is_the_item_of_the_next_row(make_series: Any) -> None:
    series = sessions(make_series, [0, 1, 3], [2, 1])
    preprocessor = fitted(series, upto=1)  # training has seen a, b and d
    assert preprocessor.classes == (("a", "b", "d"),)
    samples = Samples(np.array([0, 0, 3, 3]), np.array([2, 3, 4, 5]), np.array([0, 0, 1, 1]))
    np.testing.assert_array_equal(preprocessor.truth(series, samples)[:, 0, 0], [2, np.nan, 1, np.nan])
    x = preprocessor.arrays(series, samples, truth=False).x
    np.testing.assert_array_equal(x[2, :, 0], [3, 0, 0])  # c is not known; behind it stands padding


def test_rare_items_are_not_told_apart(make_series: Any) -> None:
    series = sessions(make_series, [0, 1, 0], [1, 2, 0])
    assert fitted(series, least=2).classes == (("a", "b"),)


def test_training_answers_at_each_step_whose_item_is_known(make_series: Any) -> None:
    series = sessions(make_series, [0, 1, 3, 0], [2, 1, 2])
    preprocessor = fitted(series, upto=1)
    learnt = pieces(series, [(0, 0, 4), (1, 4, 7)], window=10)
    arrays = EveryStep(preprocessor).arrays(series, learnt)
    np.testing.assert_array_equal(arrays.steps, [[True, True, True], [True, False, False]])
    assert arrays.y is not None and arrays.y[:, 0].tolist() == [1, 2, 0, 1] and arrays.only is None
    weighted = Batch.of(arrays, np.array([2.0, 5.0]))
    assert weighted.weight is not None and weighted.weight.tolist() == [2, 2, 2, 5]
    assert set(weighted.inputs()) == {"x", "lengths", "static", "known", "steps"}


def test_candidates_hold_the_truth_and_are_drawn_by_popularity() -> None:
    samples = Samples(np.arange(3), np.arange(3) + 1, np.zeros(3, np.int64))
    chance = np.array([0.7, 0.1, 0.1, 0.1, 0.0])
    drawn = Candidates(chance, 1).of(np.array([4]), samples)
    assert 4 in drawn and np.all(np.diff(drawn) > 0)
    np.testing.assert_array_equal(drawn, Candidates(chance, 1).of(np.array([4]), samples))  # resumed runs are equal
    counts = np.zeros(5)
    for seed in range(2000):
        counts[Candidates(chance, 1, seed).of(np.zeros(0, np.int64), samples)] += 1
    np.testing.assert_allclose(counts / 2000, chance, atol=4 * np.sqrt(0.21 / 2000))


@pytest.mark.parametrize("place", [0, 2])
def test_ranking_losses_are_those_of_the_paper(place: int) -> None:
    r = np.random.default_rng(0).normal(size=5) * 2
    others = [j for j in range(5) if j != place]
    s = np.exp(r[others]) / np.exp(r[others]).sum()

    def sigmoid(value: Any) -> Any:
        return 1 / (1 + np.exp(-value))

    bpr = -np.log((s * sigmoid(r[place] - r[others])).sum()) + 0.5 * (s * r[others] ** 2).sum()
    top1 = (s * (sigmoid(r[others] - r[place]) + sigmoid(r[others] ** 2))).sum()
    scores, at = torch.from_numpy(r)[None], torch.tensor([place])
    assert sampled.bpr_max(scores, at, 0.5).item() == pytest.approx(bpr, rel=1e-12)
    assert sampled.top1_max(scores, at).item() == pytest.approx(top1, rel=1e-12)


@pytest.mark.parametrize("loss", ["bpr_max", "top1_max"])
def test_ranking_losses_stay_finite_and_push_the_truth_up(loss: str) -> None:
    task = make_task("recommend", {"loss": loss})
    output = torch.tensor([[200.0, -200.0, 0.0], [0.0, 1.0, 0.0]])[:, None, None].requires_grad_()
    batch = Batch(x=torch.zeros(1, 2, 1), y=torch.tensor([[30.0], [10.0]]), only=torch.tensor([10, 20, 30]))
    value = task.loss(output, batch)
    torch.autograd.backward(value)
    assert output.grad is not None and torch.isfinite(output.grad).all() and torch.isfinite(value)
    assert output.grad[1, 0, 0, 0] < 0 < output.grad[1, 0, 0, 1]


def test_validation_is_judged_by_cross_entropy_over_all_items() -> None:
    output = torch.randn(3, 1, 1, 4)
    truth = torch.tensor([[1.0], [4.0], [float("nan")]])  # an unknown item and an unknown truth count nothing
    found = make_task("recommend", {"loss": "bpr_max"}).loss(output, Batch(x=torch.zeros(3, 1, 1), y=truth))
    torch.testing.assert_close(found, -torch.log_softmax(output[0, 0, 0], 0)[1])


def test_figures_are_those_of_counting(make_series: Any) -> None:
    random = np.random.default_rng(3)
    output, truth = random.normal(size=(50, 1, 1, 40)), random.integers(0, 41, (50, 1)).astype(float)
    truth[7] = np.nan
    task = make_task("recommend")
    answer = decode(output, RankDecoding(targets=("item",), items=tuple(map(str, range(40)))))
    found = {figure.name: figure.value for figure in task.metrics(truth, answer, Scales())}
    ranks = [
        1 + int((scores > scores[int(code)]).sum()) if code < 40 else np.inf
        for scores, code in zip(output[:, 0, 0], truth[:, 0], strict=True)
        if np.isfinite(code)
    ]
    assert found["recall@5"] == pytest.approx(np.mean([rank <= 5 for rank in ranks]))
    assert found["recall@20"] == pytest.approx(np.mean([rank <= 20 for rank in ranks]))
    assert found["mrr@20"] == pytest.approx(np.mean([1 / rank if rank <= 20 else 0 for rank in ranks]))


def test_an_answer_lists_the_best_with_their_share_of_all() -> None:
    scores = np.array([[0.0, 2.0, 1.0, 2.0]])
    decoding = RankDecoding(targets=("item",), items=("a", "b", "c", "d"), top=3, temperature=2.0)
    answer = decode(scores[:, None, None], decoding)
    share = np.exp(scores[0] / 2) / np.exp(scores[0] / 2).sum()
    assert answer.ranking is not None and answer.ranking[0, 0].tolist() == [1, 3, 2]  # equal scores in order
    np.testing.assert_allclose(answer.probability[0, 0], share[[1, 3, 2]])  # type: ignore[index]


def test_calibration_takes_known_items_only() -> None:
    random = np.random.default_rng(0)
    output = random.normal(size=(400, 1, 1, 5)) * 10
    truth = np.where(random.random(400) < 0.7, output[:, 0, 0].argmax(1), random.integers(0, 6, 400))[:, None] * 1.0
    task = make_task("recommend")
    found = task.calibrate(output, truth, task._plain(output))
    assert isinstance(found, RankDecoding) and found.temperature > 2
    assert task.calibrate(output, np.full((400, 1), 5.0), task._plain(output)) == task._plain(output)


def test_what_is_no_session_is_refused(make_series: Any) -> None:
    task = make_task("recommend")
    with pytest.raises(ConfigError, match="all rows are one session"):
        task.lessons(sessions(make_series, [0, 1, 2]), [(0, 0, 3)], window=5)
    alone = sessions(make_series, [0], [1])
    with pytest.raises(DataError, match="no session has two rows"):
        task.samples(alone, [(0, 0, 1), (1, 1, 2)], window=5)
    with pytest.raises(ConfigError, match="a window is needed"):
        task.samples(alone, [(0, 0, 1)], window=None)
