"""The head over a catalogue, and answers at every step: parity, candidates, one pass against many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unrolled.core.errors import ConfigError
from unrolled.core.tolerances import TOLERANCES
from unrolled.nets import Net
from unrolled.program.plan import run
from unrolled.program.shapes import Inputs, Outputs

CATALOGUE = Inputs(numbers=1, categories=(7, 3), static_numbers=2)
ANSWER = Outputs(values=7)
TIED: list[Any] = [{"gru": {"size": 5}}, {"items": {"tied": True, "dropout": 0.5}}]
OWN: list[Any] = [{"gru": {"size": 5}}, {"items": {"tied": False}}]
LINEAR: list[Any] = [{"gru": {"size": 5}}, "linear"]


def made(spec: list[Any], seed: int = 0) -> tuple[Net, dict[str, Any]]:
    """A net in double precision with random weights, and a ragged batch with codes from 0 to unknown."""
    random = torch.Generator().manual_seed(seed)
    net = Net(spec, CATALOGUE, ANSWER).double()
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.rand(weight.shape, generator=random) - 0.5)
    codes = [torch.randint(0, count + 1, (4, 6, 1), generator=random).double() for count in CATALOGUE.categories]
    x = torch.cat([torch.randn(4, 6, 1, generator=random, dtype=torch.float64), *codes], -1)
    lengths = torch.tensor([6, 1, 3, 4])
    return net, {"x": x, "lengths": lengths, "static": torch.randn(4, 2, generator=random, dtype=torch.float64)}


WIDE: list[Any] = [{"gru": {"size": 5}}, {"items": {"embed": 9}}]


@pytest.mark.parametrize("spec", [TIED, OWN, WIDE])
def test_the_plan_gives_the_numbers_of_the_net(spec: list[Any]) -> None:
    net, batch = made(spec)
    with torch.no_grad():
        expected = net.eval()(**batch).numpy()
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    found = run(net.plan(), weights, **{name: value.numpy() for name, value in batch.items()})
    assert expected.shape == (4, 1, 1, 7)
    np.testing.assert_allclose(found, expected, **TOLERANCES["float64"]._asdict())


def test_tied_scores_come_from_the_embeddings() -> None:
    net, batch = made(TIED)
    net.eval()
    batch["x"][..., 1] = 7  # only unknown items are read, so that a known one's row matters in its score alone
    state = net.state_dict()
    with torch.no_grad():
        before = net(**batch)
        state["x.embeddings.0.weight"][2] = 0
        after = net(**batch)
    np.testing.assert_allclose(after[..., 2], state["layers.2.bias"][2].expand(4, 1, 1))
    torch.testing.assert_close(after[..., [0, 1, 3, 4, 5, 6]], before[..., [0, 1, 3, 4, 5, 6]], rtol=0, atol=0)


@pytest.mark.parametrize("spec", [TIED, OWN, LINEAR])
def test_one_pass_answers_as_each_beginning_would(spec: list[Any]) -> None:
    net, batch = made(spec)
    net.eval()
    steps = torch.arange(6) < batch["lengths"][:, None]
    steps[0, 2] = False  # a step that is not asked for
    with torch.no_grad():
        together = net(**batch, steps=steps)
        alone = [
            net(x=batch["x"][b : b + 1, : t + 1], static=batch["static"][b : b + 1])
            for b, t in steps.nonzero().tolist()
        ]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("spec", [TIED, OWN, LINEAR])
def test_candidates_are_scored_as_among_all(spec: list[Any]) -> None:
    net, batch = made(spec)
    net.eval()
    only = torch.tensor([0, 3, 6])
    torch.testing.assert_close(net(**batch, only=only), net(**batch)[..., only])
    loss = net(**batch, only=only).square().sum()
    loss.backward()
    assert all(weight.grad is not None for weight in net.parameters())


@pytest.mark.parametrize(
    "spec", [[{"gru": {"size": 5}}, {"pool": {"kind": "mean"}}, "linear"], ["attention", "linear"]]
)
def test_a_net_that_looks_ahead_has_no_answer_for_every_step(spec: list[Any]) -> None:
    net, batch = made(spec)
    with pytest.raises(ConfigError, match="step"):
        net(**batch, steps=torch.ones(4, 6, dtype=torch.bool))


def test_items_are_embedded_as_wide_as_is_said() -> None:
    """The first category alone; scores then have that rank, and branches find what stands behind it."""
    widths = [table.shape for table in made(WIDE)[0].x.tables]
    assert widths == [(8, 9), (4, 3)] and made(TIED)[0].x.tables[0].shape == (8, 5)
    named = CATALOGUE.model_copy(update={"names": ("price", "item", "shop")})
    branches = {"branches": [[{"gru": {"size": 2}}], [{"gru": {"size": 2}}]], "columns": [["shop"], ["item"]]}
    net = Net([{"parallel": branches}, {"items": {"embed": 9}}], named, ANSWER)
    layer: Any = net.layers[0]
    assert layer.columns == ((10, 11, 12), tuple(range(1, 10)))


def test_what_it_cannot_score_is_refused() -> None:
    with pytest.raises(ConfigError, match="the same items"):
        Net([{"gru": {"size": 5}}, {"items": {"tied": False, "embed": 9}}], Inputs(numbers=1), ANSWER)
    with pytest.raises(ConfigError, match="the same items"):
        Net(TIED, Inputs(numbers=1, categories=(3,)), ANSWER)
    with pytest.raises(ConfigError, match="one answer a sequence"):
        Net(OWN, CATALOGUE, Outputs(steps=2, values=7))
