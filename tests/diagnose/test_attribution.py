"""Contributions add up, are exact where that is known, and stand at the inputs that matter."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.diagnose.nets import batch_of, net_of
from torch import Tensor

from unrolled.data import Batch
from unrolled.diagnose.attribution import average, integrated_gradients
from unrolled.diagnose.held import Part, held
from unrolled.diagnose.neighbours import nearest, represented
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs


def first(output: Tensor) -> Tensor:
    return output[:, 0, 0, 0]


@pytest.mark.parametrize(
    "layers",
    [
        [{"lstm": {"size": 8}}],
        [{"gru": {"size": 8, "bidirectional": True}}, {"attention": {}}, "linear"],
        [{"conv": {"channels": 8, "kernel": 3}}, {"rnn": {"size": 8}}, {"pool": {"kind": "mean"}}, "linear"],
    ],
)
@pytest.mark.parametrize("ragged", [False, True])
def test_contributions_add_up(layers: list[Any], ragged: bool) -> None:
    """Completeness, proposition 1 of the paper: the sum is the difference of the two answers."""
    net, batch = net_of(*layers).eval(), batch_of(ragged=ragged)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.3)  # far from linear, short of chaos
    rest = average(net, [batch])
    found = integrated_gradients(net, batch, first, rest)
    gap = (found.x.sum((1, 2)) - (found.figure - found.rest)).abs()
    assert bool((gap <= 1.1e-3 * found.x.abs().sum((1, 2))).all()), (gap, found.points)
    torch.testing.assert_close(found.figure, first(net(**batch.inputs())).detach())
    if batch.lengths is not None:
        outside = torch.arange(batch.x.shape[1]) >= batch.lengths[:, None]
        assert float(found.x[outside].abs().max()) == 0


def test_a_linear_net_gives_weight_times_distance() -> None:
    net = net_of({"pool": {"kind": "mean"}}, "linear")
    batch = batch_of(time=5)
    rest = average(net, [batch])
    weight = next(value for name, value in net.named_parameters() if name.endswith("weight"))[0].detach()
    found = integrated_gradients(net, batch, first, rest)
    torch.testing.assert_close(found.x, (batch.x - rest["x"]) * weight / 5, rtol=1e-4, atol=1e-6)


def mixed_net() -> tuple[Net, Batch]:
    """Numbers, a category, static and known columns."""
    torch.manual_seed(0)
    inputs = Inputs(numbers=2, categories=(5,), static_numbers=1, static_categories=(3,), known_numbers=1, targets=1)
    net = Net([{"gru": {"size": 8}}, "linear"], inputs, Outputs(steps=4)).eval()
    random = torch.Generator().manual_seed(1)
    x = torch.cat([torch.randn(6, 9, 2, generator=random), torch.randint(0, 5, (6, 9, 1), generator=random)], 2)
    static = torch.cat([torch.randn(6, 1, generator=random), torch.randint(0, 3, (6, 1), generator=random)], 1)
    return net, Batch(x=x, y=torch.zeros(6, 4, 1), static=static, known=torch.randn(6, 4, 1, generator=random))


def test_embeddings_static_and_known_columns_take_part() -> None:
    net, batch = mixed_net()
    found = integrated_gradients(net, batch, lambda output: output.mean((1, 2, 3)), average(net, [batch]))
    assert found.static is not None and found.known is not None
    assert found.x.shape == (6, 9, 3) and found.static.shape == (6, 2) and found.known.shape == (6, 4, 1)
    total = found.x.sum((1, 2)) + found.static.sum(1) + found.known.sum((1, 2))
    sizes = found.x.abs().sum((1, 2)) + found.static.abs().sum(1) + found.known.abs().sum((1, 2))
    assert bool(((total - (found.figure - found.rest)).abs() <= 1.1e-3 * sizes).all())
    assert all(float(part.abs().sum()) > 0 for part in (found.x[..., 2], found.static, found.known))


def test_an_input_that_the_net_ignores_adds_nothing() -> None:
    net, batch = net_of({"gru": {"size": 8}}), batch_of()
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "weight_ih" in name:
                parameter[:, 1] = 0
    found = integrated_gradients(net, batch, first, average(net, [batch]))
    assert float(found.x[..., 1].abs().max()) == 0 and float(found.x[..., 0].abs().max()) > 0


def test_the_average_leaves_padding_out() -> None:
    net, batch = net_of({"gru": {"size": 8}}), batch_of(ragged=True)
    assert batch.lengths is not None
    rows = torch.cat([row[:length] for row, length in zip(batch.x, batch.lengths.tolist(), strict=True)])
    torch.testing.assert_close(average(net, [batch])["x"], rows.mean(0))


def test_a_part_held_is_the_net_on_changed_inputs() -> None:
    net, batch = net_of({"gru": {"size": 8}}).eval(), batch_of(count=1)
    rest = average(net, [batch])
    outputs = held(net, batch, rest, [Part("b", 0, 30, x=(1,)), Part("", 5, 10), Part("", 0, 30)])
    column, stretch, everything = batch.x.clone(), batch.x.clone(), rest["x"].expand_as(batch.x)
    column[..., 1] = rest["x"][1]
    stretch[:, 5:10] = rest["x"]
    expected = torch.cat([net(x) for x in (column, stretch, everything)])
    torch.testing.assert_close(outputs, expected.detach())


def test_a_category_held_moves_its_embedding_alone() -> None:
    net, batch = mixed_net()
    one = Batch(x=batch.x[:1], y=batch.y[:1], static=batch.static[:1], known=batch.known[:1])  # type: ignore[index]
    rest = average(net, [batch])
    same = {name: value.clone() for name, value in rest.items()}
    same["x"][:2] += 100  # the numbers of the average row play no part
    parts = [Part("c", 0, 9, x=(2,))]
    torch.testing.assert_close(held(net, one, rest, parts), held(net, one, same, parts))
    assert not torch.equal(held(net, one, rest, parts), net(**one.inputs()).detach())


def test_what_the_last_layer_reads() -> None:
    net, batch = net_of({"gru": {"size": 8}}, {"pool": {"kind": "last"}}, "linear").eval(), batch_of()
    read = represented(net, [batch])
    assert read.shape == (12, 8)
    order, away = nearest(read, read[3])
    assert int(order[0]) == 3 and float(away[0]) == 0 and bool((away.diff() >= 0).all())


def test_two_random_rows_are_one_apart() -> None:
    places = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    away = torch.cat([nearest(places, places[at])[1][1:] for at in range(0, 4000, 100)])
    assert float(away.square().mean().sqrt()) == pytest.approx(1, abs=0.03)
