"""Layers that hold layers, and attention between steps, each against an independent computation."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, NetSpec, ops
from unrolled.program.shapes import Inputs, Outputs

PLAIN, ONE = Inputs(numbers=4), Outputs(values=3)


def made(*spec: Any, inputs: Inputs = PLAIN) -> Net:
    torch.manual_seed(0)
    return Net(list(spec), inputs, ONE).eval()


def part(net: Net, index: int) -> Any:
    return net.layers[index]


def body(net: Net, x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """What leaves the layers before pooling and head."""
    seen: list[Tensor] = []
    part(net, -2).register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].x))
    net(x, lengths)
    return seen[0]


@pytest.mark.parametrize("norm", ["before", "after", None])
def test_residual(norm: str | None) -> None:
    net = made({"residual": {"layers": [{"gru": {"size": 6}}], "norm": norm}}, {"pool": {"kind": "mean"}})
    block = part(net, 0).blocks[0]
    x, gru = torch.randn(2, 7, 4), nn.GRU(4, 6, batch_first=True)
    gru.load_state_dict(block.layers[0].rnn.state_dict())
    plain = {"before": nn.LayerNorm(4), "after": nn.LayerNorm(6)}
    inside = gru(plain["before"](x) if norm == "before" else x)[0]
    expected = x @ block.project.weight.T + inside
    torch.testing.assert_close(body(net, x), plain["after"](expected) if norm == "after" else expected)


def test_residual_without_a_change_of_width_adds_the_input_itself() -> None:
    net = made({"residual": {"layers": [{"rnn": {"size": 4}}], "repeat": 5}}, {"pool": {"kind": "mean"}})
    blocks: list[Any] = list(part(net, 0).blocks)
    for block in blocks:
        for weight in block.layers.parameters():
            nn.init.zeros_(weight)
    x = torch.randn(2, 7, 4)
    torch.testing.assert_close(body(net, x), x)


def test_deep_residual_stacks_keep_their_gradient() -> None:
    """The first of eight layers learns; the plain stack's gradient there is far smaller."""
    specs: dict[str, list[Any]] = {
        "plain": [{"rnn": {"size": 16}}] * 8,
        "residual": [{"residual": {"layers": [{"rnn": {"size": 16}}], "repeat": 8}}],
    }
    sizes = {}
    for name, spec in specs.items():
        net = made(*spec)
        net(torch.randn(8, 20, 4)).square().sum().backward()
        first = next(weight for key, weight in net.named_parameters() if "weight_ih" in key)
        assert first.grad is not None
        sizes[name] = first.grad.norm().item()
    assert sizes["residual"] > 3 * sizes["plain"]


@pytest.mark.parametrize("merge", ["sum", "mean", "concat"])
def test_whole_stack_from_both_ends(merge: str) -> None:
    layers = [{"gru": {"size": 3}}, {"lstm": {"size": 5}}]
    net = made({"bidirectional": {"layers": layers, "merge": merge}}, {"pool": {"kind": "mean"}})
    x, lengths = torch.randn(2, 6, 4), torch.tensor([6, 4])
    chains = part(net, 0).directions
    y = body(net, x, lengths)
    for b, length in enumerate(lengths.tolist()):
        outputs = []
        for index, own in enumerate((x[b : b + 1, :length], x[b : b + 1, :length].flip(1))):
            one = nn.GRU(4, 3, batch_first=True)
            two = nn.LSTM(3, 5, batch_first=True)
            one.load_state_dict(chains[index][0].rnn.state_dict())
            two.load_state_dict(chains[index][1].rnn.state_dict())
            outputs.append(two(one(own)[0])[0])
        both = torch.stack([outputs[0], outputs[1].flip(1)])
        expected = {"sum": both.sum(0), "mean": both.mean(0), "concat": torch.cat([both[0], both[1]], 2)}[merge]
        torch.testing.assert_close(y[b, :length], expected[0])


def test_two_streams_read_their_own_columns() -> None:
    net = made({"parallel": {"branches": [[{"gru": {"size": 3}}], [{"rnn": {"size": 2}}]], "columns": [[3, 1], [0]]}},
               {"pool": {"kind": "mean"}})  # fmt: skip
    x = torch.randn(2, 6, 4)
    chains = part(net, 0).branches
    gru, rnn = nn.GRU(2, 3, batch_first=True), nn.RNN(1, 2, batch_first=True)
    gru.load_state_dict(chains[0][0].rnn.state_dict())
    rnn.load_state_dict(chains[1][0].rnn.state_dict())
    expected = torch.cat([gru(x[..., [3, 1]])[0], rnn(x[..., :1])[0]], 2)
    torch.testing.assert_close(body(net, x), expected)


@pytest.mark.parametrize("merge", ["gated", "attention"])
def test_fusion_of_branches(merge: str) -> None:
    net = made({"parallel": {"branches": [[{"dense": {"size": 3}}], [{"dense": {"size": 5}}]], "merge": merge}},
               {"pool": {"kind": "mean"}})  # fmt: skip
    x, layer = torch.randn(2, 6, 4), part(net, 0)
    fuse: Any = layer.fuse
    xs = [fuse.project[k](layer.branches[k][0].linear(x).relu()) for k in range(2)]
    if merge == "gated":
        expected = sum(fuse.gates[k](torch.cat(xs, 2)).sigmoid() * xs[k] for k in range(2))
    else:
        weights = torch.cat([fuse.score(fuse.hidden(each).tanh()) for each in xs], 2).softmax(2)
        expected = sum(weights[..., k : k + 1] * xs[k] for k in range(2))
    torch.testing.assert_close(body(net, x), expected)


def test_pieces_are_sequences_of_their_own() -> None:
    net = made({"pieces": {"length": 4, "layers": [{"gru": {"size": 3}}]}}, {"pool": {"kind": "mean"}})
    x, lengths = torch.randn(2, 10, 4), torch.tensor([10, 5])
    layer = part(net, 0)
    gru = nn.GRU(4, 3, batch_first=True)
    gru.load_state_dict(layer.layers[0].rnn.state_dict())
    y = body(net, x, lengths)
    for b, cuts in enumerate(([(0, 4), (4, 8), (8, 10)], [(0, 4), (4, 5)])):
        for piece, (start, stop) in enumerate(cuts):
            torch.testing.assert_close(y[b, piece], gru(x[b : b + 1, start:stop])[1][0, 0])


@pytest.mark.parametrize("mark", ["change", "start"])
def test_a_column_marks_pieces_of_any_length(mark: str) -> None:
    net = made({"pieces": {"column": 1, "mark": mark, "layers": [{"gru": {"size": 3}}]}}, {"pool": {"kind": "mean"}})
    x, lengths = torch.randn(2, 10, 4), torch.tensor([10, 5])
    cuts: list[list[tuple[int, int]]] = [[(0, 3), (3, 4), (4, 9), (9, 10)], [(0, 4), (4, 5)]]
    x[:, :, 1] = -0.5
    for b, pairs in enumerate(cuts):
        for piece, (start, stop) in enumerate(pairs):
            if mark == "change":
                x[b, start:stop, 1] = piece % 2
            elif start:  # the first step begins a piece, marked or not
                x[b, start, 1] = 2.5
    x[1, 5:] = torch.nan
    layer = part(net, 0)
    gru = nn.GRU(3, 3, batch_first=True)
    gru.load_state_dict(layer.layers[0].rnn.state_dict())
    y, read = body(net, x, lengths), x[:, :, [0, 2, 3]]
    for b, pairs in enumerate(cuts):
        for piece, (start, stop) in enumerate(pairs):
            torch.testing.assert_close(y[b, piece], gru(read[b : b + 1, start:stop])[1][0, 0])
    torch.testing.assert_close(net(x, lengths)[1], net(x[1:, :5])[0])


def test_gradients_reach_every_true_step_of_marked_pieces_and_no_other() -> None:
    net = made({"pieces": {"column": 0, "layers": [{"pool": {"kind": "mean"}}]}}, {"pool": {"kind": "mean"}})
    x = torch.randn(2, 6, 4)
    x[:, :, 0] = torch.tensor([[1.0, 1, 2, 2, 2, 3], [1, 4, 4, 9, 9, 9]])
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(net(x, torch.tensor([6, 3])).sum(), x)
    reached = gradient[:, :, 1:].abs().amax(2) > 0
    assert reached.tolist() == [[True] * 6, [True] * 3 + [False] * 3] and not gradient[:, :, 0].any()


def test_multi_head_pooling_is_one_pooling_for_each_part() -> None:
    net = made({"attention": {"kind": "multi_head", "heads": 2}})
    x, layer = torch.randn(3, 6, 4), part(net, 0)
    values, scores = layer.value(x), layer.score(x).softmax(1)
    expected = torch.cat([(scores[..., [head]] * values[..., 2 * head : 2 * head + 2]).sum(1) for head in (0, 1)], 1)
    torch.testing.assert_close(part(net, -1).trunk[0](expected), net(x).flatten(1))
    weights = net.attention(x)
    assert weights is not None
    torch.testing.assert_close(weights, scores.mean(2))


def heads(x: Tensor) -> Tensor:
    return x.view(2, 9, 2, 4).transpose(1, 2)


def together(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


@pytest.mark.parametrize("causal", [False, True])
def test_full_attention_is_torchs(causal: bool) -> None:
    q, k, v = (torch.randn(2, 9, 8) for _ in range(3))
    expected = together(scaled_dot_product_attention(heads(q), heads(k), heads(v), is_causal=causal))
    y = ops.self_attend(q, k, v, None, relative=None, heads=2, causal=causal, window=0, recency=False)
    torch.testing.assert_close(y, expected)


def test_priors_on_distance() -> None:
    q, k, v = (torch.randn(2, 9, 8) for _ in range(3))
    distance = torch.arange(9) - torch.arange(9)[:, None]
    relative = torch.randn(2, 5)
    slopes = torch.tensor([2.0**-4, 2.0**-8])
    bias = -slopes[:, None, None] * distance.abs() + relative[:, distance.clamp(-2, 2) + 2]
    bias = bias.masked_fill(distance.abs() > 3, -math.inf)
    expected = together(scaled_dot_product_attention(heads(q), heads(k), heads(v), attn_mask=bias))
    y = ops.self_attend(q, k, v, None, relative=relative, heads=2, causal=False, window=3, recency=True)
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize("causal", [False, True])
def test_a_window_taken_piece_by_piece_is_the_masked_whole(causal: bool) -> None:
    """Longer than a piece, so that its borders are met; gradients too."""
    q, k, v = (torch.randn(2, 290, 8, requires_grad=True) for _ in range(3))
    lengths, weight = torch.tensor([290, 201]), torch.randn(2, 290, 8)
    distance = torch.arange(290) - torch.arange(290)[:, None]
    hidden = (distance.abs() > 7) | (distance > 0 if causal else torch.zeros(290, 290, dtype=torch.bool))
    hidden = hidden | (torch.arange(290) >= lengths[:, None])[:, None, None, :]
    bias = torch.zeros(hidden.shape).masked_fill(hidden, torch.finfo(torch.float32).min)
    query, key, value = (each.view(2, 290, 2, 4).transpose(1, 2) for each in (q, k, v))
    expected = together(scaled_dot_product_attention(query, key, value, attn_mask=bias))
    y = ops.self_attend(q, k, v, lengths, relative=None, heads=2, causal=causal, window=7, recency=False)
    inside = (torch.arange(290) < lengths[:, None])[..., None]
    torch.testing.assert_close(y * inside, expected * inside)
    for ours, theirs in zip(
        torch.autograd.grad((y * inside * weight).sum(), (q, k, v)),
        torch.autograd.grad((expected * inside * weight).sum(), (q, k, v)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_random_features_approach_softmax_attention(causal: bool) -> None:
    torch.manual_seed(0)
    q, k, v = (0.5 * torch.randn(1, 300, 8) for _ in range(3))
    exact = ops.self_attend(q, k, v, None, relative=None, heads=2, causal=causal, window=0, recency=False)
    errors = []
    for count in (16, 4096):
        features = torch.randn(count, 4)
        y = ops.random_attend(q, k, v, None, features=features, heads=2, causal=causal)
        errors.append((y - exact).abs().mean().item())
    assert errors[1] < 0.3 * errors[0] and errors[1] < 0.01


def test_causal_attention_never_sees_later_steps() -> None:
    for kind in ("full", "random_features"):
        net = made({"self_attention": {"kind": kind, "heads": 2, "causal": True}}, {"pool": {"kind": "mean"}})
        x = torch.randn(1, 200, 4)
        other = x.clone()
        other[:, 150:] += 1
        torch.testing.assert_close(body(net, x)[:, :150], body(net, other)[:, :150])


def test_specs_inside_specs_round_trip() -> None:
    projected = {"lstm_projected": {"projection": 3}}
    source = [{"parallel": {"branches": [[{"conv": {"channels": 4}}, "attention"], [projected, "pool"]]}}, "linear"]
    spec = NetSpec.parse(source)
    assert NetSpec.parse(spec.dump()) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec.dump()[0]["parallel"]["branches"][1][0]["lstm_projected"]["projection"] == 3


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"residual": {"layers": [{"lstm": {"siz": 3}}]}}, r"net\[0\]\.residual\.layers\[0\]\.lstm\.siz.*'size'"),
        ({"residual": {"layers": [{"conv": {"stride": 2}}]}}, r"net\[0\]\.residual: .*keep every step"),
        ({"residual": {"layers": []}}, r"net\[0\]\.residual\.layers"),
        ({"residual": {"layers": "lstm"}}, r"must be a list of layers"),
        ({"parallel": {"branches": [["pool"], [{"gru": {"size": 3}}]]}}, "leave different things"),
        ({"parallel": {"branches": [["dense"], ["pool", "dense"]]}}, r"net\[0\]\.parallel\.branches\[1\]\[1\]\.dense"),
        ({"parallel": {"branches": [["dense"], ["dense"]], "columns": [[0], [9]]}}, "reads column 9"),
        ({"pieces": {"length": 3, "layers": ["linear"]}}, "one vector"),
        ({"pieces": {"layers": ["dense"]}}, "either length or column"),
        ({"pieces": {"length": 3, "column": 1, "layers": ["dense"]}}, "either length or column"),
        ({"pieces": {"length": 3, "mark": "start", "layers": ["dense"]}}, "mark says how"),
        ({"pieces": {"column": 9, "layers": ["dense"]}}, "column 9 marks the pieces"),
        ({"residual": {"layers": [{"pieces": {"column": 0, "layers": ["dense"]}}]}}, "keep every step"),
        ({"self_attention": {"heads": 3}}, "3 heads"),
        ({"self_attention": {"kind": "projected", "causal": True}}, "cannot be causal"),
        ({"self_attention": {"kind": "random_features", "window": 3}}, "window needs every pair"),
    ],
    ids=str,
)
def test_what_cannot_stand_is_named(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match="(?s)" + said):
        made(spec)


SERIES, AHEAD = Inputs(numbers=2, targets=2, static_numbers=1, known_numbers=1), Outputs(steps=3, targets=2)


def _decoded(attention: str | None, **options: Any) -> tuple[Any, Tensor, dict[str, Tensor], Tensor]:
    torch.manual_seed(0)
    net = Net([{"gru": {"size": 5}}, {"decoder": {"attention": attention, "size": 4, **options}}], SERIES, AHEAD).eval()
    decoder = part(net, 1)
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.normal_(std=0.5)
    x, others = torch.randn(2, 7, 2), {"static": torch.randn(2, 1), "known": torch.randn(2, 3, 1)}
    return decoder, x, others, net(x, **others)


def _encoded(decoder: Any, x: Tensor, net_seed: int = 0) -> tuple[Tensor, Tensor]:
    torch.manual_seed(net_seed)
    encoder = part(Net([{"gru": {"size": 5}}, "decoder"], SERIES, AHEAD), 0)
    gru = nn.GRU(2, 5, batch_first=True)
    gru.load_state_dict(encoder.rnn.state_dict())
    memory, final = gru(x)
    return memory, final[0]


def _cell(decoder: Any) -> nn.GRUCell:
    cell = nn.GRUCell(decoder.rnn.input_size, 5)
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in decoder.rnn.state_dict().items()})
    return cell


def test_bahdanau_decoder_by_hand() -> None:
    decoder, x, others, answer = _decoded("bahdanau")
    memory, h = _encoded(decoder, x)
    cell, score, y = _cell(decoder), decoder.score, decoder.start.expand(2, -1)
    for step in range(3):
        energy = score.score(torch.tanh(score.query(h)[:, None] + score.key(memory)))
        context = (energy.softmax(1) * memory).sum(1)
        h = cell(torch.cat([y, context, others["static"], others["known"][:, step]], 1), h)
        y = decoder.linear(torch.cat([h, context], 1))
        torch.testing.assert_close(answer[:, step].flatten(1), y)


@pytest.mark.parametrize("feeding", [True, False])
def test_luong_decoder_by_hand(feeding: bool) -> None:
    decoder, x, others, answer = _decoded("luong", feeding=feeding)
    memory, h = _encoded(decoder, x)
    cell, score, y = _cell(decoder), decoder.score, decoder.start.expand(2, -1)
    fed = [decoder.fed.expand(2, -1)] if feeding else []
    for step in range(3):
        h = cell(torch.cat([y, *fed, others["static"], others["known"][:, step]], 1), h)
        energy = torch.einsum("ba,bta->bt", score.query(h), score.key(memory)) / 2
        context = (energy.softmax(1)[..., None] * memory).sum(1)
        seen = torch.tanh(decoder.combine(torch.cat([h, context], 1)))
        fed = [seen] if feeding else []
        y = decoder.linear(seen)
        torch.testing.assert_close(answer[:, step].flatten(1), y)
