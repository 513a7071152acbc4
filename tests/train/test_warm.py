"""Warm start and frozen layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.train.small import Memory, Net, data, net, squared_error

from unrolled.core.errors import ConfigError
from unrolled.train import TrainSettings, fit, freeze, warm_start


def test_all_weights_are_taken_over() -> None:
    source, target = net(seed=1), net(seed=2)
    assert warm_start(target, source.state_dict()) == list(source.state_dict())
    x = data(3, 0)[0]
    torch.testing.assert_close(target(x), source(x), rtol=0, atol=0)


def test_some_layers_are_taken_over_from_numpy_weights() -> None:
    source, target = net(seed=1), net(seed=2)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    weights = {name: value.numpy() for name, value in source.state_dict().items()}
    taken = warm_start(target, weights, ["recurrent.*"])
    for name, value in target.state_dict().items():
        expected = source.state_dict()[name] if name in taken else before[name]
        np.testing.assert_array_equal(value.numpy(), expected.numpy())
    assert taken and all(name.startswith("recurrent.") for name in taken)


def test_a_weight_of_another_shape_is_refused_and_nothing_is_copied() -> None:
    target = net(seed=2)
    before = target.head.weight.clone()
    with pytest.raises(ConfigError, match=r"recurrent\.weight_ih_l0.*\(32, 3\) there and \(24, 3\)"):
        warm_start(target, Net(hidden=8).state_dict())
    assert torch.equal(target.head.weight, before)


def test_a_pattern_that_matches_nothing_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'haed\.weight'[\s\S]*head\.weight"):
        warm_start(net(), net().state_dict(), ["haed.weight"])
    with pytest.raises(ConfigError, match="share no weight"):
        warm_start(net(), {"other": torch.zeros(1)})


def test_frozen_layers_do_not_move_and_the_others_do() -> None:
    module = net()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    batches = Memory(*data(32, 1), 8)
    fit(module, batches, squared_error, TrainSettings(epochs=2, freeze=("recurrent.*",)))
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("recurrent."), name


def test_freezing_everything_is_refused() -> None:
    with pytest.raises(ConfigError, match="no weight is left to train"):
        freeze(net(), ["*"])
