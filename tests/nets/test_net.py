"""The net as a whole: construction, facts, penalty, copies."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

INPUTS, OUTPUTS = Inputs(numbers=2, length=12), Outputs(values=3)


def test_the_seed_decides_the_weights() -> None:
    nets = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        nets.append(Net(["conv", "lstm"], INPUTS, OUTPUTS).state_dict())
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])
    assert any(not torch.equal(nets[0][name], nets[2][name]) for name in nets[0])


def test_initial_values_are_the_promised_ones() -> None:
    net = Net([{"lstm": {"size": 4}}], INPUTS, OUTPUTS)
    state = net.state_dict()
    for block in state["layers.0.rnn.weight_hh_l0"].chunk(4):
        torch.testing.assert_close(block @ block.T, torch.eye(4))
    bias = state["layers.0.rnn.bias_ih_l0"] + state["layers.0.rnn.bias_hh_l0"]
    assert bias.chunk(4)[1].tolist() == [1.0] * 4  # the forget gate starts open
    assert torch.cat([bias[:4], bias[8:]]).abs().max() == 0


def test_summary_counts_every_layer() -> None:
    net = Net(
        [{"gru": {"size": 8}}, {"linear": {"hidden": [5]}}], Inputs(numbers=2, categories=(3,), length=12), OUTPUTS
    )
    facts = net.summary()
    assert [name for name, _, _ in facts.layers] == ["embeddings", "gru(size=8)", "pool", "linear(hidden=(5,))"]
    assert [shape for _, shape, _ in facts.layers] == ["(B, 12, 5)", "(B, 12, 8)", "(B, 8)", "(B, 1, 1, 3)"]
    gru = 3 * 8 * (5 + 8 + 2)
    assert [count for _, _, count in facts.layers] == [4 * 3, gru, 0, 8 * 5 + 5 + 5 * 3 + 3]
    assert facts.parameters == sum(count for _, _, count in facts.layers)
    assert facts.bytes == 4 * facts.parameters
    assert facts.spec == net.spec.dump()


def test_state_penalty_is_the_mean_square_of_the_cell_states() -> None:
    net = Net([{"lstm": {"size": 4, "layers": 2}}, {"gru": {"size": 3}}], INPUTS, OUTPUTS)
    x = torch.randn(5, 12, 2)
    lstm, gru = nn.LSTM(2, 4, 2, batch_first=True), nn.GRU(4, 3, batch_first=True)
    lstm.load_state_dict({k.removeprefix("layers.0.rnn."): v for k, v in net.state_dict().items() if "layers.0" in k})
    gru.load_state_dict({k.removeprefix("layers.1.rnn."): v for k, v in net.state_dict().items() if "layers.1" in k})
    y, (_, c) = lstm(x)
    _, h = gru(y)
    net(x)
    penalty = net.state_penalty()
    torch.testing.assert_close(penalty, (c.square().mean() + h.square().mean()) / 2)
    torch.autograd.backward(penalty)
    assert net.get_parameter("layers.0.rnn.weight_ih_l0").grad is not None
    assert net.get_parameter("layers.3.trunk.0.weight").grad is None


def test_without_recurrent_layers_there_is_no_penalty() -> None:
    net = Net(["conv", {"pool": {"kind": "mean"}}], INPUTS, OUTPUTS)
    net(torch.randn(2, 12, 2))
    assert net.state_penalty().item() == 0


def test_a_net_can_be_copied_between_forward_and_backward() -> None:
    net = Net(["lstm"], INPUTS, OUTPUTS)
    x = torch.randn(2, 12, 2)
    y = net(x)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        torch.testing.assert_close(other(x), y)
    (y.sum() + net.state_penalty()).backward()


def test_what_keeps_a_net_from_streaming() -> None:
    assert Net(["lstm", "gru"], INPUTS, OUTPUTS).streamable() == ()
    assert Net([{"conv": {"padding": "causal"}}, "lstm"], INPUTS, OUTPUTS).streamable() == ()
    obstacles = ["conv", {"gru": {"bidirectional": True}}, "attention", "linear"]
    notes = Net(obstacles, INPUTS, OUTPUTS).streamable()
    assert [note.code for note in notes] == ["conv_looks_ahead", "reads_backwards", "attention_needs_all_steps"]
    assert notes[1].en.startswith("net[1]") and notes[1].zh.startswith("net[1]")


def test_a_net_without_attention_says_so() -> None:
    assert Net(["gru"], INPUTS, OUTPUTS).attention(torch.randn(2, 12, 2)) is None


@pytest.mark.parametrize("name", ["x", "static", "known"])
def test_wrong_columns_are_refused(name: str) -> None:
    net = Net(["gru"], INPUTS, OUTPUTS)
    given = {"x": torch.randn(2, 12, 2), name: torch.randn(2, 12, 5)}
    with pytest.raises(ConfigError, match=f"'{name}'.*5 columns"):
        net(**given)


def test_a_missing_input_is_refused() -> None:
    net = Net(["gru"], Inputs(numbers=1, static_numbers=2), OUTPUTS)
    with pytest.raises(ConfigError, match=r"'static'.*0 columns.*2"):
        net(torch.randn(2, 12, 1))
