"""The contract of every layer: its plan, in NumPy, gives the numbers of the torch net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled.cells import cells
from unrolled.core.tolerances import TOLERANCES
from unrolled.nets import Net
from unrolled.nets.layers import layer_kinds
from unrolled.program.check import check
from unrolled.program.plan import Plan, run
from unrolled.program.shapes import Inputs, Outputs

MakeBatch = Callable[..., dict[str, Tensor | None]]

FULL = Inputs(
    numbers=5,
    categories=(4, 1),
    targets=2,
    static_numbers=1,
    static_categories=(3,),
    known_numbers=1,
    known_categories=(5,),
    masked=(1,),
    time_delta=True,
)
MANY = Outputs(steps=5, targets=2, values=2)

OWN: dict[str, dict[str, Any]] = {
    "indrnn": {"steps": 7},
    "lru": {"fastest": 0.5, "slowest": 0.9},
    "lstm_dropout": {"rate": 0.5},
    "lstm_projected": {"projection": 2},
    "lstm_variational": {"rate": 0.5},
    "lstm_zoneout": {"cell_rate": 0.3, "output_rate": 0.2},
    "slstm": {"heads": 2},
}
ONE_OF_EACH: list[list[Any]] = [
    [{"attention": {"size": 3}}],
    [{"attention": {"kind": "dot", "size": 3}}],
    [{"dense": {"size": 6}}, {"attention": {"kind": "multi_head", "heads": 3}}],
    [{"bidirectional": {"layers": [{"gru": {"size": 3}}, {"rnn": {"size": 4}}]}}],
    [{"bidirectional": {"layers": [{"gru": {"size": 3}}], "merge": "mean"}}, {"pool": {"kind": "max"}}],
    *([{"lstm": {"size": 4}}, {"decoder": {"attention": kind, "size": 3, "dropout": 0.5}}]
      for kind in ("bahdanau", "luong", None)),
    ["per_channel", {"gru": {"size": 4, "layers": 2}}, {"decoder": {"attention": "luong", "feeding": False}}],
    [{"dense": {"size": 4, "activation": "tanh", "dropout": 0.5}}, "positions"],
    [{"gru": {"size": 4}}, {"bottleneck": {"size": 3}}, {"rnn": {"size": 4}}],
    [{"layer_fusion": {"layers": [{"lstm": {"size": 4}}, {"gru": {"size": 3}}]}}],
    *([{"parallel": {"branches": [[{"gru": {"size": 3}}], [{"dense": {"size": 4}}]], "merge": merge}}]
      for merge in ("concat", "sum", "gated", "attention")),
    [{"parallel": {"branches": [["attention"], [{"conv": {"channels": 3, "stride": 2}}, "pool"]]}}],
    [{"parallel": {"branches": [[{"gru": {"size": 3}}], [{"rnn": {"size": 3}}]], "columns": [[2, 0], [1]]}}],
    [{"pieces": {"length": 4, "layers": [{"gru": {"size": 3}}]}}, {"lstm": {"size": 4}}],
    [{"pieces": {"length": 3, "layers": [{"pool": {"kind": "max"}}]}}, "attention"],
    *([{"pieces": {"column": 1, "mark": mark, "layers": [{"gru": {"size": 3}}]}}, {"lstm": {"size": 4}}]
      for mark in ("change", "start")),
    *([{"residual": {"layers": [{"lstm": {"size": 5}}], "repeat": 2, "norm": norm, "dropout": 0.5}}]
      for norm in ("before", "after", None)),
    [{"dense": {"size": 4}}, {"self_attention": {"heads": 2, "dropout": 0.5}}],
    [{"dense": {"size": 4}}, {"self_attention": {"heads": 4, "causal": True, "relative": 3, "residual": False}}],
    [{"dense": {"size": 4}}, {"self_attention": {"heads": 2, "window": 2, "recency": True}}],
    [{"dense": {"size": 4}}, {"self_attention": {"heads": 2, "kind": "projected", "slots": 3, "longest": 20}}],
    *([{"dense": {"size": 4}}, {"self_attention": {"heads": 2, "kind": "random_features", "features": 7,
        "causal": causal}}] for causal in (False, True)),
    [{"augment": {"warp": 0.5, "scale": 0.5}}, "decay"],
    *([{"early_exit": {"layers": [{"gru": {"size": 4}}, {"rnn": {"size": 3}}, "layer_norm"], "threshold": threshold,
        "pool": pool, "dropout": 0.5}}] for threshold, pool in ((0.55, "last"), (0.6, "mean_max"))),
    [{"delta": {"threshold": 0.5}}, {"gru_delta": {"size": 4, "threshold": 0.1}}],
    [{"dense": {"size": 9}}, {"top_k": {"keep": 0.3}}, {"gru": {"size": 3}}, {"top_k": {"keep": 0.5}}, "pool", "top_k"],
    *([{"dense": {"size": 24}}, {"frames": {"height": 3, "width": 4, "channels": [3, 2], "kernel": 3, "stride": stride,
        "pool": pool, "dropout": 0.5}}] for stride, pool in ((1, None), (2, "mean"), (2, "max"))),
    [{"slow": {"every": 3, "layers": [{"gru": {"size": 4}}, {"conv": {"kernel": 3, "channels": 3}}]}}],
    [{"slow": {"every": 2, "layers": [{"gru": {"size": 4, "bidirectional": True}}, {"pool": {"kind": "max"}}]}}],
    *([{"ponder": {"cell": cell, "size": 4, "most": most}}] for cell, most in (("gru", 5), ("lstm", 3), ("rnn", 1))),
    [{"memory": {"size": 4, "slots": 5, "width": 3}}],
    [{"memory": {"size": 3, "slots": 4, "width": 2, "heads": 2, "reach": 2}}],
    [{"conv": {"channels": 3, "kernel": 4}}],
    *([{"conv": {"channels": 3, "kernel": 4, "separable": True, "stride": 2, "norm": norm}}]
      for norm in ("batch", None)),
    [{"conv": {"channels": 3, "kernel": 3, "stride": 2, "norm": "layer", "activation": "gelu"}}],
    [{"conv": {"channels": 2, "kernel": 5, "padding": "causal", "norm": None, "activation": None}}],
    [{"dropout": {"rate": 0.5}}],
    ["layer_norm"],
    [{"linear": {"hidden": [4, 3], "activation": "elu", "dropout": 0.5}}],
    [{"noise": {"deviation": 1.0}}],
    [{"patch": {"length": 4, "size": 3, "activation": "silu"}}],
    [{"per_channel": {"embed": 2}}],
    *([{"pool": {"kind": kind}}] for kind in ("last", "mean", "max", "mean_max")),
    [{"window_norm": {"kind": "last", "affine": True}}],
    [{"window_norm": {"kind": "mean_std", "affine": True}}],
    ["per_channel", {"gru": {"size": 4}}, {"segment_decoder": {"length": 2, "dropout": 0.5}}],
    [{"lstm": {"size": 4, "layers": 2}}, {"segment_decoder": {"length": 3, "embed": 3}}],
    [{"slstm": {"size": 4, "heads": 2}}, {"segment_decoder": {"length": 3}}],
    ["per_channel", {"lstm": {"size": 4}}, {"segment_decoder": {"length": 2, "shared": True}}],
    *([{"lstm": {"size": 3, "bidirectional": True, "merge": merge}}, {"pool": {"kind": "mean"}}]
      for merge in ("concat", "sum", "mean")),
    *([{name: {"size": 4, "layers": 2, "bidirectional": True, "orthogonal": True}}] for name in ("rnn_modrelu", "gru")),
    *([{name: {"size": 4, "layers": 2, "bidirectional": True, "dropout": 0.5, **OWN.get(name, {})}}]
      for name in cells()),
]  # fmt: skip


def scrambled(net: Net) -> Net:
    """Every weight and statistic random, so that none is at a value that hides a mistake."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + (0.5 if "running_var" in name else -0.5))
    return net.eval()


def as_double(batch: dict[str, Tensor | None]) -> dict[str, Any]:
    return {k: v.double() if v is not None and v.is_floating_point() else v for k, v in batch.items()}


def assert_parity(net: Net, batch: dict[str, Tensor | None]) -> None:
    net = net.double()
    given_batch = as_double(batch)
    with torch.no_grad():
        expected = net(**given_batch).numpy()
    assert np.isfinite(expected).all()
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    plan = Plan.model_validate_json(net.plan().model_dump_json())
    arrays: dict[str, Any] = {name: None if value is None else value.numpy() for name, value in given_batch.items()}
    y = run(check(plan, weights), weights, **arrays)
    assert y.dtype == np.float64 and y.shape == expected.shape
    np.testing.assert_allclose(y, expected, **TOLERANCES["float64"]._asdict())


def assert_alone(net: Net, batch: dict[str, Tensor | None]) -> None:
    """Each sequence by itself, cut to its length, has the answer that it has in the padded batch."""
    net, rest = net.double(), as_double(batch)
    x, lengths = rest.pop("x"), rest.pop("lengths")
    with torch.no_grad():
        together = net(x, lengths, **rest)
        for b, length in enumerate(lengths.tolist()):
            own = {name: None if value is None else value[b : b + 1] for name, value in rest.items()}
            alone = net(x[b : b + 1, :length], **own)
            torch.testing.assert_close(alone[0], together[b], **TOLERANCES["float64"]._asdict())


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("spec", ONE_OF_EACH, ids=str)
def test_every_layer(spec: list[Any], ragged: bool, make_batch: MakeBatch) -> None:
    net = scrambled(Net(spec, FULL, MANY))
    assert_parity(net, make_batch(FULL, MANY, ragged=ragged))
    assert_parity(net, make_batch(FULL, MANY, ragged=ragged, batch=1, time=1))


@pytest.mark.parametrize("spec", ONE_OF_EACH, ids=str)
def test_padding_changes_nothing(spec: list[Any], make_batch: MakeBatch) -> None:
    assert_alone(scrambled(Net(spec, FULL, MANY)), make_batch(FULL, MANY, batch=5, ragged=True))


@pytest.mark.parametrize("spec", ONE_OF_EACH, ids=str)
def test_every_weight_learns(spec: list[Any], make_batch: MakeBatch) -> None:
    net = Net(spec, FULL, MANY)
    batch = make_batch(FULL, MANY)
    y = net.double()(**as_double(batch))
    answers = torch.stack([y, *net.other_answers()])
    torch.autograd.backward((answers * torch.randn(answers.shape)).sum())
    without = [name for name, weight in net.named_parameters() if weight.grad is None]
    if any("segment_decoder" in entry for entry in spec):
        without = [name for name in without if "layers" in name]
    assert not without


def test_every_kind_of_layer_is_tested() -> None:
    assert {
        name for spec in ONE_OF_EACH for entry in spec for name in ([entry] if isinstance(entry, str) else entry)
    } == set(layer_kinds()) - {"align", "items", "score", "siamese"}  # in tests/nets/test_items, tests/tasks/test_pairs


def test_float32_plan_stays_float32(make_batch: MakeBatch) -> None:
    spec = [{"window_norm": {"kind": "mean_std"}}, {"conv": {"channels": 4}}, {"lstm": {"size": 4}}, "attention"]
    net = scrambled(Net(spec, FULL, MANY))
    batch = make_batch(FULL, MANY, ragged=True)
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    arrays: dict[str, Any] = {name: None if value is None else value.numpy() for name, value in batch.items()}
    y = run(net.plan(), weights, **arrays)
    assert y.dtype == np.float32
    with torch.no_grad():
        np.testing.assert_allclose(y, net(**batch).numpy(), **TOLERANCES["float32"]._asdict())


sizes = st.integers(1, 5)
recurrent = st.builds(
    lambda name, size, layers, two, merge: {
        name: {"size": size, "layers": layers, "bidirectional": two, "merge": merge}
    },
    st.sampled_from(["rnn", "lstm", "gru", "gru_before"]),
    sizes,
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from(["concat", "sum", "mean"]),
)
conv = st.builds(
    lambda channels, kernel, stride, padding, norm: {
        "conv": {"channels": channels, "kernel": kernel, "stride": stride, "padding": padding, "norm": norm}
    },
    sizes,
    sizes,
    st.integers(1, 3),
    st.sampled_from(["same", "causal"]),
    st.sampled_from(["batch", "layer", None]),
)
patch = st.builds(lambda length, size: {"patch": {"length": length, "size": size}}, sizes, sizes)
body = st.lists(st.one_of(recurrent, conv, patch, st.just("layer_norm"), st.just("dropout")), max_size=3)
pool = st.sampled_from(["attention", *({"pool": {"kind": kind}} for kind in ("mean", "max", "mean_max"))])
linear = st.builds(lambda hidden: {"linear": {"hidden": hidden}}, st.lists(sizes, max_size=2))
decoder = st.builds(
    lambda size, length: [{"lstm": {"size": size}}, {"segment_decoder": {"length": length}}], sizes, sizes
)
tail = st.one_of(st.tuples(pool, linear).map(list), decoder)
norm = st.builds(
    lambda kind, affine: {"window_norm": {"kind": kind, "affine": affine}},
    st.sampled_from(["last", "mean_std"]),
    st.booleans(),
)
channel = st.builds(lambda embed: {"per_channel": {"embed": embed}}, st.integers(0, 2))
brackets = st.sampled_from([0, 1, 2, 3]).flatmap(
    lambda which: st.tuples(*([[], [norm], [channel], [norm, channel]][which])).map(list)
)


@st.composite
def nets(draw: st.DrawFn) -> tuple[list[Any], Inputs, Outputs]:
    """Any order of layers that makes sense, for any inputs."""
    front = draw(brackets)
    targets = draw(st.integers(1 if front else 0, 3))
    counts = st.lists(st.integers(1, 4), max_size=2).map(tuple)
    inputs = Inputs(
        numbers=targets + draw(st.integers(0 if targets else 1, 2)),
        categories=draw(counts),
        targets=targets,
        static_numbers=draw(st.integers(0, 2)),
        static_categories=draw(counts),
        known_numbers=draw(st.integers(0, 2)),
        known_categories=draw(counts),
    )
    outputs = Outputs(steps=draw(sizes), targets=targets or draw(sizes), values=draw(st.integers(1, 3)))
    return front + draw(body) + draw(tail), inputs, outputs


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=nets(), batch=st.integers(1, 4), time=st.integers(1, 11), ragged=st.booleans())
def test_random_nets(
    drawn: tuple[list[Any], Inputs, Outputs], batch: int, time: int, ragged: bool, make_batch: MakeBatch
) -> None:
    spec, inputs, outputs = drawn
    net = scrambled(Net(spec, inputs, outputs))
    given_batch = make_batch(inputs, outputs, batch=batch, time=time, ragged=ragged)
    assert_parity(net, given_batch)
    if ragged:
        assert_alone(net, given_batch)
