"""Half precision on CPUs: 16 bits in memory, 32 in the arithmetic and in the state between steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import cells, engine, native
from unrolled.nets import Recurrent
from unrolled.program.equations import Equations
from unrolled.testing.compare import assert_close
from unrolled.testing.subject import Subject

pytestmark = pytest.mark.skipif(native.reason() is not None, reason=str(native.reason()))

_HALVES = [torch.bfloat16, torch.float16]
_CELLS: list[Equations] = [cells.LSTM(), cells.GRU(), cells.RNN(), cells.GRUBefore(), cells.LSTMLayerNorm()]


def _run(cell: Equations, inputs: dict[str, Tensor], backend: str | None, **options: Any) -> dict[str, Tensor]:
    """y, final state and all gradients, by name."""
    inputs = {name: v.detach().requires_grad_() for name, v in inputs.items()}
    states = tuple(inputs[f"initial {part}"] for part in cell.state)
    weights = {name: v for name, v in inputs.items() if name != "x" and not name.startswith("initial")}
    y, state = engine.run(cell, inputs["x"], weights, states, backend=backend, **options)
    loss = torch.stack([(v.double() * _weight(v)).sum() for v in (y, *state)]).sum()
    gradients = torch.autograd.grad(loss, list(inputs.values()))
    named = {f"gradient to {name}": gradient for name, gradient in zip(inputs, gradients, strict=True)}
    return {"y": y, **{f"final {part}": v for part, v in zip(cell.state, state, strict=True)}, **named}


def _weight(v: Tensor) -> Tensor:
    """Random numbers that both dtypes of this module hold exactly."""
    draw = torch.randint(-64, 65, v.shape, generator=torch.Generator().manual_seed(v.numel()))
    return draw.double() / 64


def _inputs(subject: Subject, dtype: torch.dtype) -> dict[str, Tensor]:
    """Numbers that this dtype can hold."""
    states = {f"initial {part}": v for part, v in zip(subject.cell.state, subject.hx(), strict=True)}
    return {name: v.to(dtype) for name, v in {"x": subject.x(), **states, **subject.weights()}.items()}


@pytest.mark.parametrize("dtype", _HALVES, ids=str)
@pytest.mark.parametrize("cell", _CELLS, ids=lambda cell: cell.name)
def test_forward_and_backward_against_float64(cell: Equations, dtype: torch.dtype) -> None:
    subject = Subject(cell, "native", (6, 40, 5, 24))
    inputs = _inputs(subject, dtype)
    for options in ({}, {"lengths": subject.lengths(), "reverse": True}):
        found = _run(cell, inputs, "native", **options)
        exact = _run(cell, {name: v.double() for name, v in inputs.items()}, "reference", **options)
        for name, value in found.items():
            assert value.dtype == dtype
            assert_close(value, exact[name].to(dtype), f"{cell.name} in {dtype}: {name}")


@pytest.mark.parametrize("dtype", _HALVES, ids=str)
def test_only_the_result_is_rounded_not_each_step(dtype: torch.dtype) -> None:
    subject = Subject(cells.LSTM(), "native", (4, 300, 5, 24))
    inputs = _inputs(subject, dtype)
    found = _run(subject.cell, inputs, "native")["y"].double()
    exact = _run(subject.cell, {name: v.double() for name, v in inputs.items()}, "reference")["y"]
    rounding = torch.finfo(dtype).eps / 2
    assert ((found - exact).abs() <= 1.05 * rounding * exact.abs() + 1e-5).all()


@pytest.mark.parametrize("dtype", _HALVES, ids=str)
def test_compiled_and_exported_as_in_eager_mode(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layer, x = Recurrent("gru", 3, 8, dtype=dtype), torch.randn(4, 6, 3, dtype=dtype)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    (y, _), (expected, _) = compiled(x), layer(x)
    assert_close(y, expected, "compiled")
    parameters = list(layer.parameters())
    ours = torch.autograd.grad(y.float().sum(), parameters)
    for found, wanted in zip(ours, torch.autograd.grad(expected.float().sum(), parameters), strict=True):
        assert_close(found, wanted, "gradient")
    exported = torch.export.export(layer, (x,)).module()
    assert_close(exported(x)[0], expected, "exported")


def test_autocast_of_the_native_kernels_against_float64() -> None:
    torch.manual_seed(0)
    layer, x = Recurrent("gru_before", 3, 16), torch.randn(5, 30, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, _ = layer(x)
        choice = engine.explain(layer.cell, x, layer.weights()[0])
    assert choice.chosen == "native" and y.dtype == torch.bfloat16
    exact = Recurrent("gru_before", 3, 16, dtype=torch.float64)
    exact.load_state_dict(layer.state_dict())
    expected, _ = exact(x.double())
    assert_close(y, expected.to(torch.bfloat16), "autocast")
    ours = torch.autograd.grad(y.float().square().sum(), list(layer.parameters()))
    theirs = torch.autograd.grad(expected.square().sum(), list(exact.parameters()))
    for found, wanted in zip(ours, theirs, strict=True):
        assert found.dtype == torch.float32
        assert_close(found.bfloat16(), wanted.bfloat16(), "gradient")


def test_an_optimiser_step_on_bfloat16_weights() -> None:
    torch.manual_seed(0)
    layer, x = Recurrent("lstm", 3, 8, dtype=torch.bfloat16), torch.randn(4, 20, 3, dtype=torch.bfloat16)
    optimizer = torch.optim.SGD(layer.parameters(), 0.5)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = (layer(x)[0].float() - 0.5).square().mean()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
