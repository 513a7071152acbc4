"""Each kind of layer against an independent computation, and each of its options."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

MakeBatch = Callable[..., dict[str, Tensor | None]]

PLAIN, ONE = Inputs(numbers=2), Outputs(values=3)
SERIES, AHEAD = Inputs(numbers=3, targets=3), Outputs(steps=5, targets=3)


def part(net: Net, index: int) -> Any:
    return net.layers[index]


def made(spec: list[Any], inputs: Inputs = PLAIN, outputs: Outputs = ONE, seed: int = 0) -> Net:
    torch.manual_seed(seed)
    return Net(spec, inputs, outputs).eval()


@pytest.mark.parametrize(("padding", "kernel", "stride"), [("same", 5, 1), ("same", 4, 3), ("causal", 3, 2)])
def test_conv(padding: str, kernel: int, stride: int) -> None:
    options = {"channels": 4, "kernel": kernel, "stride": stride, "padding": padding, "norm": None}
    net = made([{"conv": {**options, "activation": "tanh"}}, {"pool": {"kind": "max"}}])
    x, layer = torch.randn(2, 10, 2), part(net, 0).conv
    left = kernel - 1 if padding == "causal" else (kernel - 1) // 2
    padded = nn.functional.pad(x.transpose(1, 2), (left, kernel - 1 - left))
    features = nn.functional.conv1d(padded, layer.weight, layer.bias, stride).tanh().amax(dim=2)
    torch.testing.assert_close(net(x).flatten(1), part(net, 2).trunk[0](features))


def test_separable_conv_is_a_kernel_a_column_and_a_map_across() -> None:
    options = {"channels": 4, "kernel": 3, "padding": "causal", "norm": None, "separable": True, "stride": 2}
    net = made([{"conv": {**options, "activation": None}}, {"pool": {"kind": "max"}}])
    x, layer = torch.randn(2, 10, 2), part(net, 0)
    alone = [nn.functional.conv1d(nn.functional.pad(x[:, None, :, d], (2, 0)), layer.conv.weight[d : d + 1], stride=2)
             for d in range(2)]  # fmt: skip
    across = torch.cat(alone, 1).transpose(1, 2) @ layer.across.weight.T + layer.across.bias
    torch.testing.assert_close(net(x).flatten(1), part(net, 2).trunk[0](across.amax(1)))
    assert layer.conv.weight.shape == (2, 1, 3)


def test_batch_norm_learns_from_true_steps_only() -> None:
    net = made([{"conv": {"channels": 2, "kernel": 1}}]).train()
    x = torch.randn(4, 6, 2)
    lengths = torch.tensor([6, 2, 1, 4])
    net(x.masked_fill((torch.arange(6) >= lengths[:, None])[..., None], 1e6), lengths)
    norm, conv = part(net, 0).norm, part(net, 0).conv
    steps = torch.cat([x[b, :n] for b, n in enumerate(lengths.tolist())]) @ conv.weight[..., 0].T
    torch.testing.assert_close(norm.running_mean, 0.1 * steps.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * steps.var(0))


def test_last_step_of_two_directions_is_the_final_state() -> None:
    net = made([{"gru": {"size": 4, "bidirectional": True}}, "pool"])
    x, lengths = torch.randn(3, 7, 2), torch.tensor([7, 1, 4])
    oracle = nn.GRU(2, 4, bidirectional=True, batch_first=True)
    oracle.load_state_dict(part(net, 0).rnn.state_dict())
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, final = oracle(packed)
    features = torch.cat([final[0], final[1]], dim=1)
    torch.testing.assert_close(net(x, lengths).flatten(1), part(net, 2).trunk[0](features))


def test_additive_attention() -> None:
    net = made([{"attention": {"size": 5}}])
    x, lengths = torch.randn(2, 6, 2), torch.tensor([6, 3])
    layer = part(net, 0)
    expected = torch.zeros(2, 6)
    for b, n in enumerate(lengths.tolist()):
        scores = torch.tanh(x[b, :n] @ layer.hidden.weight.T + layer.hidden.bias) @ layer.score.weight[0]
        expected[b, :n] = scores.exp() / scores.exp().sum()
    weights = net.attention(x, lengths)
    torch.testing.assert_close(weights, expected)
    context = torch.stack([expected[b] @ x[b] for b in range(2)])
    torch.testing.assert_close(net(x, lengths).flatten(1), part(net, 1).trunk[0](context))


def test_mean_max_pooling_joins_both() -> None:
    net = made([{"pool": {"kind": "mean_max"}}])
    x = torch.randn(2, 6, 2)
    features = torch.cat([x.mean(1), x.amax(1)], dim=1)
    torch.testing.assert_close(net(x).flatten(1), part(net, 1).trunk[0](features))


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("kind", ["last", "mean_std"])
def test_window_norm_follows_the_level_of_each_target(kind: str, affine: bool) -> None:
    net = made([{"window_norm": {"kind": kind, "affine": affine}}, {"gru": {"size": 4}}], SERIES, AHEAD)
    if affine:
        nn.init.uniform_(part(net, 0).weight, 0.5, 2.0)
        nn.init.uniform_(part(net, 0).bias)
    x, level = torch.randn(4, 9, 3), torch.tensor([100.0, -3.0, 20.0])
    moved = net(x + level) - level[:, None]
    torch.testing.assert_close(moved, net(x), rtol=1e-4, atol=1e-4)


def test_window_norm_mean_std_follows_the_scale() -> None:
    net = made([{"window_norm": {"kind": "mean_std"}}, {"gru": {"size": 4}}], SERIES, AHEAD)
    x, scale = torch.randn(4, 30, 3), torch.tensor([8.0, 0.5, 2.0])
    torch.testing.assert_close(net(x * scale), net(x) * scale[:, None], rtol=1e-3, atol=1e-3)


def test_per_channel_treats_each_target_alone() -> None:
    spec = ["per_channel", {"lstm": {"size": 4}}, "linear"]
    inputs = Inputs(numbers=4, targets=3, static_numbers=1, known_numbers=1)
    net = made(spec, inputs, AHEAD)
    single = made(spec, inputs.model_copy(update={"numbers": 2, "targets": 1}), Outputs(steps=5))
    single.load_state_dict(net.state_dict())
    x, static, known = torch.randn(2, 9, 4), torch.randn(2, 1), torch.randn(2, 5, 1)
    y = net(x, static=static, known=known)
    for channel in range(3):
        alone = single(x[..., [channel, 3]], static=static, known=known)
        torch.testing.assert_close(y[:, :, channel], alone[:, :, 0])


def test_per_channel_embedding_tells_targets_apart() -> None:
    x = torch.randn(2, 9, 1).expand(2, 9, 3)
    same = made(["per_channel", {"gru": {"size": 4}}], SERIES, AHEAD)(x)
    told = made([{"per_channel": {"embed": 2}}, {"gru": {"size": 4}}], SERIES, AHEAD)(x)
    torch.testing.assert_close(same[:, :, 0], same[:, :, 1])
    assert (told[:, :, 0] - told[:, :, 1]).abs().max() > 1e-3


def test_patch_folds_steps_with_the_last_patch_complete() -> None:
    net = made([{"patch": {"length": 4, "size": 3}}, {"pool": {"kind": "max"}}])
    x = torch.randn(2, 10, 2)
    padded = torch.cat([torch.zeros(2, 2, 2), x], dim=1)
    steps = torch.stack([padded[:, at : at + 4].flatten(1) for at in (0, 4, 8)], dim=1)
    features = part(net, 0).linear(steps).relu().amax(1)
    torch.testing.assert_close(net(x).flatten(1), part(net, 2).trunk[0](features))


def test_segment_decoder_by_hand() -> None:
    inputs = Inputs(numbers=2, targets=2, static_numbers=1, known_numbers=1)
    outputs = Outputs(steps=5, targets=2, values=2)
    spec = ["per_channel", {"gru": {"size": 6}}, {"segment_decoder": {"length": 2, "embed": 4}}]
    net = made(spec, inputs, outputs)
    x, static, known = torch.randn(3, 7, 2), torch.randn(3, 1), torch.randn(3, 5, 1)
    encoder, decoder, head = part(net, 1), part(net, 2), part(net, 2)
    gru, cell = nn.GRU(1, 6, batch_first=True), nn.GRUCell(4 + 1 + 2, 6)
    gru.load_state_dict(encoder.rnn.state_dict())
    cell.load_state_dict({name.removesuffix("_l0"): w for name, w in decoder.rnn.state_dict().items()})
    ahead = torch.cat([known, torch.zeros(3, 1, 1)], dim=1)
    expected = torch.empty(3, 6, 2, 2)
    for channel in range(2):
        _, final = gru(x[..., channel : channel + 1])
        for segment in range(3):
            place = torch.cat([decoder.position[segment], decoder.channel[channel]]).expand(3, -1)
            steps = slice(2 * segment, 2 * segment + 2)
            h = cell(torch.cat([place, static, ahead[:, steps, 0]], dim=1), final[0])
            expected[:, steps, channel] = head.linear(h).view(3, 2, 2)
    torch.testing.assert_close(net(x, static=static, known=known), expected[:, :5])


@pytest.mark.parametrize("told", [False, True])
def test_shared_segment_decoder_by_hand(told: bool) -> None:
    """One GRU encodes and decodes (SegRNN); what else the decoder is told is brought to the GRU's input size."""
    inputs = Inputs(numbers=2, targets=2, static_numbers=int(told), known_numbers=int(told))
    spec = [
        "per_channel",
        {"patch": {"length": 4, "size": 6}},
        {"gru": {"size": 5}},
        {"segment_decoder": {"length": 2, "shared": True}},
    ]
    net = made(spec, inputs, Outputs(steps=3, targets=2))
    encoder, decoder = part(net, 2), part(net, 3)
    assert {name.split(".")[0] for name in decoder.state_dict()} == {"position", "channel", "linear"} | (
        {"project"} if told else set()
    )
    x, static, known = torch.randn(3, 8, 2), torch.randn(3, 1), torch.randn(3, 3, 1)
    gru = nn.GRU(6, 5, batch_first=True)
    gru.load_state_dict(encoder.rnn.state_dict())
    ahead = torch.cat([known, torch.zeros(3, 1, 1)], dim=1)
    expected = torch.empty(3, 4, 2, 1)
    for channel in range(2):
        patches = x[..., channel].reshape(3, 2, 4)
        _, final = gru(part(net, 1).linear(patches).relu())
        for segment in range(2):
            steps = slice(2 * segment, 2 * segment + 2)
            place = torch.cat([decoder.position[segment], decoder.channel[channel]]).expand(3, -1)
            if told:
                place = decoder.project(torch.cat([place, static, ahead[:, steps, 0]], dim=1))
            _, h = gru(place[:, None], final)
            expected[:, steps, channel] = decoder.linear(h[0])[..., None]
    answer = net(x, static=static, known=known) if told else net(x)
    torch.testing.assert_close(answer, expected[:, :3])
    torch.testing.assert_close(deepcopy(net)(x, static=static, known=known) if told else deepcopy(net)(x), answer)


def test_known_covariates_act_on_their_own_step() -> None:
    inputs = Inputs(numbers=1, targets=1, known_numbers=1)
    net = made(["gru", {"linear": {"hidden": [8]}}], inputs, Outputs(steps=6))
    x, known = torch.randn(2, 9, 1), torch.randn(2, 6, 1)
    other = known.clone()
    other[:, 3] += 1
    changed = (net(x, known=known) - net(x, known=other)).abs().amax(dim=(0, 2, 3)) > 1e-7
    assert changed.tolist() == [False, False, False, True, False, False]


def test_static_inputs_reach_the_head() -> None:
    net = made(["gru"], Inputs(numbers=1, static_numbers=1, static_categories=(3,)), ONE)
    x, static = torch.randn(2, 4, 1), torch.tensor([[0.5, 1.0], [0.5, 1.0]])
    for column, value in ((0, 2.0), (1, 2.0)):
        other = static.clone()
        other[1, column] = value
        difference = (net(x, static=static) - net(x, static=other)).abs().amax(dim=(1, 2, 3))
        assert difference[0] == 0 and difference[1] > 1e-4


def test_categories_are_embedded_and_unknown_codes_share_one_row() -> None:
    net = made(["gru"], Inputs(numbers=1, categories=(4,)), ONE)
    x = torch.randn(1, 3, 1).expand(7, 3, 1)
    codes = torch.tensor([0, 1, 2, 3, 4, 9, -1]).float()[:, None, None].expand(7, 3, 1)
    y = net(torch.cat([x, codes], dim=-1)).flatten(1)
    assert len({tuple(row.tolist()) for row in y[:5]}) == 5
    torch.testing.assert_close(y[4], y[5])
    torch.testing.assert_close(y[4], y[6])


@pytest.mark.parametrize(
    "layers",
    [
        [{"dropout": {"rate": 0.5}}],
        [{"dropout": {"rate": 0.5, "whole": True}}],
        [{"noise": {"deviation": 0.5}}],
        [{"augment": {"warp": 0.2}}, {"pool": {"kind": "mean"}}],
        [{"augment": {"warp": 0.0, "scale": 0.2}}],
        [{"conv": {"dropout": 0.5, "norm": None}}],
        [{"patch": {"length": 2, "dropout": 0.5}}],
        [{"gru": {"layers": 2, "dropout": 0.5}}],
        ["pool", {"linear": {"hidden": [16], "dropout": 0.5}}],
        ["gru", {"segment_decoder": {"length": 2, "dropout": 0.5}}],
    ],
    ids=str,
)
def test_noise_of_training_stays_in_training(layers: list[Any]) -> None:
    net = made(layers, SERIES, AHEAD)
    x = torch.randn(4, 8, 3)
    torch.testing.assert_close(net(x), net(x), rtol=0, atol=0)
    net.train()
    assert (net(x) - net(x)).abs().max() > 1e-6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"gru": {"bias": False}}, {"gru": {"initial": {"bias": "uniform"}}}),
        ({"gru": {"initial": {"recurrent": "uniform"}}}, {"gru": {}}),
        ({"gru": {"initial": {"input": "uniform"}}}, {"gru": {}}),
        ({"gru": {"initial": {"bias": "uniform"}}}, {"gru": {}}),
        ({"lstm": {"initial": {"forget": 3.0}}}, {"lstm": {}}),
        ({"gru": {"bidirectional": True, "merge": "sum"}}, {"gru": {"bidirectional": True, "merge": "mean"}}),
        ({"conv": {"activation": "relu"}}, {"conv": {"activation": "tanh"}}),
        ({"conv": {"norm": "batch"}}, {"conv": {"norm": "layer"}}),
        ({"patch": {"activation": "relu"}}, {"patch": {"activation": None}}),
        ({"linear": {"hidden": [8], "activation": "relu"}}, {"linear": {"hidden": [8], "activation": "gelu"}}),
        ({"window_norm": {"kind": "last"}}, {"window_norm": {"kind": "mean_std"}}),
    ],
    ids=str,
)
def test_options_change_the_net(one: Any, other: Any) -> None:
    x = torch.randn(4, 8, 3)
    results = []
    for entry in (one, other):
        net = made([entry] if "linear" in entry else [entry, {"pool": {"kind": "mean"}}], SERIES, AHEAD)
        results.append(net.train()(x))
    assert (results[0] - results[1]).abs().max() > 1e-6


def test_step_size_widens_the_known_head() -> None:
    inputs = Inputs(numbers=1, targets=1, known_numbers=1)
    small, large = (made([{"linear": {"step_size": size}}], inputs, Outputs(steps=4)) for size in (2, 8))
    assert large.summary().parameters > small.summary().parameters


@pytest.mark.parametrize(
    ("spec", "place", "word"),
    [
        (["window_norm"], "net[0].window_norm", "past"),
        (["per_channel"], "net[0].per_channel", "past"),
        (["pool", "gru"], "net[1].gru", "steps"),
        (["pool", "attention"], "net[1].attention", "steps"),
        (["pool", "conv"], "net[1].conv", "steps"),
        (["pool", "patch"], "net[1].patch", "steps"),
        ([{"gru": {"bidirectional": True}}, "segment_decoder"], "net[1].segment_decoder", "forward"),
        (["conv", "segment_decoder"], "net[1].segment_decoder", "recurrent"),
        ([{"gru": {"layers": 2}}, {"segment_decoder": {"shared": True}}], "net[1].segment_decoder", "only one"),
        ([{"gru": {"dropout": 0.5}}], "net[0].gru", "one"),
        ([{"gru": {"bidirectional": True, "merge": "sum"}}], "net[1].pool", "whole sequence"),
    ],
    ids=str,
)
def test_layers_that_cannot_stand_there(spec: list[Any], place: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Net(spec, PLAIN, ONE)
    assert caught.value.where == place and word in caught.value.what and caught.value.mend


@pytest.mark.parametrize("between", ["layer_norm", "conv", "patch", "dense"])
def test_a_decoder_ignores_no_layer_before_it(between: str) -> None:
    spec = [{"lstm": {"size": 4}}, between, {"segment_decoder": {"length": 2}}]
    with pytest.raises(ConfigError, match="starts from the state of a recurrent layer"):
        Net(spec, SERIES, AHEAD)
