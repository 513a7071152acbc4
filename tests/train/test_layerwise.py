"""Training layer by layer: who moves when and how fast, against bare torch; resume; errors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.small import Memory, data, digest, squared_error
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs
from unrolled.train import Fitting, Hook, TrainSettings, fit
from unrolled.train.layerwise import Pace, parameter_groups

STACK: list[Any] = [{"gru": {"size": 5}}, {"dropout": {"rate": 0.2}}, {"gru": {"size": 4}}, "linear"]
TOP, MIDDLE, LOWEST = "layers.4.", "layers.2.", "layers.0."


def stack(seed: int = 0) -> Net:
    torch.manual_seed(seed)
    return Net(STACK, Inputs(numbers=3, length=7), Outputs())


def batches() -> Memory:
    return Memory(*data(24, 1), 8)


def squared(output: Tensor, batch: Any) -> Tensor:
    return squared_error(output, batch)


class _Moved(Hook):
    """Which weights changed in each epoch."""

    def __init__(self, net: nn.Module) -> None:
        self.net, self.moved = net, list[set[str]]()
        self._before = self._now()

    def on_epoch(self, fitting: Fitting) -> None:
        now = self._now()
        self.moved.append({name for name, value in now.items() if not torch.equal(value, self._before[name])})
        self._before = now

    def _now(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.net.state_dict().items()}


def moved(**options: Any) -> list[set[str]]:
    """The layers that changed in each of three epochs."""
    net = stack()
    watch = _Moved(net)
    fit(net, batches(), squared, TrainSettings(epochs=3, **options), hooks=[watch])
    return [{name[: len(TOP)] for name in names} for names in watch.moved]


def test_lower_layers_first_then_frozen() -> None:
    rules = ({"match": "layers.0.*", "freeze_from": 1}, {"match": ["layers.2.*"], "freeze_until": 1})
    assert moved(layers=rules) == [{LOWEST, TOP}, {MIDDLE, TOP}, {MIDDLE, TOP}]


def test_layers_thaw_from_the_top() -> None:
    assert moved(thaw_epochs=1) == [{TOP}, {MIDDLE, TOP}, {LOWEST, MIDDLE, TOP}]


def test_rates_are_those_of_torch_parameter_groups() -> None:
    rates = {LOWEST: 0.25, MIDDLE: 0.5, TOP: 1.0}
    net, own = stack(), stack()
    settings = TrainSettings(epochs=2, layer_decay=0.5, clip_norm=None, schedule="cosine", learning_rate=0.01)
    fit(net, batches(), squared, settings)
    groups = [
        {"params": [value for name, value in own.named_parameters() if name.startswith(layer)], "factor": factor}
        for layer, factor in rates.items()
    ]
    optimizer = torch.optim.Adam(groups, lr=0.01, weight_decay=settings.weight_decay, fused=True)
    torch.manual_seed(settings.seed)
    step = 0
    for epoch in range(2):
        for batch in batches().epoch(epoch):
            for group in optimizer.param_groups:
                group["lr"] = 0.01 * (1 + math.cos(math.pi * step / 6)) / 2 * group["factor"]
            optimizer.zero_grad()
            torch.autograd.backward(squared(own(batch.x), batch))
            optimizer.step()
            step += 1
    for name, value in own.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=1e-5, atol=1e-7)


def test_a_frozen_layer_counts_neither_in_the_gradient_norm_nor_in_the_share() -> None:
    net = stack()
    result = fit(net, batches(), squared, TrainSettings(epochs=2, thaw_epochs=1))
    sizes = {key: sum(p.numel() for name, p in net.named_parameters() if name.startswith(key)) for key in (TOP, MIDDLE)}
    total = sum(p.numel() for p in net.parameters())
    shares = [row["trained"] for row in result.rows]
    assert shares == pytest.approx([sizes[TOP] / total, (sizes[TOP] + sizes[MIDDLE]) / total])
    assert "trained" not in fit(stack(), batches(), squared, TrainSettings(epochs=1, layer_decay=0.5)).rows[0]


class _Stop(Hook):
    def on_epoch(self, fitting: Fitting) -> None:
        if fitting.epoch == 2:
            fitting.stop = "enough"


def test_resumed_equals_never_stopped(tmp_path: Path) -> None:
    """Stopped between the moments at which a layer begins and another ends, with dropout at work."""
    rules = ({"match": "layers.0.*", "freeze_until": 1, "rate": 0.3}, {"match": "layers.2.*", "freeze_from": 3})
    settings = TrainSettings(epochs=4, layers=rules, averaging="ema", checkpoint_seconds=0)
    whole, parts = stack(), stack()
    fit(whole, batches(), squared, settings)
    fit(parts, batches(), squared, settings, folder=tmp_path, hooks=[_Stop()])
    again = stack(seed=9)
    fit(again, batches(), squared, settings, folder=tmp_path, resume=True)
    assert digest(again) == digest(whole)


class _Graph(Hook):
    """In each step: weights that want a gradient, those that have one, and whether the lowest layer built a graph."""

    def __init__(self, net: nn.Module, layer: nn.Module) -> None:
        self.net, self.built = net, list[bool]()
        self.wanted, self.found = list[set[str]](), list[set[str]]()
        layer.register_forward_hook(lambda _, __, output: self.built.append(output.x.requires_grad))

    def on_batch(self, fitting: Fitting) -> None:
        own = dict(self.net.named_parameters())
        self.wanted.append({name[: len(TOP)] for name, value in own.items() if value.requires_grad})
        self.found.append({name[: len(TOP)] for name, value in own.items() if value.grad is not None})


def test_no_gradient_is_computed_below_frozen_layers() -> None:
    net = stack()
    watch = _Graph(net, net.layers[0])
    result = fit(net, batches(), squared, TrainSettings(epochs=3, thaw_epochs=1), hooks=[watch])
    steps = len(batches())
    expected = [{TOP}] * steps + [{TOP, MIDDLE}] * steps + [{TOP, MIDDLE, LOWEST}] * steps
    assert watch.wanted == watch.found == expected
    assert watch.built == [False] * 2 * steps + [True] * steps  # no graph of the lowest layer, so no backward there
    assert all(value.requires_grad for value in net.parameters()) and result.epochs == 3


def test_leaving_a_gradient_out_is_dropping_it() -> None:
    net, own = stack(), stack()
    fit(net, batches(), squared, TrainSettings(epochs=3, thaw_epochs=1, clip_norm=None, schedule="constant"))
    optimizer = torch.optim.Adam(
        own.parameters(), lr=TrainSettings().learning_rate, weight_decay=TrainSettings().weight_decay, fused=True
    )
    torch.manual_seed(TrainSettings().seed)
    for epoch, frozen in enumerate([(MIDDLE, LOWEST), (LOWEST,), ()]):
        for batch in batches().epoch(epoch):
            optimizer.zero_grad()
            torch.autograd.backward(squared(own(batch.x), batch))
            for name, value in own.named_parameters():
                if name.startswith(frozen):
                    value.grad = None
            optimizer.step()
    for name, value in own.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=1e-5, atol=1e-7)


def test_a_run_killed_while_layers_are_frozen_goes_on_exactly(tmp_path: Path) -> None:
    class Kill(Hook):
        def on_batch(self, fitting: Fitting) -> None:
            if fitting.step == 5:
                raise ZeroDivisionError

    settings = TrainSettings(epochs=3, thaw_epochs=1, checkpoint_seconds=0, checkpoint_batches=1)
    whole, parts = stack(), stack()
    fit(whole, batches(), squared, settings)
    with pytest.raises(ZeroDivisionError):
        fit(parts, batches(), squared, settings, folder=tmp_path, hooks=[Kill()])
    again = stack(seed=9)
    watch = _Graph(again, again.layers[0])
    fit(again, batches(), squared, settings, folder=tmp_path, hooks=[watch], resume=True)
    assert digest(again) == digest(whole)
    assert watch.found[0] == {TOP, MIDDLE} and len(watch.found) == 5  # it went on inside the second epoch


def test_a_run_that_breaks_leaves_no_weight_frozen() -> None:
    net = stack()

    class Break(Hook):
        def on_batch(self, fitting: Fitting) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(net, batches(), squared, TrainSettings(epochs=3, thaw_epochs=1), hooks=[Break()])
    assert all(value.requires_grad for value in net.parameters())


def test_weights_that_were_frozen_for_good_stay_so() -> None:
    net = stack()
    fit(net, batches(), squared, TrainSettings(epochs=2, freeze=("layers.0.*",), thaw_epochs=1))
    wanted = {name[: len(TOP)]: value.requires_grad for name, value in net.named_parameters()}
    assert wanted == {LOWEST: False, MIDDLE: True, TOP: True}


def test_the_first_rule_that_matches_counts() -> None:
    rules = ({"match": "layers.0.*weight*", "rate": 0.1}, {"match": "layers.0.*", "rate": 0.5})
    found = dict(parameter_groups(stack(), TrainSettings(layers=rules)))
    assert set(found) == {Pace(0.1), Pace(0.5), Pace()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ({"match": "layer.0.*"},)}, r"layers\[0\]\.match: no weight is called 'layer\.0\.\*'"),
        ({"layers": ({"match": "*", "freeze_until": 1},)}, "in epoch 1 every weight is frozen"),
        ({"layers": ({"match": "*", "freeze_from": 2},), "epochs": 3}, "in epoch 3 every weight is frozen"),
    ],
)
def test_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fit(stack(), batches(), squared, TrainSettings(**options))


def test_a_rule_that_never_trains_is_refused() -> None:
    with pytest.raises(ValueError, match="never trained"):
        TrainSettings(layers=({"match": "*", "freeze_until": 3, "freeze_from": 2},))


def test_a_net_without_numbered_layers_is_told_to_use_rules() -> None:
    with pytest.raises(ConfigError, match="not numbered"):
        parameter_groups(nn.Linear(2, 2), TrainSettings(layer_decay=0.5))
