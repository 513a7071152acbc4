"""Architecture search: the written cell is the searched one, children share weights, what is planted is found."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unrolled import cells, engine
from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.nets import Recurrent
from unrolled.search.controller import Controller, Proposal
from unrolled.search.enas import explore
from unrolled.search.shared import Shared, share
from unrolled.search.wiring import ACTIVATIONS, Wiring, count, draw
from unrolled.testing import check_cell

WIRINGS = st.integers(0, 10_000).map(lambda seed: draw(4, (6,), random.Random(seed)))


def _weights(wiring: Wiring, inputs: int = 3) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = wiring.cell().shapes(inputs, wiring.width)
    return {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}


@pytest.mark.parametrize("seed", range(4))
def test_the_written_file_is_the_cell_that_was_searched(seed: int, tmp_path: Path) -> None:
    wiring = draw(5, (6,), random.Random(seed))
    path = tmp_path / "cell.py"
    path.write_text(wiring.source())
    cells.load_file(path)
    x, weights = torch.randn(2, 7, 3, dtype=torch.float64), _weights(wiring)
    written = engine.run(cells.cell(wiring.name), x, weights)[0]
    assert torch.equal(written, engine.run(wiring.cell(), x, weights)[0])
    compile(wiring.source(), "cell.py", "exec")
    assert max(map(len, wiring.source().splitlines())) <= 120


def test_a_found_cell_holds_what_every_cell_must_hold() -> None:
    check_cell(Wiring(("tanh", "relu", "sigmoid", "identity"), (1, 1, 2), 5).cell())


@settings(max_examples=10, deadline=None)
@given(WIRINGS)
def test_the_equations_are_those_of_the_paper(wiring: Wiring) -> None:
    """One step, written out by hand in plain torch."""
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "identity": lambda v: v,
    }
    w, H = _weights(wiring), wiring.width
    x, h = torch.randn(2, 3, dtype=torch.float64), torch.zeros(2, H, dtype=torch.float64)
    for _ in range(2):
        both = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
        c = torch.sigmoid(both[:, :H])
        s = [c * functions[wiring.activations[0]](both[:, H:]) + (1 - c) * h]
        for node, (read, f) in enumerate(zip(wiring.reads, wiring.activations[1:], strict=True), start=2):
            before = s[read - 1]
            c = torch.sigmoid(before @ w[f"weight_c{node}"].T)
            s.append(c * functions[f](before @ w[f"weight_n{node}"].T) + (1 - c) * before)
        ends = [value for node, value in enumerate(s, start=1) if node not in wiring.reads]
        h = torch.stack(ends).mean(dim=0)
    found = engine.run(wiring.cell(), x[:, None].expand(-1, 2, -1), w)[0][:, -1]
    torch.testing.assert_close(found, h, rtol=1e-12, atol=1e-12)


def test_every_wiring_has_a_name_of_its_own_and_the_space_is_counted() -> None:
    generator = random.Random(0)
    seen = {draw(2, (4, 8), generator) for _ in range(600)}
    assert len(seen) == count(2, (4, 8)) == 4 * 4 * 1 * 2
    assert len({wiring.name for wiring in seen}) == 16  # whatever the width


@settings(max_examples=8, deadline=None)
@given(WIRINGS, st.sampled_from([4, 6, 9]))
def test_a_child_is_the_cell_with_its_part_of_the_weights(wiring: Wiring, width: int) -> None:
    shared = Shared(3, 4, 9)
    shared.wiring = Wiring(wiring.activations, wiring.reads, width)
    x, lengths = torch.randn(2, 5, 3), torch.tensor([5, 3])
    y, (final,) = shared(x, lengths=lengths)
    alone = Recurrent(shared.cell, 3, width)
    alone.load_state_dict({f"{name}_l0": value for name, value in shared.child().items()})
    expected, (state,) = alone(x, lengths=lengths)
    torch.testing.assert_close(y[..., :width], expected)
    torch.testing.assert_close(final[..., :width], state)
    assert y.shape == (2, 5, 9) and not y[..., width:].any() and not final[..., width:].any()


def test_only_the_operations_of_a_child_are_trained() -> None:
    shared = Shared(3, 3, 8)
    shared.wiring = Wiring(("tanh", "relu", "tanh"), (1, 1), 4)
    shared(torch.randn(2, 5, 3))[0].sum().backward()
    touched = {name for name, weight in shared.weights.items() if weight.grad is not None and weight.grad.any()}
    assert touched == {
        *(f"{name}_tanh" for name in ("weight_ih", "bias_ih", "bias_hh", "weight_hh")),
        *("weight_c2_1_relu", "weight_n2_1_relu", "weight_c3_1_tanh", "weight_n3_1_tanh"),
    }
    gradient = shared.weights["weight_n2_1_relu"].grad
    assert gradient is not None and gradient[:4, :4].any() and not gradient[4:].any() and not gradient[:, 4:].any()


def test_a_net_gets_the_super_net_in_the_place_of_its_layer() -> None:
    net = nn.Sequential(Recurrent("gru", 3, 8), Recurrent("rnn", 8, 4))
    shared = share(net, "rnn", 3)
    assert net[1] is shared and (shared.input_size, shared.width) == (8, 4)
    with pytest.raises(ConfigError, match="one layer is to be searched, not 0"):
        share(net, "rnn", 3)
    with pytest.raises(ConfigError, match="one layer in one direction"):
        share(nn.Sequential(Recurrent("rnn", 3, 4, 2)), "rnn", 3)


def _planted(wiring: Wiring) -> float:
    """A reward with one best wiring: a share for each decision that is right."""
    right = [wiring.activations[0] == "relu", wiring.activations[1] == "tanh", wiring.activations[2] == "identity"]
    return (sum(right) + (wiring.reads[1] == 2) + (wiring.width == 8)) / 5


def test_the_controller_learns_what_is_rewarded() -> None:
    controller = Controller(3, (4, 8, 16), torch.Generator().manual_seed(0))
    before = sum(_planted(controller.sample().wiring) for _ in range(60)) / 60
    for _ in range(120):
        proposals = [controller.sample() for _ in range(10)]
        controller.learn(proposals, [1 - _planted(proposal.wiring) for proposal in proposals])
    after = sum(_planted(controller.sample().wiring) for _ in range(60)) / 60
    assert before < 0.45 and after > 0.75


def test_a_child_that_diverges_is_the_worst_of_its_round() -> None:
    """One decision, two options: whoever draws the second one diverges."""
    controller = Controller(1, (4, 8), torch.Generator().manual_seed(0))
    for _ in range(60):
        proposals = [controller.sample() for _ in range(8)]
        diverged = (math.nan, math.inf) * 4
        controller.learn(
            proposals, [diverged[at] if one.wiring.width == 8 else 1e30 for at, one in enumerate(proposals)]
        )
    widths = [controller.sample().wiring.width for _ in range(60)]
    assert widths.count(4) > 50


class _Answer(nn.Module):
    """A searched layer and a linear answer at the last step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = Recurrent("rnn", 1, width)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor, **_: Tensor | None) -> Tensor:
        answer: Tensor = self.head(self.layer(x)[0][:, -1])
        return answer[:, None, :, None]


class _Sums:
    """Sequences of numbers and their sum: a cell without squashing adds them up, the others have to learn to."""

    def __init__(self, samples: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._x = torch.randn(samples, 12, 1, generator=generator)

    def __len__(self) -> int:
        return len(self._x) // 32

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        for at in range(start, len(self)):
            x = self._x[32 * at : 32 * (at + 1)]
            yield Batch(x=x, y=x.sum(dim=1))


def _error(output: Tensor, batch: Batch) -> Tensor:
    return nn.functional.mse_loss(output[:, 0, :, 0], batch.y)


def test_exploring_ranks_by_the_validation_part_and_prefers_what_fits() -> None:
    torch.manual_seed(0)
    net = _Answer(8)
    shared = share(net, "rnn", 1)
    controller = Controller(1, (2, 8), torch.Generator().manual_seed(1))
    ranked = explore(
        net, shared, controller, _Sums(1280, 1), _Sums(256, 2), _error, learning_rate=0.01, seconds=60, epochs=12
    )
    assert [one.loss for one in ranked] == sorted(one.loss for one in ranked)
    places = {(one.wiring.activations[0], one.wiring.width): at for at, one in enumerate(ranked)}
    # With weights for all activations together the identity came last: they were tuned for the others.
    assert places["identity", 8] < 2 and places["sigmoid", 2] > 4
    assert len({one.wiring for one in ranked}) == len(ranked) <= len(ACTIVATIONS) * 2


class _Settled(Controller):
    """Draws for a while, then proposes one wiring only."""

    drawn = 0

    def sample(self) -> Proposal:
        self.drawn += 1
        found = super().sample()
        settled = self.drawn > 8  # the children of an epoch
        return replace(found, wiring=Wiring(("tanh",), (), 2)) if settled else found


def test_what_a_settled_controller_proposed_before_is_ranked_too() -> None:
    torch.manual_seed(0)
    net = _Answer(8)
    shared, controller = share(net, "rnn", 1), _Settled(1, (2, 8), torch.Generator().manual_seed(1))
    ranked = explore(
        net, shared, controller, _Sums(64, 1), _Sums(64, 2), _error, learning_rate=0.01, seconds=60, epochs=1
    )
    assert controller.drawn > 8 and len(ranked) > 3


def test_a_file_that_is_no_cell_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cell.py"
    with pytest.raises(ConfigError, match=r"cell.py.*cannot be read"):
        cells.load_file(path)
    path.write_text("1 / 0")
    with pytest.raises(ConfigError, match="fails with ZeroDivisionError"):
        cells.load_file(path)
