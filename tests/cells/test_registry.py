"""Cells are found by name, and users add their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from unrolled import cells
from unrolled.core.errors import ConfigError
from unrolled.program import trace
from unrolled.program.equations import CELLS


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    before = dict(CELLS)
    yield
    CELLS.clear()
    CELLS.update(before)


def _make(name: str) -> type[cells.Cell]:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (x.h + R.h(h),)

    return type("Mine", (cells.Cell,), {"name": name, "gates": ("h",), "step": step})


def test_names_lead_to_cells() -> None:
    assert cells.cell("lstm") == cells.LSTM()
    assert cells.cell("lstm_projected", projection=7) == cells.LSTMProjected(7)
    assert {"rnn", "rnn_relu", "lstm", "gru", "gru_before"} <= set(cells.cells())


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"(?s)'lsmt'.*Did you mean 'lstm'\?"):
        cells.cell("lsmt")


@pytest.mark.parametrize("options", [{"heads": 2}, {}])
def test_wrong_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="lstm_projected"):
        cells.cell("lstm_projected", **options)


def test_a_projection_needs_a_unit() -> None:
    with pytest.raises(ConfigError, match="projection"):
        cells.LSTMProjected(0)


def test_a_users_cell_is_found_and_may_be_defined_again() -> None:
    cells.register(_make("mine"))
    again = cells.register(_make("mine"))
    assert type(cells.cell("mine")) is again and "mine" in cells.cells()


def test_a_name_of_ours_is_taken() -> None:
    with pytest.raises(ConfigError, match=r"'lstm'.*belongs"):
        cells.register(_make("lstm"))
    assert cells.register(cells.LSTM) is cells.LSTM


@pytest.mark.parametrize(
    "declared",
    [
        {"gates": ("h", "h")},
        {"gates": ("_h",)},
        {"gates": ("not a name",)},
        {"gates": ("h",), "vectors": ("h",)},
        {"gates": ("h",), "state": ()},
        {"gates": ("h",), "noise": ("h",)},
        {"gates": ("class",)},
    ],
)
def test_names_that_cannot_work_are_refused_at_once(declared: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="distinct"):
        type("Wrong", (cells.Cell,), {"name": "wrong", **declared})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"gates": ("f", "n"), "recurrent": ("r",)}, r"'wrong'.recurrent: \('r',\) must be some of \('f', 'n'\)"),
        ({"gates": ("n",), "noise": ("d",), "held": ("e",)}, r"'wrong'.held: \('e',\) must be some of \('d',\)"),
        ({"gates": ("n",), "forget": "f"}, r"'wrong'.forget: \('f',\) must be some of \('n',\)"),
        ({"gates": "gates"}, "gates is a text"),
        ({"gates": ("n",)}, "it has no equations"),
        ({"gates": ("n",), "state": ("h", "c"), "step": lambda self, x, R, h: (x.n,)}, r"def step\(self, x, R, h, c\)"),
        ({}, "declares no 'gates'"),
    ],
)
def test_declarations_that_contradict_each_other_are_refused_at_once(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        type("Wrong", (cells.Cell,), {"name": "wrong", **declared})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("indrnn", {"steps": 0}, "steps: must be at least 1"),
        ("lru", {"fastest": 0.99, "slowest": 0.9}, "0 < fastest <= slowest < 1 must hold"),
        ("lstm_dropout", {"rate": 1.0}, "rate must lie from 0 to below 1"),
        ("lstm_variational", {"rate": -0.1}, "rate must lie from 0 to below 1"),
        ("lstm_zoneout", {"output_rate": float("nan")}, "output_rate must lie from 0 to below 1"),
        ("slstm", {"heads": 0}, "heads: must be at least 1"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cells.cell(name, **options)


def test_what_is_no_cell_is_not_registered() -> None:
    with pytest.raises(ConfigError, match="no subclass"):
        cells.register(int)  # type: ignore[type-var]


def test_a_product_without_a_shape_is_named() -> None:
    declared = {"name": "wrong", "gates": ("n",), "matrices": ("m",), "step": lambda self, x, R, h: (R.m(h),)}
    kind = type("Wrong", (cells.Cell,), declared)
    with pytest.raises(ConfigError, match="gives none for 'weight_m'"):
        trace(kind(), 4)
