"""Maps of attention: they are what the layers compute with, and what is said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.diagnose.nets import batch_of, net_of

from unrolled.data import Batch
from unrolled.diagnose.attention import attention, attention_maps
from unrolled.diagnose.heat import edges, names, summed
from unrolled.nets import Net
from unrolled.nets.flow import Flow
from unrolled.nets.layers.decoder import Decoder
from unrolled.nets.layers.self_attention import SelfAttention
from unrolled.program.shapes import Inputs, Outputs

KINDS: list[dict[str, Any]] = [
    {},
    {"causal": True},
    {"window": 3},
    {"recency": True, "relative": 4},
    {"kind": "projected", "slots": 5, "longest": 40},
    {"kind": "random_features", "features": 16},
    {"kind": "random_features", "features": 16, "causal": True},
]


def layer_of(**options: Any) -> SelfAttention:
    layer = net_of({"self_attention": {"heads": 2, "residual": False, **options}}, "linear", inputs=8).layers.parts[0]
    assert isinstance(layer, SelfAttention)
    if layer.relative is not None:
        torch.nn.init.normal_(layer.relative)
    return layer


def rows(batch: Batch) -> list[Batch]:
    parts = {name: value for name, value in vars(batch).items() if value is not None}
    return [Batch(**{name: value[at : at + 1] for name, value in parts.items()}) for at in range(len(batch))]


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("options", KINDS, ids=str)
@torch.no_grad()
def test_the_weights_are_those_that_the_layer_computes_with(options: dict[str, Any], ragged: bool) -> None:
    layer, batch = layer_of(**options), batch_of(4, 20, 8, ragged=ragged)
    flow = Flow(x=batch.x, lengths=batch.lengths)
    weights = torch.cat([layer.attention(flow, slice(at, at + 7)) for at in range(0, 20, 7)], 2)
    values = layer.value(batch.x)
    if batch.lengths is not None:
        values = values * (torch.arange(20) < batch.lengths[:, None])[..., None]
    together = (weights @ values.view(4, 20, 2, 4).transpose(1, 2)).transpose(1, 2).flatten(2)
    found, expected = layer.out(together), layer(flow).x
    for at, length in enumerate([20] * 4 if batch.lengths is None else batch.lengths.tolist()):
        torch.testing.assert_close(found[at, :length], expected[at, :length], atol=2e-6, rtol=1e-4)


def test_the_first_look_of_a_decoder_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    net = Net([{"gru": {"size": 6}}, {"decoder": {"size": 5}}], Inputs(numbers=3), Outputs(steps=4)).eval()
    decoder = net.layers.parts[1]
    assert isinstance(decoder, Decoder) and decoder.score is not None
    batch = batch_of(3, 11)
    with torch.no_grad():
        flow = net.layers[0](net.arriving(batch.x, None, None, None))
        weights = decoder.attention(flow, slice(None))
        score: Any = decoder.score
        hidden = torch.tanh(flow.x @ score.key.weight.T + score.query(flow.state[0])[:, None])
        first = torch.softmax(hidden @ score.score.weight[0], 1)
    assert weights.shape == (3, 1, 4, 11)
    torch.testing.assert_close(weights[:, 0, 0], first)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 1, 4))


def test_a_map_of_a_decoder_counts_from_the_end() -> None:
    net = Net([{"gru": {"size": 6}}, {"decoder": {"attention": "luong"}}], Inputs(numbers=3), Outputs(steps=4)).eval()
    batch = batch_of(5, 12, ragged=True)
    (found,) = attention_maps(net, rows(batch))
    assert found.ahead and found.shares.shape == (4, int(batch.lengths.max()) if batch.lengths is not None else 0)
    np.testing.assert_allclose(found.shares.sum(1), 1, atol=1e-5)  # padding has no weight
    picture = found.picture()
    assert picture.y == ("1", "2", "3", "4") and picture.x[:2] == ("0", "1")


def test_each_looks_at_the_step_before() -> None:
    """A learned number for the distance -1 that drowns all others."""
    net = net_of({"self_attention": {"heads": 2, "relative": 2, "residual": False}}, "linear", inputs=8)
    layer = net.layers.parts[0]
    assert isinstance(layer, SelfAttention) and layer.relative is not None
    with torch.no_grad():
        layer.relative[:, 1] = 50.0
    (found,) = attention_maps(net, rows(batch_of(2, 9, 8)))
    np.testing.assert_allclose(np.diag(found.shares, -1), 1, atol=1e-3)
    (finding,) = attention(net, rows(batch_of(2, 9, 8)))
    assert finding.level == "fine" and finding.code == "steps_look"
    most = (8 * 1 / 9 + 1) / 9  # eight look at one step of nine; the first, which has none before it, may look at all
    assert finding.figures["share"] <= most and finding.pictures[0].name == "attention_map"


@pytest.mark.parametrize(("layer", "code"), [("self", "steps_look_alike"), ("decoder", "decoder_looks_alike")])
def test_attention_that_does_not_choose_is_to_be_watched(layer: str, code: str) -> None:
    specs: dict[str, list[Any]] = {
        "self": [{"self_attention": {"heads": 2}}, "linear"],
        "decoder": [{"gru": {"size": 4}}, "decoder"],
    }
    net = Net(specs[layer], Inputs(numbers=8), Outputs(steps=3)).eval()
    last = net.layers.parts[-1] if layer == "decoder" else net.layers.parts[0]
    with torch.no_grad():
        for name, parameter in last.named_parameters():
            if name.startswith(("query", "score.score")):
                parameter.zero_()
    (finding,) = attention(net, rows(batch_of(2, 30, 8)))
    assert (finding.code, finding.level) == (code, "watch") and finding.action.en and finding.action.zh


def test_no_map_without_such_a_layer() -> None:
    plain = Net([{"gru": {"size": 4}}, {"decoder": {"attention": None}}], Inputs(numbers=8), Outputs(steps=3))
    assert attention_maps(plain, rows(batch_of(1, 9, 8))) == ()
    pooled = net_of({"gru": {"size": 4}}, {"attention": {}}, "linear", inputs=8)
    assert attention_maps(pooled, rows(batch_of(1, 9, 8))) == ()


def test_long_axes_are_divided_evenly() -> None:
    cuts = edges(200)
    assert len(cuts) - 1 <= 64 and {*np.diff(cuts)[:-1].tolist()} == {4} and cuts[-1] == 200
    values = np.arange(200.0)
    assert summed(values, cuts).tolist() == [values[at : at + 4].sum() for at in range(0, 200, 4)]
    assert summed(np.ones(5), edges(8)).tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    assert names(cuts, str)[:2] == ("0 – 3", "4 – 7") and names(edges(2)) == ("0", "1")
