"""Adaptive computation time against the paper's equations, update by update."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unrolled.data.batch import Batch
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs
from unrolled.train.settings import TrainSettings
from unrolled.train.stepper import Stepper


def _net(*before: Any, **options: Any) -> Net:
    torch.manual_seed(0)
    net = Net([*before, {"ponder": {"size": 5, **options}}], Inputs(numbers=2), Outputs()).double().eval()
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if "halt" in name:
                weight.normal_(-1.0, 0.5)
    return net


def _by_hand(layer: Any, x: Tensor, most: int) -> tuple[Tensor, list[int], list[float]]:
    """The outputs of one sequence, N(t) and R(t): equations 5 to 9."""
    cell = nn.GRUCell(3, 5).double()
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in layer.rnn.state_dict().items()})
    state, outputs, counts, rests = torch.zeros(1, 5).double(), [], [], []
    for x_t in x:
        halts: list[float] = []
        states: list[Tensor] = []
        while True:
            flag = torch.tensor([1.0 if not states else 0.0]).double()
            states.append(cell(torch.cat([x_t, flag])[None], states[-1] if states else state))
            halts.append(torch.sigmoid(layer.halt(states[-1])).item())
            if sum(halts) >= 1 - 0.01 or len(halts) == most:
                break
        rest = 1 - sum(halts[:-1])
        shares = [*halts[:-1], rest]
        state = torch.stack([share * each for share, each in zip(shares, states, strict=True)]).sum(0)
        outputs.append(state[0])
        counts.append(len(halts))
        rests.append(rest)
    return torch.stack(outputs), counts, rests


@pytest.mark.parametrize("most", [2, 6, 30])
def test_ponder_by_hand(most: int) -> None:
    net, x, lengths = _net(most=most, cost=0.5), torch.randn(3, 7, 2).double() * 3, torch.tensor([7, 3, 5])
    head: Any = net.layers[2]
    costs, depths = [], []
    for b, length in enumerate(lengths.tolist()):
        outputs, counts, rests = _by_hand(net.layers[0], x[b, :length], most)
        torch.testing.assert_close(net(x, lengths)[b].flatten(), head.trunk[0](outputs[-1]))
        costs.append((sum(counts) + sum(rests)) / length)
        depths.append(sum(counts) / length)
    assert len({*depths}) > 1 or most == 2
    depth = net.depth(x, lengths)
    assert depth is not None and depth.tolist() == pytest.approx(depths)
    assert net.own_penalty() is None
    net.train()(x, lengths)
    penalty = net.own_penalty()
    assert penalty is not None and penalty.item() == pytest.approx(0.5 * sum(costs) / 3)


def test_the_cost_is_part_of_the_loss_and_shortens_thought() -> None:
    net, x = _net(cost=5.0, most=20), torch.randn(8, 6, 2).double()
    stepper = Stepper(
        net.train(),
        lambda y, batch: y.sum() * 0,
        TrainSettings(learning_rate=0.03),
        Fabric(accelerator="cpu", devices=1),
    )
    depths = []
    for _ in range(40):
        stepper.gradients([Batch(x=x, y=torch.zeros(8, 1))], total=8)
        stepper.update(0.03)
        depth = net.depth(x)
        assert depth is not None
        depths.append(depth.mean().item())
    assert depths[-1] == 1 < depths[0]


@pytest.mark.parametrize("holder", ["parallel", "bidirectional"])
def test_layers_that_hold_it_pass_its_cost_on(holder: str) -> None:
    inner = [{"ponder": {"size": 3, "cost": 1.0}}]
    options: Any = {"branches": [[*inner], [*inner]]} if holder == "parallel" else {"layers": inner}
    net = Net([{holder: options}], Inputs(numbers=2), Outputs()).train()
    net(torch.randn(2, 4, 2))
    penalty = net.own_penalty()
    assert penalty is not None and penalty.item() >= 4  # two of them, each at least one update and what it left


def test_ponder_streams() -> None:
    net, x = _net({"dense": {"size": 4}}, most=6), torch.randn(2, 9, 2).double()
    stream = net.stream(batch=2)
    chunks = torch.cat([torch.from_numpy(stream.process(x[:, a:b].numpy())) for a, b in ((0, 1), (1, 5), (5, 9))], 1)
    for t in range(9):
        torch.testing.assert_close(chunks[:, t], net(x[:, : t + 1]))
