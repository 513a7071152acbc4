"""Streams: steps equal the sequence, chunks equal steps, states go out and come back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled import native
from unrolled.core.errors import ConfigError, DataError
from unrolled.native import library
from unrolled.nets import Net, Recurrent
from unrolled.program.shapes import Inputs, Outputs
from unrolled.runtime import Chain, Stream
from unrolled.testing.compare import assert_close

B, T, D = 2, 9, 3


@pytest.fixture(autouse=True, params=["native", "numpy"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the native library, and as where it was not built."""
    if request.param == "numpy":
        monkeypatch.setattr(library, "reason", lambda: "it was not built")
    elif native.reason() is not None:
        pytest.skip(str(native.reason()))


CELLS: list[Any] = ["lstm", "gru", "gru_before", "rnn", "rnn_relu", "lstm_layer_norm", "min_gru"]
SPECS: list[list[Any]] = [
    ["lstm"],
    [{"lstm": {"size": 6, "layers": 2}}, "layer_norm", {"gru": {"size": 5}}, {"linear": {"hidden": [4]}}],
    [{"conv": {"kernel": 4, "padding": "causal", "channels": 6}}, "dropout", {"gru": {"size": 5}}],
    [{"conv": {"kernel": 3, "padding": "causal", "separable": True}}, {"gru": {"size": 5}}],
    [{"conv": {"kernel": 1, "norm": "layer"}}, {"rnn": {"size": 5}}, "segment_decoder"],
    [{"conv": {"kernel": 4, "padding": "causal", "stride": 3}}, {"gru": {"size": 5}}],
    [
        {"conv": {"kernel": 2, "padding": "causal", "stride": 2}},
        {"conv": {"kernel": 3, "padding": "causal", "stride": 2, "separable": True, "norm": "layer"}},
        {"lstm": {"size": 5, "layers": 2}},
        {"decoder": {"attention": None}},
    ],
    [{"conv": {"padding": "causal", "stride": 4}}, "gru", {"pool": {"kind": "mean_max"}}],
    [{"gru": {"size": 5}}, {"pool": {"kind": "mean"}}],
    [{"slow": {"every": 3, "layers": [{"gru": {"size": 5}}, {"pool": {"kind": "max"}}]}}, "linear"],
    [{"slow": {"every": 2, "layers": [{"conv": {"padding": "causal", "kernel": 2}}]}}, "gru"],
]


def _net(spec: Any) -> Net:
    torch.manual_seed(0)
    inputs = Inputs(numbers=D, categories=(4,), targets=1, static_numbers=2, length=T)
    net = Net(spec, inputs, Outputs(steps=4)).eval()
    with torch.no_grad():
        net(_x(), static=_static())
    return net


def _x() -> torch.Tensor:
    x = torch.randn(B, T, D + 1, generator=torch.Generator().manual_seed(1))
    x[..., -1] = torch.arange(T) % 5
    return x


def _static() -> torch.Tensor:
    return torch.tensor([[0.5, -1.0], [2.0, 0.0]])


def _same(actual: npt.NDArray[Any], expected: torch.Tensor) -> None:
    assert_close(torch.from_numpy(np.ascontiguousarray(actual)), expected, "stream")


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 3])
def test_steps_and_chunks_of_a_layer_equal_the_sequence(name: str, layers: int) -> None:
    torch.manual_seed(0)
    rnn, x = Recurrent(name, D + 1, 7, layers), _x()
    with torch.no_grad():
        y, final = rnn(x)
    stream = rnn.stream(batch=B)
    steps = [stream.step(x[:, t].numpy()).copy() for t in range(4)]
    chunk = stream.process(x[:, 4:].numpy())
    _same(np.concatenate([np.stack(steps, 1), chunk], 1), y)
    for part, expected in zip(stream.state, final, strict=True):
        _same(part, expected[-1])


@pytest.mark.parametrize("spec", SPECS)
def test_after_each_step_a_net_gives_its_answer_so_far(spec: list[Any]) -> None:
    net, x = _net(spec), _x()
    with torch.no_grad():
        expected = torch.stack([net(x[:, : t + 1], static=_static()) for t in range(T)], 1)
    stream = net.stream(batch=B, static=_static())
    parts = [stream.process(x[:, :3].numpy()), *(stream.step(x[:, t].numpy())[:, None] for t in range(3, T))]
    _same(np.concatenate(parts, 1), expected)
    stream.reset()
    _same(stream.process(x.numpy()), expected)


@pytest.mark.parametrize("spec", SPECS)
def test_a_snapshot_goes_on_in_another_stream_to_the_bit(spec: list[Any]) -> None:
    net, x = _net(spec), _x().numpy()
    stream, other = (net.stream(batch=B, static=_static()) for _ in range(2))
    stream.process(x[:, :4])
    state = stream.snapshot()
    first = stream.process(x[:, 4:])
    other.restore(state)
    assert np.array_equal(other.process(x[:, 4:]), first)
    stream.restore(state)
    assert np.array_equal(stream.process(x[:, 4:]), first)


@given(st.lists(st.integers(0, 4), max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cutting_gives_the_same(cuts: list[int]) -> None:
    torch.manual_seed(0)
    stream = Recurrent("lstm", 2, 5).stream()
    x = np.random.default_rng(0).normal(size=(sum(cuts), 2)).astype(np.float32)
    whole = stream.process(x).copy()
    stream.reset()
    ends = np.cumsum([0, *cuts])
    pieces = [stream.process(x[a:b]).copy() for a, b in pairwise(ends)]
    joined = np.concatenate([np.zeros((0, 5), np.float32), *pieces])
    np.testing.assert_allclose(joined, whole, rtol=1e-4, atol=1e-5)


@given(st.lists(st.integers(0, 5), max_size=8), st.sampled_from([(1, 2), (2, 3), (4, 1)]), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cutting_of_a_slower_net_gives_the_same(cuts: list[int], strides: tuple[int, int], each: bool) -> None:
    """Answers of a net at a slower pace are held until the next, in one vector or at every step."""
    torch.manual_seed(0)
    convolutions = [{"conv": {"channels": 4, "padding": "causal", "stride": stride}} for stride in strides]
    outputs = Outputs(values=4, every=True, blank=True) if each else Outputs(values=2)
    spec: list[Any] = [*convolutions, {"gru": {"size": 4}}, *([] if each else [{"pool": {"kind": "max"}}]), "linear"]
    net = Net(spec, Inputs(numbers=2), outputs).eval()
    x = torch.randn(1, sum(cuts), 2, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        so_far = [net(x[:, : t + 1]) for t in range(x.shape[1])]
    expected = [answer[:, -1:] if each else answer for answer in so_far]
    stream, at, found = net.stream(), 0, []
    for length in cuts:
        if length == 1:
            found.append(stream.step(x[:, at].numpy())[:, None])
        else:
            found.append(stream.process(x[:, at : at + length].numpy()))
        at += length
    if expected:
        _same(np.concatenate(found, 1), torch.stack(expected, 1))


def test_streams_are_independent_and_own_their_weights() -> None:
    torch.manual_seed(0)
    rnn, x = Recurrent("gru", D, 5), np.random.default_rng(0).normal(size=(B, T, D)).astype(np.float32)
    both, alone = rnn.stream(batch=B), rnn.stream()
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.zero_()
    y = both.process(x).copy()
    assert np.abs(y).max() > 0.1
    np.testing.assert_allclose(alone.process(x[1]), y[1], rtol=1e-4, atol=1e-5)


def test_a_state_goes_from_the_native_library_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    rnn, x = Recurrent("lstm", D + 1, 5, 2), _x().numpy()
    first = rnn.stream(batch=B)
    monkeypatch.setattr(library, "reason", lambda: "it was not built")
    second = rnn.stream(batch=B)
    first.process(x[:, :4])
    second.restore(first.snapshot())
    np.testing.assert_allclose(second.process(x[:, 4:]), first.process(x[:, 4:]), rtol=1e-4, atol=1e-5)


def test_one_stream_takes_and_gives_vectors() -> None:
    stream = Recurrent("gru", D, 5).stream()
    assert stream.step([0.1, 0.2, 0.3]).shape == (5,) and stream.process(np.zeros((0, D))).shape == (0, 5)
    net = Net(["gru"], Inputs(numbers=D), Outputs(steps=2))
    assert net.stream().step(np.zeros(D)).shape == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("spec", "layer"),
    [
        ([{"lstm": {"bidirectional": True}}], r"net\[0\]: a bidirectional"),
        (["gru", "attention"], r"net\[1\]"),
        (["gru", "decoder"], r"net\[1\]: the decoder attends"),
        (["gru", {"patch": {"length": 2}}, "gru"], r"net\[1\]: patch takes 2"),
        ([{"conv": {"stride": 2}}, "gru"], r"net\[0\]: the convolution looks 2 steps ahead"),
        ([{"conv": {"padding": "same"}}, "gru"], r"net\[0\]: the convolution"),
        (["window_norm", "gru"], r"net\[0\]"),
    ],
)
def test_a_net_that_cannot_stream_names_the_layer(spec: list[Any], layer: str) -> None:
    net = Net(spec, Inputs(numbers=D, targets=1), Outputs(steps=2))
    with pytest.raises(ConfigError, match=layer):
        net.stream()
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    with pytest.raises(ConfigError, match="needs the whole sequence"):
        Stream(net.plan(), weights)


def test_wrong_shapes_and_states_are_refused() -> None:
    net = _net(["gru"])
    stream = net.stream(batch=B, static=_static())
    chain = Recurrent("gru", D, 5).stream(batch=B)
    for call in (stream.step, stream.process, chain.step, chain.process):
        with pytest.raises(DataError, match="shape"):
            call(np.zeros((B, 1, 1, 1)))
        with pytest.raises(DataError, match="shape"):
            call(np.zeros(7))
    with pytest.raises(DataError, match="another net"):
        stream.restore({})
    with pytest.raises(DataError, match="state"):
        chain.restore(Recurrent("gru", D, 6).stream(batch=B).snapshot())
    with pytest.raises(ConfigError, match="both ends"):
        Recurrent("gru", D, 5, bidirectional=True).stream()
    with pytest.raises(ConfigError, match="streams"):
        Recurrent("gru", D, 5).stream(batch=0)
    with pytest.raises(ConfigError, match="layers"):
        Chain([])
