"""What is recorded is what the net does, and its gradients are those of torch's own layers."""

from __future__ import annotations

import pytest
import torch
from tests.diagnose.nets import batch_of, net_of, recurrent_of, squared
from torch import nn

from unrolled.core.tolerances import TOLERANCES
from unrolled.diagnose import observe
from unrolled.diagnose.gradient_flow import norms
from unrolled.nets.layers.head import Head


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "slstm", "lru"])
def test_states_are_the_outputs_of_the_net(cell: str, ragged: bool) -> None:
    net, batch = net_of({cell: {"size": 8, "layers": 2, "bidirectional": True}}).eval(), batch_of(ragged=ragged)
    layer = recurrent_of(net)
    runs = observe(net, batch, squared)
    y, final = layer(batch.x, lengths=batch.lengths)
    assert [run.place for run in runs] == ["net 0[0]", "net 0[0] backward", "net 0[1]", "net 0[1] backward"]
    for at, run in enumerate(runs):
        torch.testing.assert_close(run.states[-1][0], final[0][at], **TOLERANCES["float32"]._asdict())
    forward = torch.stack([state[0] for state in runs[2].states[1:]], 1)
    inside = runs[2].inside().T[..., None]
    torch.testing.assert_close(torch.where(inside, forward, 0), y[..., :8], **TOLERANCES["float32"]._asdict())


def test_the_net_is_left_as_it_was() -> None:
    net = net_of({"gru": {"size": 8}}).train()
    observe(net, batch_of(), squared)
    assert net.training and recurrent_of(net).backend is None
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_net_without_recurrence_has_nothing_to_record() -> None:
    assert observe(net_of({"dense": {"size": 4}}, {"pool": {"kind": "mean"}}), batch_of(), squared) == ()


def test_gradient_norms_equal_those_of_a_torch_cell() -> None:
    """An oracle by other means: torch's own cell unrolled by hand, its states asked for their gradients."""
    net, batch = net_of({"lstm": {"size": 8}}).double(), batch_of()
    batch = type(batch)(x=batch.x.double(), y=batch.y.double())
    (run,) = observe(net, batch, squared)
    cell, weights = nn.LSTMCell(3, 8).double(), run.request.weights
    cell.load_state_dict({name: weight.detach() for name, weight in weights.items()})
    h = c = torch.zeros(len(batch), 8, dtype=torch.float64)
    states = []
    for t in range(batch.x.shape[1]):
        h, c = cell(batch.x[:, t], (h, c))
        states.append((h, c))
    head = net.layers.parts[-1]
    assert isinstance(head, Head)
    loss = squared(head.trunk[0](h), batch)
    found = torch.autograd.grad(loss, [part for state in states for part in state], allow_unused=True)
    square = [
        sum(part.square().sum(1) for part in found[2 * t : 2 * t + 2] if part is not None) for t in range(len(states))
    ]
    expected = torch.stack([torch.as_tensor(one).mean().sqrt() for one in square]).flip(0)
    torch.testing.assert_close(torch.from_numpy(norms(run)), expected, rtol=1e-9, atol=1e-15)


def test_norms_by_lag_count_from_each_sequence_end() -> None:
    """A batch of ragged sequences has the norms of its sequences one by one."""
    net, batch = net_of({"gru": {"size": 8}}), batch_of(ragged=True)
    assert batch.lengths is not None

    def total(output: torch.Tensor, given: object) -> torch.Tensor:
        return output.sum()

    (run,) = observe(net, batch, total)
    shortest = int(batch.lengths.min())
    squares = []
    for at, length in enumerate(batch.lengths.tolist()):
        alone = type(batch)(x=batch.x[at : at + 1, :length], y=batch.y[at : at + 1])
        squares.append(torch.from_numpy(norms(observe(net, alone, total)[0])[:shortest]).square())
    expected = torch.stack(squares).mean(0).sqrt()
    torch.testing.assert_close(torch.from_numpy(norms(run)[:shortest]), expected, rtol=1e-5, atol=1e-9)
