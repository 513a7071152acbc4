"""Each operation of a plan against torch's own, or against its definition written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unrolled.program.ops import OPS

LENGTHS = np.array([7, 1, 4])
Array = np.ndarray[Any, np.dtype[Any]]


def draw(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def poisoned(x: Array) -> Array:
    """Not a number beyond each length."""
    x = x.copy()
    for b, length in enumerate(LENGTHS):
        x[b, length:] = np.nan
    return x


def close(found: Array, expected: Any) -> None:
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-10, atol=1e-12)


def test_dense() -> None:
    x, w, b = draw(3, 7, 4), draw(5, 4, seed=1), draw(5, seed=2)
    close(OPS["linear"](x, weight=w, bias=b), F.linear(*map(torch.from_numpy, (x, w, b))))
    close(OPS["linear"](x, weight=w), x @ w.T)
    g, s = draw(4, seed=3), draw(4, seed=4)
    close(
        OPS["layer_norm"](x, weight=g, bias=s, eps=1e-3),
        F.layer_norm(torch.from_numpy(x), (4,), torch.from_numpy(g), torch.from_numpy(s), 1e-3),
    )
    mean, variance = draw(4, seed=5), draw(4, seed=6) ** 2
    rows, m, v, scale, shift = (torch.from_numpy(a) for a in (x.reshape(-1, 4), mean, variance, g, s))
    found = OPS["batch_norm"](x, weight=g, bias=s, running_mean=mean, running_var=variance, eps=1e-3)
    close(found.reshape(-1, 4), F.batch_norm(rows, m, v, scale, shift, eps=1e-3))


@pytest.mark.parametrize(
    ("kind", "oracle"),
    [
        ("relu", F.relu),
        ("tanh", torch.tanh),
        ("sigmoid", torch.sigmoid),
        ("silu", F.silu),
        ("elu", F.elu),
        ("gelu", lambda x: F.gelu(x, approximate="tanh")),
    ],
)
def test_activation(kind: str, oracle: Any) -> None:
    x = np.concatenate([draw(50) * 3, [0.0, -800.0, 800.0]])
    close(OPS["activation"](x, kind=kind), oracle(torch.from_numpy(x)))


def test_embedding_sends_strange_codes_to_the_last_row() -> None:
    table = draw(4, 2)
    codes = np.array([[0.0], [2.0], [3.0], [4.0], [-1.0], [np.nan], [np.inf]])
    close(OPS["embedding"](codes, weight=table), table[[0, 2, 3, 3, 3, 3, 3]])


def test_joining_and_cutting() -> None:
    x, row = draw(2, 3, 4), draw(2, 1, 2, seed=1)
    joined = OPS["merge"](x, row, kind="concat")
    close(joined[..., :4], x)
    close(joined[..., 4:], np.repeat(row, 3, axis=1))
    close(OPS["merge"](x, 2 * x, kind="sum"), 3 * x)
    close(OPS["merge"](x, 2 * x, kind="mean"), 1.5 * x)
    close(OPS["slice_axis"](x, axis=-1, start=1, stop=3), x[:, :, 1:3])
    close(OPS["slice_axis"](x, axis=1, start=1, stop=3), x[:, 1:3])
    close(OPS["reshape"](x, shape=(2, 6)), x.reshape(2, 2, 6))
    close(OPS["repeat"](x, times=2), torch.from_numpy(x).repeat_interleave(2, dim=0))
    assert OPS["repeat"](None, times=2) is None
    close(OPS["tile"](draw(6, 1), weight=x), np.concatenate([x, x, x]))
    with pytest.raises(ValueError, match="multiple"):
        OPS["tile"](draw(5, 1), weight=x)


def test_channels_fold_and_unfold() -> None:
    x = draw(2, 5, 4)
    folded = OPS["fold_channels"](x, channels=3)
    for b in range(2):
        for m in range(3):
            close(folded[b * 3 + m], np.stack([x[b, :, m], x[b, :, 3]], axis=1))
    only = OPS["fold_channels"](x, channels=4)
    close(OPS["unfold_channels"](only[..., None], channels=4)[..., 0], x)


@pytest.mark.parametrize("align", ["start", "end"])
@pytest.mark.parametrize("time", [1, 3, 4, 7, 8])
def test_patch_without_lengths(align: str, time: int) -> None:
    x = draw(2, time, 3)
    missing = np.zeros((2, -time % 4, 3))
    padded = np.concatenate([missing, x] if align == "end" else [x, missing], axis=1)
    y, lengths = OPS["patch"](x, None, length=4, align=align)
    close(y, padded.reshape(2, -1, 12))
    assert lengths is None


@pytest.mark.parametrize("align", ["start", "end"])
def test_patch_of_each_sequence_is_that_of_the_sequence_alone(align: str) -> None:
    x = poisoned(draw(3, 7, 2))
    y, lengths = OPS["patch"](x, LENGTHS, length=3, align=align)
    assert lengths.tolist() == [3, 1, 2]
    for b, length in enumerate(LENGTHS):
        alone, _ = OPS["patch"](x[b : b + 1, :length], None, length=3, align=align)
        close(y[b, : lengths[b]], alone[0])


@pytest.mark.parametrize(("kernel", "stride", "left"), [(1, 1, 0), (3, 1, 1), (4, 2, 1), (5, 3, 4), (2, 9, 1)])
def test_conv1d(kernel: int, stride: int, left: int) -> None:
    x, w, b = draw(3, 7, 2), draw(4, 2, kernel, seed=1), draw(4, seed=2)
    y, lengths = OPS["conv1d"](
        poisoned(x), LENGTHS, weight=w, bias=b, stride=stride, left=left, right=kernel - 1 - left
    )
    assert lengths.tolist() == [-(-length // stride) for length in LENGTHS]
    for row, length in enumerate(LENGTHS):
        padded = F.pad(torch.from_numpy(x[row, :length].T), (left, kernel - 1 - left))
        expected = F.conv1d(padded[None], torch.from_numpy(w), torch.from_numpy(b), stride)[0].T
        close(y[row, : lengths[row]], expected)


@pytest.mark.parametrize("kind", ["last", "mean", "max"])
@pytest.mark.parametrize("ragged", [False, True])
def test_pool(kind: str, ragged: bool) -> None:
    x = draw(3, 7, 5)
    found = OPS["pool"](poisoned(x) if ragged else x, LENGTHS if ragged else None, kind=kind, backward=2)
    for b, length in enumerate(LENGTHS if ragged else (7, 7, 7)):
        true = x[b, :length]
        last = np.concatenate([true[-1, :3], true[0, 3:]])
        close(found[b], {"last": last, "mean": true.mean(0), "max": true.max(0)}[kind])


@pytest.mark.parametrize("ragged", [False, True])
def test_attend(ragged: bool) -> None:
    x, scores = draw(3, 7, 2), draw(3, 7, 1, seed=1) * 300
    lengths = LENGTHS if ragged else None
    y, weights = OPS["attend"](poisoned(x) if ragged else x, poisoned(scores) if ragged else scores, lengths)
    for b, length in enumerate(LENGTHS if ragged else (7, 7, 7)):
        expected = torch.softmax(torch.from_numpy(scores[b, :length, 0]), 0).numpy()
        close(weights[b, :length], expected)
        assert (weights[b, length:] == 0).all()
        close(y[b], expected @ x[b, :length])


@pytest.mark.parametrize("kind", ["last", "mean_std"])
@pytest.mark.parametrize("affine", [False, True])
def test_window_norm_and_back(kind: str, affine: bool) -> None:
    x, weights = draw(3, 7, 3) * 5 + 20, {}
    if affine:
        weights = {"weight": np.array([2.0, 0.5]), "bias": np.array([1.0, -1.0])}
    y, centre, scale = OPS["window_norm"](poisoned(x), LENGTHS, **weights, kind=kind, targets=2, eps=1e-5)
    for b, length in enumerate(LENGTHS):
        own = x[b, :length, :2]
        middle = own[-1] if kind == "last" else own.mean(0)
        spread = 1.0 if kind == "last" else np.sqrt(own.var(0) + 1e-5)
        expected = (own - middle) / spread * weights.get("weight", 1) + weights.get("bias", 0)
        close(y[b, :length, :2], expected)
        close(y[b, :length, 2], x[b, :length, 2])
    back = OPS["window_denorm"](y[..., :2, None], centre, scale, **weights)
    for b, length in enumerate(LENGTHS):
        close(back[b, :length, :, 0], x[b, :length, :2])


@pytest.mark.parametrize("reverse", [False, True])
def test_recurrent_is_torch_in_one_direction(reverse: bool) -> None:
    oracle = nn.LSTM(3, 4, bidirectional=True, batch_first=True).double()
    end = "_reverse" if reverse else ""
    weights = {
        n: oracle.get_parameter(f"{n}_l0{end}").detach().numpy()
        for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    x, h, c = draw(3, 7, 3), draw(3, 4, seed=1), draw(3, 4, seed=2)
    state = tuple(torch.from_numpy(np.stack([part, part])) for part in (h, c))
    packed = nn.utils.rnn.pack_padded_sequence(
        torch.from_numpy(x), torch.from_numpy(LENGTHS), batch_first=True, enforce_sorted=False
    )
    with torch.no_grad():
        output, final = oracle(packed, state)
    y = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)[0].numpy()[..., 4 * reverse : 4 * reverse + 4]
    found, *states = OPS["recurrent"](poisoned(x), LENGTHS, h, c, cell="lstm", reverse=reverse, **weights)
    close(found, y)
    for part, expected in zip(states, final, strict=True):
        close(part, expected[int(reverse)])


def test_behind_its_end_a_sequence_says_nothing() -> None:
    x = draw(3, 7, 4)
    y = OPS["end_in_blank"](poisoned(x), LENGTHS)
    for b, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(y[b, :length], x[b, :length])
        chance = np.exp(y[b, length:])
        np.testing.assert_array_equal(chance / chance.sum(-1, keepdims=True), np.tile([1.0, 0, 0, 0], (7 - length, 1)))
    assert OPS["end_in_blank"](x, None) is x
