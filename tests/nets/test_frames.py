"""The CNN on the picture of each step, against torch's own layers on whole pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs


def _net(numbers: int, **options: Any) -> Net:
    torch.manual_seed(0)
    return Net([{"frames": options}, {"gru": {"size": 4}}], Inputs(numbers=numbers), Outputs(values=3)).eval()


def _features(net: Net, x: Tensor) -> Tensor:
    seen: list[Tensor] = []
    net.layers[1].register_forward_pre_hook(lambda _, given: seen.append(given[0].x))
    net(x)
    return seen[0]


@pytest.mark.parametrize("pool", [None, "mean", "max"])
@pytest.mark.parametrize(("height", "width", "colours"), [(7, 5, 3), (8, 8, 1)])
def test_frames_by_hand(height: int, width: int, colours: int, pool: str | None) -> None:
    net = _net(height * width * colours, height=height, width=width, channels=[4, 6], kernel=3, stride=2, pool=pool)
    layer: Any = net.layers[0]
    pictures = torch.randn(2, 6, height, width, colours)
    each = []
    for picture in pictures.flatten(0, 1):
        y = picture.permute(2, 0, 1)[None]
        for convolution in layer.convolutions:
            y = nn.functional.conv2d(y, convolution.weight, convolution.bias, stride=2, padding=1).relu()
        each.append(y[0].flatten(1))
    channels_last = torch.stack(each).transpose(1, 2)
    kept = {None: channels_last.flatten(1), "mean": channels_last.mean(1), "max": channels_last.amax(1)}[pool]
    torch.testing.assert_close(_features(net, pictures.flatten(2)).flatten(0, 1), kept)


def test_square_pictures_need_no_sizes() -> None:
    x = torch.randn(2, 3, 36)
    torch.testing.assert_close(_net(36)(x), _net(36, height=6, width=6)(x))
    torch.testing.assert_close(_net(36, height=4)(x), _net(36, height=4, width=9)(x))


def test_frames_stream() -> None:
    net, x = _net(24, height=3, width=4, channels=[5], pool="max"), torch.randn(2, 7, 24)
    assert not net.streamable()
    stream = net.stream(batch=2)
    steps = [torch.from_numpy(np.array(stream.step(x[:, t].numpy()))) for t in range(7)]
    for t, y in enumerate(steps):
        torch.testing.assert_close(y, net(x[:, : t + 1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("numbers", "options", "said"),
    [
        (35, {}, "35 columns make no pictures of one channel"),
        (36, {"height": 5}, "36 columns make no pictures of height 5"),
        (36, {"height": 5, "width": 7}, "height 5, width 7"),
        (36, {"height": 50}, "height 50"),
        (36, {"kernel": 4}, "odd"),
        (36, {"channels": []}, "channels"),
    ],
)
def test_what_is_no_picture_is_refused(numbers: int, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _net(numbers, **options)
