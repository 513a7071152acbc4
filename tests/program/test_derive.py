"""The derivative of a program: what it keeps, and how much it computes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells
from unrolled.program import Derivative, derive, trace
from unrolled.program.equations import CELLS, cell
from unrolled.program.program import LEAVES, POINTWISE
from unrolled.testing import RandomPrograms

KEPT = {  # columns a unit, besides the state
    "rnn": 0,
    "rnn_relu": 0,
    "indrnn": 0,
    "lru": 1,
    "lstm": 4,  # the gates; tanh(c) is computed again
    "lstm_peephole": 4,
    "lstm_cifg": 3,
    "lstm_projected": 5,  # and what is projected
    "gru": 4,  # the gates, and R h + b' of the candidate
    "gru_before": 4,  # the gates, and what is multiplied again
    "mgu": 3,
    "min_gru": 2,
}


def made(name: str) -> Any:
    return cell(name, **({"projection": 8} if name == "lstm_projected" else {}))


def nodes(derivative: Derivative, op: str) -> int:
    return sum(node.op == op for node in derivative.program.nodes)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept(name: str) -> None:
    program = trace(made(name), 8)
    derivative = derive(program)
    assert sum(program.nodes[place].width for place in derivative.saved) == KEPT[name] * 8


@pytest.mark.parametrize("name", sorted(CELLS))
def test_no_more_products_than_needed_and_derivatives_by_results(name: str) -> None:
    program = trace(made(name), 8, training=True)
    derivative = derive(program)
    assert nodes(derivative, "product") == 0
    assert nodes(derivative, "transposed") == len(derivative.products) == len(program.leaves("product"))
    assert nodes(derivative, "sigmoid") <= sum(n.op in ("sigmoid", "softplus") for n in program.nodes)


def test_the_lstm_computes_no_gate_again() -> None:
    derivative = derive(trace(cells.LSTM(), 8))
    assert nodes(derivative, "sigmoid") == 0
    assert nodes(derivative, "tanh") == 1
    assert len(derivative.program.nodes) <= 40
    assert derivative.program.leaves("output") == ("c",)
    assert "h" not in derivative.program.leaves("state")


def test_the_text_of_the_rnn() -> None:
    text = str(derive(trace(cells.RNN(), 8)).program)
    assert text.startswith("input.h = d.h' * (1 - h'**2)\nstate.h = R.h.T(input.h)")


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), hidden=st.sampled_from([2, 4, 10]), training=st.booleans())
def test_the_parts_of_any_derivative_fit_together(seed: int, hidden: int, training: bool) -> None:
    drawn = RandomPrograms().cell(seed)
    program = trace(drawn, hidden, training=training)
    derivative = derive(program)
    back = derivative.program
    widths = {f"input.{n.name}": n.width for n in program.nodes if n.op == "input"}
    widths |= {f"state.{part}": hidden for part in drawn.state}
    widths |= {f"vector.{n.name}": n.width for n in program.nodes if n.op == "vector"}
    widths |= {f"product.{k}": hidden for k in range(len(derivative.products))}
    found = {name: back.nodes[place].width for name, place in back.outputs}
    assert found == {name: width for name, width in widths.items() if name in found}
    assert {name for name in widths if name.startswith(("input", "state", "product"))} <= found.keys()

    kept = {int(name) for name in back.leaves("saved")}
    assert kept <= {*derivative.saved} and "input" not in {node.op for node in back.nodes}
    ends = {place for _, place in program.outputs}
    assert all(program.nodes[place].op not in ("state", "vector", "constant", "noise") for place in derivative.saved)
    assert not ends & {*derivative.saved}
    for weight, operand in derivative.products:
        assert operand in {*derivative.saved} | ends or program.nodes[operand].op in ("state", "noise")
        assert weight in program.leaves("product")
    for place, node in enumerate(back.nodes):
        assert all(arg < place for arg in node.args)
        assert node.op in (*LEAVES, *POINTWISE, "sum", "transposed")
        if node.op in POINTWISE:
            assert {back.nodes[arg].width for arg in node.args} <= {1, node.width}
    assert 0 not in [count for count in back.uses()]
