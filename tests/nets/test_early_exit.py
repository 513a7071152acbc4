"""Layers that are left as soon as an answer is sure."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs
from unrolled.train.settings import TrainSettings
from unrolled.train.stepper import Stepper

LAYERS = [{"gru": {"size": 5}}, {"gru": {"size": 4}}, {"gru": {"size": 3}}]


def _net(threshold: float = 0.5, **options: Any) -> Net:
    torch.manual_seed(0)
    net = Net(
        [{"early_exit": {"layers": LAYERS, "threshold": threshold, **options}}], Inputs(numbers=2), Outputs(values=3)
    )
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if "exits" in name:
                weight.mul_(4)
    return net.eval()


def _answers(net: Net, x: Tensor) -> Tensor:
    """``(B, E, V)`` by torch's own layers."""
    part: Any = net.layers[0]
    found = []
    for layer, leave, size in zip(part.layers, part.exits, (5, 4, 3), strict=True):
        gru = nn.GRU(x.shape[2], size, batch_first=True)
        gru.load_state_dict(layer.rnn.state_dict())
        x = gru(x)[0]
        found.append(leave[1].trunk[0](x[:, -1]))
    return torch.stack(found, 1)


def test_each_sequence_leaves_at_its_first_sure_answer() -> None:
    net, x = _net(), torch.randn(40, 6, 2)
    answers = _answers(net, x)
    depths = []
    for every, given in zip(answers, net(x)[:, 0, 0], strict=True):
        sure = [k for k in range(2) if every[k].softmax(0).max() >= 0.5]
        depths.append(sure[0] + 1 if sure else 3)
        torch.testing.assert_close(given, every[depths[-1] - 1])
    assert set(depths) == {1, 2, 3}
    depth = net.depth(x)
    assert depth is not None and depth.tolist() == depths


def test_who_has_left_is_not_computed() -> None:
    net, x = _net(), torch.randn(40, 6, 2)
    part: Any = net.layers[0]
    rows: list[int] = []
    for layer in part.layers:
        layer.register_forward_pre_hook(lambda _, given: rows.append(len(given[0].x)))
    depth = net.depth(x)
    assert depth is not None
    assert rows == [40, int((depth > 1).sum()), int((depth > 2).sum())]


def test_the_threshold_sets_the_average_depth() -> None:
    net, x = _net(), torch.randn(40, 6, 2)
    part: Any = net.layers[0]
    means = []
    for threshold in (0.0, 0.4, 0.5, 0.7, 1.0):
        part.threshold = threshold
        depth = net.depth(x)
        assert depth is not None
        means.append(depth.double().mean().item())
    assert means[0] == 1 and means[-1] == 3 and means == sorted(means) and len(set(means)) > 3


def test_answers_that_are_no_numbers_go_to_the_end() -> None:
    net, x = _net(), torch.randn(3, 6, 2)
    x[1] = torch.nan
    y, depth = net(x), net.depth(x)
    assert depth is not None and depth[1] == 3 and y[1].isnan().all() and y[[0, 2]].isfinite().all()


def test_training_judges_all_exits() -> None:
    net, x = _net().train(), torch.randn(2, 6, 2)
    answers = _answers(net, x)
    y = net(x)
    given = torch.stack([*net.other_answers(), y], 1)[:, :, 0, 0]
    torch.testing.assert_close(given, answers)
    assert pickle.loads(pickle.dumps(net)).other_answers() == ()
    net.eval()(x)
    assert net.other_answers() == ()


def test_a_step_of_training_is_that_of_the_mean_loss() -> None:
    x, y = torch.randn(4, 6, 2), torch.tensor([[0.0], [1.0], [2.0], [1.0]])

    def loss(answer: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(answer[:, 0, 0], batch.y[:, 0].long())

    net, other = _net().train(), _net().train()
    stepper = Stepper(net, loss, TrainSettings(clip_norm=None), Fabric(accelerator="cpu", devices=1))
    mean, _ = stepper.gradients([Batch(x=x, y=y)], total=4)
    expected = torch.stack([cross_entropy(answer, y[:, 0].long()) for answer in _answers(other, x).unbind(1)]).mean()
    torch.testing.assert_close(mean, expected.detach())
    other(x)
    answers = (*other.other_answers(), other(x))
    torch.autograd.backward(torch.stack([loss(answer, Batch(x=x, y=y)) for answer in answers]).mean())
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad)


def test_it_is_for_classes() -> None:
    with pytest.raises(ConfigError, match="classes"):
        Net([{"early_exit": {"layers": LAYERS}}], Inputs(numbers=2), Outputs())
    with pytest.raises(ConfigError, match="leaves no steps"):
        Net([{"early_exit": {"layers": ["gru", "pool"]}}], Inputs(numbers=2), Outputs(values=3))


@pytest.mark.parametrize("pool", ["last", "mean", "mean_max"])
def test_it_streams_where_its_layers_do(pool: str) -> None:
    net, x = _net(pool=pool), torch.randn(2, 6, 2)
    assert not net.streamable()
    stream = net.stream(batch=2)
    y = torch.from_numpy(stream.process(x.numpy()))
    for step in range(6):
        torch.testing.assert_close(y[:, step], net(x[:, : step + 1]), rtol=1e-4, atol=1e-5)
