"""The door to all backends: choice, explanation, refusal, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import cells, engine
from unrolled.core.errors import BackendError, ConfigError
from unrolled.engine import Request, State, dispatch
from unrolled.engine.reference import Reference
from unrolled.engine.torch_kernels import TorchKernels
from unrolled.program.equations import Equations


@pytest.fixture(autouse=True)
def _two_backends() -> Iterator[None]:
    """Those that are there on every machine; the others have tests of their own."""
    before = list(dispatch._BACKENDS)
    dispatch._BACKENDS[:] = [TorchKernels(), Reference()]
    yield
    dispatch._BACKENDS[:] = before


def _weights(cell: Equations, bias: bool = True) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) for name, shape in cell.shapes(3, 4, bias=bias).items()}


class Shouting(Reference):
    """Serves the GRU only, and marks its output."""

    name = "shouting"

    def refusal(self, request: Request) -> str | None:
        return None if isinstance(request.cell, cells.GRU) else "only the GRU shouts"

    def run(self, request: Request) -> tuple[Tensor, State]:
        y, state = super().run(request)
        return y + 1000, state


def test_the_choice_is_explained() -> None:
    cell = cells.GRUBefore()
    choice = engine.explain(cell, torch.zeros(2, 5, 3), _weights(cell), lengths=torch.tensor([5, 1]), reverse=True)
    assert choice.chosen == "reference"
    assert str(choice) == (
        "gru_before, B 2, T 5, D 3, float32 on cpu, lengths, reverse: reference\n"
        "  torch      torch has no kernel with the equations of gru_before\n"
        "  reference  chosen"
    )


def test_the_slower_one_is_named_too() -> None:
    choice = engine.explain(cells.GRU(), torch.zeros(2, 5, 3), _weights(cells.GRU()))
    assert choice.chosen == "torch"
    assert choice.answers == (("torch", "chosen"), ("reference", "could serve, slower"))


def test_one_that_hesitates_serves_only_by_name() -> None:
    class Slow(Shouting):
        def hesitation(self, request: Request) -> str | None:
            return "torch is faster here" if request.x.shape[1] < 10 else None

    engine.register_backend(Slow())
    weights = _weights(cells.GRU())
    choice = engine.explain(cells.GRU(), torch.zeros(2, 5, 3), weights)
    assert choice.chosen == "torch" and choice.answers[0] == ("shouting", "torch is faster here")
    assert engine.run(cells.GRU(), torch.zeros(2, 5, 3), weights)[0].max() < 2
    assert engine.run(cells.GRU(), torch.zeros(2, 5, 3), weights, backend="shouting")[0].min() > 900
    assert engine.run(cells.GRU(), torch.zeros(2, 50, 3), weights)[0].min() > 900


def test_a_subclass_with_other_equations_is_not_served_by_its_parents_kernel() -> None:
    class Doubled(cells.LSTM):
        name = "doubled"

        def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
            h, c = super().step(x, R, h, c)
            return 2 * h, c

    x, weights = torch.ones(1, 1, 3), _weights(cells.LSTM())
    assert engine.explain(Doubled(), x, weights).chosen == "reference"
    torch.testing.assert_close(engine.run(Doubled(), x, weights)[0], 2 * engine.run(cells.LSTM(), x, weights)[0])


def test_a_backend_that_cannot_serve_says_why_and_nothing_runs_in_its_place() -> None:
    cell = cells.GRUBefore()
    with pytest.raises(BackendError, match="backend 'torch': cannot serve: torch has no kernel"):
        engine.run(cell, torch.zeros(2, 5, 3), _weights(cell), backend="torch")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(BackendError, match=r"(?s)'cuda'.*torch, reference"):
        engine.run(cells.GRU(), torch.zeros(2, 5, 3), _weights(cells.GRU()), backend="cuda")


def test_a_registered_backend_comes_first_where_it_serves() -> None:
    engine.register_backend(Shouting())
    engine.register_backend(Shouting())
    assert engine.backends() == ("shouting", "torch", "reference")
    x = torch.zeros(2, 5, 3)
    assert engine.run(cells.GRU(), x, _weights(cells.GRU()))[0].min() > 900
    assert engine.run(cells.GRU(), x, _weights(cells.GRU()), backend="torch")[0].max() < 2
    assert engine.run(cells.RNN(), x, _weights(cells.RNN()))[0].max() < 2


def test_a_backend_can_be_handed_over_unregistered() -> None:
    assert engine.run(cells.GRU(), torch.zeros(2, 5, 3), _weights(cells.GRU()), backend=Shouting())[0].min() > 900
    with pytest.raises(BackendError, match="only the GRU shouts"):
        engine.run(cells.RNN(), torch.zeros(2, 5, 3), _weights(cells.RNN()), backend=Shouting())


def test_the_reference_keeps_its_place() -> None:
    with pytest.raises(ConfigError, match="reference"):
        engine.register_backend(Reference())


@pytest.mark.parametrize("backend", ["torch", "reference"])
def test_no_step_leaves_the_state(backend: str) -> None:
    hx = torch.randn(2, 4), torch.randn(2, 4)
    y, state = engine.run(cells.LSTM(), torch.zeros(2, 0, 3), _weights(cells.LSTM()), hx, backend=backend)
    assert y.shape == (2, 0, 4)
    assert torch.equal(state[0], hx[0]) and torch.equal(state[1], hx[1])


@pytest.mark.parametrize("backend", ["torch", "reference"])
@pytest.mark.parametrize("lengths", [None, torch.zeros(0, dtype=torch.int64)])
def test_no_sequence_gives_none(backend: str, lengths: Tensor | None) -> None:
    y, state = engine.run(cells.LSTM(), torch.zeros(0, 6, 3), _weights(cells.LSTM()), lengths=lengths, backend=backend)
    assert y.shape == (0, 6, 4) and [part.shape for part in state] == [(0, 4), (0, 4)]


def test_lengths_may_be_a_list() -> None:
    x, weights = torch.randn(2, 5, 3), _weights(cells.GRU())
    listed = engine.run(cells.GRU(), x, weights, lengths=[5, 2])  # type: ignore[arg-type]  # what users do
    assert torch.equal(listed[0], engine.run(cells.GRU(), x, weights, lengths=torch.tensor([5, 2]))[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(2, 5)}, r"x must be \(B, T, D\)"),
        ({"x": torch.zeros(2, 5, 7)}, "x has 7 columns, 'weight_ih' takes 3"),
        ({"x": torch.zeros(2, 5, 3).double()}, r"x is torch.float64, the weights are torch.float32"),
        ({"x": torch.zeros(2, 5, 3).long()}, r"x is torch.int64"),
        ({"hx": (torch.zeros(2, 4).double(),)}, r"the state 'h' is torch.float64"),
        ({"hx": (torch.zeros(2, 4), torch.zeros(2, 4))}, "the state has shapes"),
        ({"hx": (torch.zeros(1, 4),)}, "the state has shapes"),
        ({"lengths": torch.tensor([5])}, "one a sequence"),
        ({"lengths": torch.tensor([5.0, 5.0])}, "whole numbers"),
        ({"lengths": torch.tensor([6, 5])}, r"within 0 \.\. 5; they go from 5 to 6"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"x": torch.zeros(2, 5, 3), "weights": _weights(cells.GRU())} | change
    for function in (engine.run, engine.explain):
        with pytest.raises(ConfigError, match=message):
            function(cells.GRU(), **arguments)


def test_every_option_changes_the_result() -> None:
    x, weights = torch.randn(2, 5, 3), _weights(cells.GRU())
    plain = engine.run(cells.GRU(), x, weights)[0]
    choices: list[dict[str, Any]] = [{"hx": (torch.ones(2, 4),)}, {"lengths": torch.tensor([5, 2])}, {"reverse": True}]
    for options in choices:
        assert not torch.allclose(engine.run(cells.GRU(), x, weights, **options)[0], plain)
