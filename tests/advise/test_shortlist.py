"""Who is measured: nets that can be built, as the rules ask, within the limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tests.advise.test_rules import situation

from unrolled.advise import Place, ask, shortlist, wishes
from unrolled.advise.recipe import Recipe, build
from unrolled.nets import Net
from unrolled.nets.presets import preset
from unrolled.program.shapes import Inputs, Outputs

PLACES = {
    "classify": Place("classify", preset("classify").layers(), Inputs(numbers=3), Outputs(values=4)),
    "regress": Place("regress", preset("regress").layers(), Inputs(numbers=3), Outputs()),
    "failure": Place("failure", preset("failure").layers(), Inputs(numbers=3), Outputs()),
    "forecast": Place(
        "forecast", preset("forecast").layers(patch=6), Inputs(numbers=2, targets=2, length=48),
        Outputs(steps=12, targets=2),
    ),
    "one_step": Place(
        "forecast", preset("forecast-one-step").layers(), Inputs(numbers=2, targets=1, length=30), Outputs()
    ),
    "tag": Place("tag", preset("tag").layers(), Inputs(numbers=2), Outputs(values=3, every=True)),
    "anomaly": Place("anomaly", preset("anomaly").layers(), Inputs(numbers=2), Outputs(targets=2, every=True)),
    "pairs": Place("pairs", preset("pairs").layers(), Inputs(numbers=3), Outputs()),
}  # fmt: skip


def names(layers: Any) -> Iterator[str]:
    """All layer names and options of a spec."""
    if isinstance(layers, dict):
        for key, value in layers.items():
            yield str(key)
            yield from names(value)
    elif isinstance(layers, list):
        for entry in layers:
            yield from names(entry)


@pytest.mark.parametrize("length", [30, 120, 300])
@pytest.mark.parametrize("task", PLACES)
def test_every_net_can_be_built(task: str, length: int) -> None:
    place = PLACES[task]
    said = ask(situation(task=place.task, length=length, noise=0.3, missing=0.1))
    nets, notes = shortlist(said, wishes(), place)
    assert nets[0].name == "own" and len({net.name for net in nets}) == len(nets) >= 2
    for net in nets:
        Net(net.net, place.inputs, place.outputs)
    for note in notes:
        assert note.code in ("not_built", "shortlist_full") and note.en and note.zh
    assert any("lstm" in set(names(net.net)) for net in nets)


def test_rules_get_the_net_that_they_ask_for() -> None:
    said = ask(situation(task="regress", length=300))
    nets = {net.name: net for net in shortlist(said, wishes(), PLACES["regress"])[0]}
    deep = nets["lstm-deep-attention"]
    assert deep.rules == ("very_long_sequences",)
    assert {"residual", "lstm", "attention"} <= set(names(deep.net)) and "gru" not in set(names(deep.net))
    assert {"long_sequences", "in_doubt_lstm"} <= set(nets["lstm"].rules)
    assert "small_data" in nets["own"].rules  # a GRU is what the task has


def test_a_limit_of_size_is_kept() -> None:
    for place in (PLACES["classify"], PLACES["regress"], PLACES["forecast"]):
        nets, _ = shortlist(ask(situation(task=place.task, length=300)), wishes(size=20e3), place)
        for net in nets:
            assert Net(net.net, place.inputs, place.outputs).summary().parameters * 4 <= 20e3, net.name


@pytest.mark.parametrize("task", ["classify", "regress", "failure", "tag", "anomaly"])
def test_streams_run_step_by_step(task: str) -> None:
    place = PLACES[task]
    said = ask(situation(task=task, length=300, need="streaming"))
    nets, _ = shortlist(said, wishes(needs=["streaming"]), place)
    assert len(nets) >= 2
    for net in nets:
        assert Net(net.net, place.inputs, place.outputs).streamable() == (), net.name


def test_ample_resources_ask_for_convolutions_before_and_attention_after() -> None:
    place = PLACES["tag"]
    nets, _ = shortlist(ask(situation(task="tag", device="gpu")), wishes("gpu"), place)
    assert any("conv" in set(names(net.net)) for net in nets if "ample_resources" in net.rules)
    place = PLACES["classify"]
    nets, _ = shortlist(ask(situation(task="classify", device="gpu")), wishes("gpu"), place)
    assert any({"conv", "attention"} <= set(names(net.net)) for net in nets if "ample_resources" in net.rules)


@pytest.mark.parametrize("device", ["watch", "gpu"])
def test_nothing_sees_the_steps_that_an_anomaly_score_is_about(device: str) -> None:
    place = PLACES["anomaly"]
    nets, _ = shortlist(ask(situation(task="anomaly", length=300, device=device)), wishes(), place)
    for candidate in nets:
        net = Net(candidate.net, place.inputs, place.outputs).eval()
        x = torch.randn(1, 40, 2, requires_grad=True)
        net(x)[0, 20].sum().backward()
        assert x.grad is not None and float(x.grad[0, 21:].abs().max()) == 0, candidate.name


def test_noise_and_small_devices_change_every_net_of_a_rule() -> None:
    place = PLACES["classify"]
    nets, _ = shortlist(ask(situation(task="classify", noise=0.3, latency_ms=5)), wishes(), place)
    asked = [net for net in nets if net.name not in ("own", "cnn")]
    assert asked and all({"dropout": {"rate": 0.4}} in net.net for net in asked)
    assert all("separable" in set(names(net.net)) for net in asked)
    assert all(net.changes == {"train": {"weight_decay": 1e-4}} for net in nets)


def test_two_kinds_of_columns_get_a_stream_each() -> None:
    inputs = Inputs(numbers=2, categories=(5,), names=("a", "b", "word"))
    place = Place("classify", preset("classify").layers(), inputs, Outputs(values=2), (("a", "b"), ("word",)))
    nets, _ = shortlist(ask(situation(task="classify", modalities=2)), wishes(), place)
    streams = [net for net in nets if "parallel" in set(names(net.net))]
    assert streams
    Net(streams[0].net, inputs, Outputs(values=2))


def test_an_empty_recipe_changes_nothing() -> None:
    for place in PLACES.values():
        built = build(Recipe(), place.own, every=place.outputs.every)
        one, two = (Net(net, place.inputs, place.outputs).summary().parameters for net in (built, place.own))
        assert one == two
