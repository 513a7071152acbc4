"""The regression task, remaining useful life above all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from unrolled.data.batch import Batch
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import NumberDecoding
from unrolled.prepare.series import Column
from unrolled.program.shapes import Outputs
from unrolled.tasks import Regress, Scales, make_task


def test_figures_of_a_capped_life_as_given_and_capped() -> None:
    task = make_task("regress", {"cap": 125})
    truth = np.array([[145.0], [100.0]])
    answer = decode(np.array([125.0, 110.0]).reshape(2, 1, 1, 1), task.decoding(Life()))
    found = {s.name: s.value for s in task.metrics(truth, answer)}
    assert found["rmse"] == pytest.approx(np.sqrt((20**2 + 10**2) / 2))
    assert found["rmse_capped"] == pytest.approx(np.sqrt(10**2 / 2))
    assert found["nasa_score"] == pytest.approx(np.expm1(20 / 13) + np.expm1(1))
    assert found["nasa_score_capped"] == pytest.approx(np.expm1(1))
    assert found["r2"] == pytest.approx(r2_score(truth, answer.value))
    assert task.headline(answer, Scales()) == "rmse_capped"


class Life:
    """Columns of a remaining useful life."""

    def of_role(self, *roles: str) -> tuple[Column, ...]:
        return (Column(name="life", role="target"),)


def test_answers_of_a_capped_life_lie_between_zero_and_the_cap() -> None:
    task = make_task("regress", {"cap": 125})
    output = np.array([-7.0, 60.0, 190.0]).reshape(3, 1, 1, 1)
    assert decode(output, task.decoding(Life())).value[:, 0].tolist() == [0, 60, 125]
    assert decode(output, Regress().decoding(Life())).value[:, 0].tolist() == [-7, 60, 190]


def test_a_plain_number_has_no_score_for_machines() -> None:
    task = Regress()
    answer = decode(np.zeros((3, 1, 1, 1)), task.decoding(Life()))
    names = {s.name for s in task.metrics(np.arange(3.0)[:, None], answer)}
    assert names == {"rmse", "mae", "r2"}


def test_intervals_are_calibrated_for_regressions_too() -> None:
    rng = np.random.default_rng(0)
    task, truth, output = make_task("regress", {"coverage": 0.8}), rng.normal(size=(1000, 1)), np.zeros((1000, 1, 1, 1))
    fitted = task.calibrate(output[:500], truth[:500], NumberDecoding(task="regress", targets=("life",)))
    found = {s.name: s.value for s in task.metrics(truth[500:], decode(output[500:], fitted))}
    assert found["coverage"] == pytest.approx(0.8, abs=0.05)


def test_windows_end_at_each_row_or_at_the_last(make_series: Any) -> None:
    series = make_series([40, 5], [Column(name="u"), Column(name="life", role="target")])
    spans = [(0, 0, 40), (1, 40, 45)]
    every = Regress().samples(series, spans, window=30)
    assert every.end.tolist() == [*range(30, 41), 45]
    last = Regress().samples(series, spans, window=30, last=True)
    assert (last.begin.tolist(), last.end.tolist()) == ([10, 40], [40, 45])


def test_loss_measure_and_sizes(make_series: Any) -> None:
    series = make_series([9], [Column(name="p", role="target"), Column(name="q", role="target")])
    assert Regress().outputs(series) == Outputs(steps=1, targets=2, values=1)
    y = torch.tensor([[1.0, torch.nan], [3.0, 5.0]])
    batch = Batch(x=torch.zeros(2, 1, 1), y=y)
    output = torch.zeros(2, 1, 2, 1)
    assert float(Regress().loss(output, batch)) == pytest.approx((1 + 9 + 25) / 3)
    assert float(make_task("regress", {"loss": "mae"}).loss(output, batch)) == 3
    assert Regress().measure([(output, batch)]).value == pytest.approx(np.sqrt(35 / 3))
    assert make_task("regress", {"loss": "huber"}).measure([(output, batch)]).name == "mae"
