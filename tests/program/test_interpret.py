"""The interpreter of programs and their derivatives against torch: the reference loop and its autograd, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells, engine
from unrolled.core.tolerances import TOLERANCES
from unrolled.program import functions as F
from unrolled.program.equations import CELLS, cell
from unrolled.program.interpret import run_backward, run_forward
from unrolled.testing import RandomPrograms

Sizes = tuple[int, int, int, int]


def both(
    made: Any,
    sizes: Sizes,
    seed: int,
    *,
    bias: bool = True,
    noise: bool = False,
    zero: tuple[str, ...] = (),
    **options: Any,
) -> Any:
    """Outputs and gradients by name, of the interpreter and of the reference."""
    batch, time, inputs, hidden = sizes
    random = np.random.default_rng(seed)
    weights = {n: random.normal(size=shape) / 2 for n, shape in made.shapes(inputs, hidden, bias=bias).items()}
    weights |= {name: 0 * weights[name] for name in zero}
    x, hx = (
        random.normal(size=(batch, time, inputs)),
        [random.uniform(-1, 1, (batch, s)) for s in made.state_sizes(hidden)],
    )
    masks = {name: (random.random((batch, time, hidden)) < 0.7) * 1.0 for name in made.noise} if noise else None
    tape = run_forward(made, x, weights, tuple(hx), noise=masks, **options)
    loss = [random.normal(size=part.shape) for part in (tape.y, *tape.state)]
    dx, dweights, dhx = run_backward(tape, loss[0], tuple(loss[1:]))
    ours = {"y": tape.y, "dx": dx} | {f"d{name}": gradient for name, gradient in dweights.items()}
    ours |= {f"state {k}": part for k, part in enumerate(tape.state)} | {f"dhx {k}": g for k, g in enumerate(dhx)}

    tensors = {name: torch.tensor(weight, requires_grad=True) for name, weight in weights.items()}
    start = [torch.tensor(part, requires_grad=True) for part in hx]
    source = torch.tensor(x, requires_grad=True)
    if "lengths" in options:
        options["lengths"] = torch.tensor(options["lengths"])
    given = None if masks is None else {name: torch.tensor(mask) for name, mask in masks.items()}
    y, state = engine.run(made, source, tensors, tuple(start), backend="reference", noise=given, **options)
    total = torch.stack([(v * torch.tensor(w)).sum() for v, w in zip((y, *state), loss, strict=True)]).sum()
    wanted = [source, *tensors.values(), *start]
    found = torch.autograd.grad(total, wanted, allow_unused=True, materialize_grads=True)
    labels = ["dx", *(f"d{name}" for name in tensors), *(f"dhx {k}" for k in range(len(start)))]
    theirs = {"y": y} | {f"state {k}": part for k, part in enumerate(state)} | dict(zip(labels, found, strict=True))
    return ours, {name: tensor.detach().numpy() for name, tensor in theirs.items()}


def agree(*arguments: Any, **options: Any) -> None:
    ours, theirs = both(*arguments, **options)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        np.testing.assert_allclose(ours[name], expected, *TOLERANCES["float64"], err_msg=name)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_random_programs(data: st.DataObject) -> None:
    made = RandomPrograms().cell(data.draw(st.integers(0, 10**6), label="cell"))
    batch, time = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 5))
    hidden = made.heads * data.draw(st.integers(1, 4))
    options: dict[str, Any] = {
        "reverse": data.draw(st.booleans()),
        "noise": bool(made.noise) and data.draw(st.booleans()),
    }
    if data.draw(st.booleans()):
        options["lengths"] = data.draw(st.lists(st.integers(0, time), min_size=batch, max_size=batch))
        options["lengths"] = np.array(options["lengths"], np.int64)
    sizes = (batch, time, data.draw(st.integers(1, 3)), hidden)
    agree(made, sizes, data.draw(st.integers(0, 99)), bias=data.draw(st.booleans()), **options)


@pytest.mark.parametrize("name", sorted(CELLS))
@pytest.mark.parametrize("options", [{}, {"lengths": np.array([2, 0, 4]), "reverse": True}, {"bias": False}], ids=str)
def test_every_cell(name: str, options: dict[str, Any]) -> None:
    made: Any = cell(name, **({"projection": 3} if name == "lstm_projected" else {}))
    agree(made, (3, 4, 2, 8), 1, noise=bool(made.noise), **options)


def test_values_on_a_corner_share_the_gradient_as_torch_does() -> None:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        p, q = R.p * x.a, R.q * x.b  # both zero, with slopes that are not
        y = F.maximum(p, q) + 2 * F.minimum(p, q) + 3 * F.relu(p) + 4 * abs(q) + h
        return (y + 5 * F.maximum(p, 0.0) + 6 * F.minimum(0.0, p) + 7 * F.maximum(0.0, q) + 8 * F.minimum(q, 0.0),)

    made = type("Corners", (cells.Cell,), {"name": "c", "gates": ("a", "b"), "vectors": ("p", "q"), "step": step})()
    agree(made, (2, 3, 2, 4), 0, zero=("p", "q"))


def test_what_nobody_reads_gets_zeros() -> None:
    def step(self: Any, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, Any]:
        return F.tanh(x.a) * F.positive(R.b(h)), x.a + F.positive(x.b)

    members = {"name": "unread", "gates": ("a", "b"), "state": ("h", "c"), "vectors": ("p",), "step": step}
    ours, _ = both(type("Unread", (cells.Cell,), members)(), (2, 3, 2, 4), 0)
    assert not ours["dweight_hh"].any() and not ours["dp"].any() and not ours["dhx 0"].any()
    agree(type("Unread", (cells.Cell,), members)(), (2, 3, 2, 4), 0)


def test_a_row_of_alike_gradients_is_filled() -> None:
    def step(self: Any, x: Any, R: Any, h: Any) -> tuple[Any]:
        row = F.mean(R.a(h)) + F.mean(x.b) + F.mean(h) + F.mean(R.p) + F.mean(F.mean(x.a)) + F.mean(F.mean(h) * 2 + x.a)
        return (F.tanh(row + 0 * x.a),)

    made = type("Rows", (cells.Cell,), {"name": "r", "gates": ("a", "b"), "vectors": ("p",), "step": step})()
    agree(made, (2, 3, 2, 4), 0)
    agree(made, (2, 3, 2, 1), 0)


def test_float32_stays_and_nan_beyond_a_length_does_not_matter() -> None:
    made, random = cells.GRU(), np.random.default_rng(0)
    weights = {n: random.normal(size=s).astype(np.float32) for n, s in made.shapes(2, 4).items()}
    x = random.normal(size=(2, 3, 2)).astype(np.float32)
    x[0, 1:] = np.nan
    tape = run_forward(made, x, weights, lengths=[1, 3])
    assert tape.y.dtype == np.float32 and np.isfinite(tape.y).all() and not tape.y[0, 1:].any()
    dx, dweights, _ = run_backward(tape, np.ones_like(tape.y), (np.ones_like(tape.state[0]),))
    assert not dx[0, 1:].any() and all(np.isfinite(gradient).all() for gradient in dweights.values())
