"""Faults that were put in are found and named, and healthy nets are left in peace."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.diagnose.nets import batch_of, net_of, recurrent_of, squared

from unrolled.core.diagnosis import Diagnosis, Finding
from unrolled.core.records import Language
from unrolled.data import Batch
from unrolled.diagnose import examine, learning, observe
from unrolled.diagnose.gates import activations, kept
from unrolled.diagnose.order import shuffled
from unrolled.report.diagnosis import render

CELLS = ("lstm", "gru", "rnn")


def named(findings: tuple[Finding, ...], *levels: str) -> set[str]:
    return {finding.code for finding in findings if finding.level in levels}


def found(net: torch.nn.Module, batch: Batch | None = None, **facts: Any) -> tuple[Finding, ...]:
    return examine(net, [batch or batch_of(time=40)], squared, columns=["a", "b", "c"], **facts)


@pytest.mark.parametrize("cell", CELLS)
def test_a_healthy_start_has_nothing_broken(cell: str) -> None:
    findings = found(net_of({cell: {"size": 16, "initial": {"recurrent": "orthogonal"}}}))
    assert named(findings, "broken") == set()


def test_gates_equal_those_of_the_equations() -> None:
    net, batch = net_of({"lstm": {"size": 4}}), batch_of(ragged=True)
    (run,) = observe(net, batch, squared)
    assert batch.lengths is not None
    values = activations(run)
    assert set(values) == {"i", "f", "o"}
    weights = {name: weight.detach() for name, weight in run.request.weights.items()}
    before = torch.stack([state[0] for state in run.states[:-1]]).detach()
    gates = batch.x.swapaxes(0, 1) @ weights["weight_ih"].T + weights["bias_ih"] + weights["bias_hh"]
    gates = gates + before @ weights["weight_hh"].T
    forget = torch.sigmoid(gates[..., 4:8])[run.inside()]
    np.testing.assert_allclose(values["f"], forget.numpy(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(kept(run), forget, rtol=1e-4, atol=1e-6)


def test_a_plain_net_holds_nothing_directly() -> None:
    (run,) = observe(net_of({"rnn": {"size": 4}}), batch_of(), squared)
    assert float(kept(run).abs().max()) == 0


def test_a_closed_forget_gate() -> None:
    net = net_of({"lstm": {"size": 16, "initial": {"forget": -6}}})
    assert "forgets_at_once" in named(found(net), "broken")


@pytest.mark.parametrize("cell", CELLS)
def test_a_recurrence_that_shrinks(cell: str) -> None:
    net = net_of({cell: {"size": 16, "initial": {"forget": -6}}})
    with torch.no_grad():
        layer = recurrent_of(net)
        for name, parameter in layer.named_parameters():
            if "weight_hh" in name:
                parameter.mul_(0.1)
            if cell == "gru" and name.startswith("bias_ih"):
                parameter[16:32] = -6  # z keeps
    assert "vanishing_gradient" in named(found(net), "broken")


@pytest.mark.parametrize("cell", CELLS)
def test_a_recurrence_that_stretches(cell: str) -> None:
    net = net_of({cell: {"size": 32, "initial": {"recurrent": "orthogonal"}}})
    with torch.no_grad():
        for name, parameter in recurrent_of(net).named_parameters():
            if "weight_hh" in name:
                parameter.mul_(8)
            if "ih" in name:
                parameter.mul_(0.1)
    assert named(found(net), "broken", "watch") & {"exploding_gradient", "chaotic", "state_saturated"}


@pytest.mark.parametrize("cell", CELLS)
def test_half_of_the_units_dead(cell: str) -> None:
    net = net_of({cell: {"size": 16}})
    with torch.no_grad():
        for parameter in recurrent_of(net).parameters():
            for gate in parameter.chunk(parameter.shape[0] // 16):
                gate[:8] = 0
    findings = found(net)
    assert "dead_units" in named(findings, "broken")
    (one,) = (finding for finding in findings if finding.code == "dead_units")
    assert one.figures["dead"] == 0.5


def test_equal_units() -> None:
    net = net_of({"rnn": {"size": 8}})
    with torch.no_grad():
        for parameter in recurrent_of(net).parameters():
            parameter[:] = parameter[:1]
    assert "units_alike" in named(found(net), "watch")


def test_a_leaked_target_is_named() -> None:
    batch = batch_of(count=60)
    x = batch.x.clone()
    x[:, -1, 1] = 3 * batch.y[:, 0] - 1
    findings = found(net_of({"gru": {"size": 8}}), replace(batch, x=x))
    (leaked,) = (finding for finding in findings if finding.code == "leaked_target")
    assert "'b'" in leaked.said.en and leaked.level == "broken"
    assert "leaked_target" not in named(found(net_of({"gru": {"size": 8}}), batch), "broken")


def test_a_leaked_class_is_named() -> None:
    batch = batch_of(count=60)
    codes = (torch.arange(60) % 3).float()[:, None]
    x = batch.x.clone()
    x[:, :, 2] = codes
    leaking = replace(batch, x=x, y=codes)
    findings = examine(net_of({"gru": {"size": 8}}), [leaking], squared, columns=["a", "b", "c"], classes=True)
    assert "leaked_target" in named(findings, "broken")


def test_shuffling_keeps_the_steps_of_each_sequence() -> None:
    batch = batch_of(ragged=True)
    assert batch.lengths is not None
    mixed = shuffled(batch, torch.Generator().manual_seed(0))
    for at, length in enumerate(batch.lengths.tolist()):
        torch.testing.assert_close(mixed.x[at, :length].sort(0).values, batch.x[at, :length].sort(0).values)
        assert torch.equal(mixed.x[at, length:], batch.x[at, length:])
    assert not torch.equal(mixed.x, batch.x)


def test_order_that_is_not_used() -> None:
    net = net_of({"dense": {"size": 8}}, {"pool": {"kind": "mean"}})
    assert "order_unused" in named(found(net), "watch")


def rows(losses: list[float], valid: list[float] | None = None, clip: float = 0.0) -> list[dict[str, float]]:
    return [
        {"train_loss": loss, "clip_rate": clip} | ({} if valid is None else {"valid_loss": valid[at]})
        for at, loss in enumerate(losses)
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (rows([1.0, 0.5, 0.2]), "learned"),
        (rows([1.0, 1.0, 0.999]), "not_learning"),
        (rows([1.0, 0.3, 0.9]), "diverging"),
        (rows([1.0, 0.5, float("nan")]), "diverging"),
        (rows([1.0, 0.5, 0.2, 0.1], [1.0, 0.6, 0.7, 0.9]), "overfitting"),
        (rows([1.0, 0.95, 0.9, 0.87, 0.84, 0.8, 0.75, 0.7]), "underfitting"),
        ([{"train_loss": 1.0, "lr": 0.1, "update_ratio": 0.4}, {"train_loss": 0.9}], "learning_rate_high"),
        (rows([1.0, 0.5, 0.2], clip=0.99), "clipped_often"),
    ],
)
def test_curves(given: list[dict[str, float]], code: str) -> None:
    assert code in {finding.code for finding in learning(given)}


def test_a_noisy_end_is_no_divergence() -> None:
    losses = [0.7, 0.5, 0.3, 0.1, 0.03, 0.05, 0.08, 0.04]
    assert "learned" in {finding.code for finding in learning(rows(losses))}


def test_one_epoch_says_nothing() -> None:
    assert list(learning(rows([1.0]))) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_and_the_record(language: Language) -> None:
    net = net_of({"lstm": {"size": 16, "initial": {"forget": -6}}})
    record = Diagnosis(source="<run>", data="file.csv", samples=12, findings=found(net))
    page = render(record, language)
    assert "&lt;run&gt;" in page and "<run>" not in page
    assert Diagnosis.model_validate(json.loads(record.model_dump_json())) == record
    assert record.level == "broken"
