"""The look inside the net during training: right figures, warnings once, no trace in the weights."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tests.train.small import Memory, data, digest, net, squared_error
from torch import Tensor, nn

from unrolled.core.diagnosis import Finding
from unrolled.nets import Recurrent
from unrolled.train import Fitting, Hook, Progress, TrainSettings, fit
from unrolled.train.vitals import Vitals, alarms
from unrolled.train.watch import spiked


class Own(nn.Module):
    """A layer of this package and a head; ``dead`` units stay at zero whatever is learnt."""

    def __init__(self, dead: int = 0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.recurrent, self.head = Recurrent("lstm", 3, 8), nn.Linear(8, 1)
        with torch.no_grad():
            self.recurrent.weights()[0]["bias_ih"].chunk(4)[3][:dead] = -30  # the output gate

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, static: Tensor | None = None, known: Tensor | None = None
    ) -> Tensor:
        answer: Tensor = self.head(self.recurrent(x, lengths=lengths)[0][:, -1])
        return answer[:, None, :, None]


def settings(**options: object) -> TrainSettings:
    return TrainSettings.model_validate({"epochs": 3, "batch_size": 8, "device": "cpu", **options})


def test_steps_that_are_looked_at() -> None:
    vitals = Vitals(Own(), 50)
    assert [step for step in range(160) if vitals.due(step)] == [0, 1, 2, 4, 8, 16, 32, 50, 100, 150]
    assert not any(Vitals(Own(), None).due(step) for step in range(100))


def test_the_ratio_is_that_of_the_weights() -> None:
    module = Own()
    vitals = Vitals(module, 1)
    before = module.head.weight.detach().clone()
    with vitals.looking(0):
        module(torch.randn(4, 5, 3))
        with torch.no_grad():
            module.head.weight.add_(0.03 * before)
            module.head.bias.add_(100.0)
    assert vitals.fastest == "head.weight"
    assert vitals.row() == {"update_ratio": pytest.approx(0.03, rel=1e-5)}


def test_dead_units_are_counted_inside_the_true_lengths() -> None:
    vitals = Vitals(module := Own(dead=2), 1)
    with torch.no_grad():
        module.recurrent.weights()[0]["bias_ih"].chunk(4)[0][2:4] = 40  # c saturates, and with it h; padding is zero
        module.recurrent.weights()[0]["bias_ih"].chunk(4)[1][2:4] = -40
        module.recurrent.weights()[0]["bias_ih"].chunk(4)[2][2:4] = 40
        module.recurrent.weights()[0]["bias_ih"].chunk(4)[3][2:4] = 40
    with vitals.looking(0):
        module(torch.randn(6, 9, 3), lengths=torch.tensor([9, 3, 4, 5, 9, 2]))
    assert vitals.dead == 0.5


def test_looking_changes_nothing() -> None:
    digests = set()
    for every in (None, 1):
        module = net(dropout=0.3)
        fit(module, Memory(*data(40, 1), 8), squared_error, settings(look_every=every))
        digests.add(digest(module))
    assert len(digests) == 1


class Ear(Hook):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.heard: list[Finding] = []

    def on_alarm(self, fitting: Fitting, found: Finding) -> None:
        self.heard.append(found)


def test_a_rate_that_is_too_high_is_told_once_and_kept(tmp_path: Path) -> None:
    ear, output = Ear(), io.StringIO()
    hooks = [ear, Progress(console=Console(file=output, width=200))]
    fit(Own(), Memory(*data(40, 1), 8), squared_error, settings(learning_rate=0.3), folder=tmp_path, hooks=hooks)
    assert [found.code for found in ear.heard].count("learning_rate_high") == 1
    (line,) = (line for line in output.getvalue().splitlines() if "weights by" in line)
    assert line.startswith("! head.weight: ") and line.endswith("Divide it by ten: learning_rate: 0.03.")
    rows = [json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row.get("alarm_learning_rate_high") for row in rows] == [1.0, None, None]
    assert rows[0]["update_ratio"] > 0.1


def test_dead_units_are_told_in_chinese() -> None:
    output = io.StringIO()
    hooks = [Progress("zh", Console(file=output, width=200))]
    fit(Own(dead=4), Memory(*data(40, 1), 8), squared_error, settings(), hooks=hooks)
    assert "! 50% 的循环单元已不再变化。" in output.getvalue()


def test_a_healthy_run_is_left_in_peace() -> None:
    ear = Ear()
    fit(Own(), Memory(*data(200, 1), 8), squared_error, settings(), hooks=[ear])
    assert ear.heard == []


def test_a_resumed_run_has_the_figures_of_a_whole_one(tmp_path: Path) -> None:
    class Stop(Hook):
        def on_epoch(self, fitting: Fitting) -> None:
            fitting.stop = "enough" if fitting.epoch == 2 else fitting.stop

    batches = Memory(*data(40, 1), 8)
    whole = fit(Own(), batches, squared_error, settings(epochs=4, look_every=3, learning_rate=0.2))
    same = settings(epochs=4, look_every=3, learning_rate=0.2, checkpoint_seconds=0)
    fit(Own(), batches, squared_error, same, folder=tmp_path, hooks=[Stop()])
    rest = fit(Own(), batches, squared_error, same, folder=tmp_path, resume=True)
    plain = [{key: value for key, value in row.items() if key != "seconds"} for row in whole.rows]
    assert [{key: value for key, value in row.items() if key != "seconds"} for row in rest.rows] == plain


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"update_ratio": 0.4, "lr": 0.1}, "learning_rate_high"),
        ({"update_ratio": 1e-8, "lr": 1e-9}, "learning_rate_low"),
        ({"dead_units": 0.5}, "units_die"),
        ({"loss_spikes": 4.0}, "loss_spikes"),
        ({"clip_rate": 1.0}, "clipped_often"),
    ],
)
def test_what_a_row_warns_of(row: dict[str, float], code: str) -> None:
    (found,) = alarms(row)
    assert found.code == code and found.cause.zh and found.action.en


def test_spikes_stand_out_of_noise() -> None:
    noise = [1 + 0.05 * ((7 * at) % 11 - 5) for at in range(64)]
    assert spiked(5.0, noise) and not spiked(1.6, noise) and not spiked(5.0, noise[:10])
    assert not spiked(1e-6, [0.0] * 8 + [1e-6] * 8 + [2e-6] * 16)
