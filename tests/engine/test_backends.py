"""Our backends against the published contract, and what only they promise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import cells, engine
from unrolled.core.errors import BackendError
from unrolled.engine.reference import Reference
from unrolled.engine.torch_kernels import TorchKernels
from unrolled.program.equations import Equations
from unrolled.testing import check_backend
from unrolled.testing.compare import assert_close
from unrolled.testing.subject import Subject

KERNELS: list[Equations] = [cells.RNN(), cells.LSTM(), cells.LSTMProjected(1), cells.GRU()]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_torchs_kernels_hold_the_contract() -> None:
    check_backend(TorchKernels())


def test_the_reference_holds_the_contract() -> None:
    check_backend(Reference())


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_torchs_kernels_equal_the_reference_at_any_size(data: st.DataObject) -> None:
    cell = data.draw(st.sampled_from(KERNELS))
    sizes = data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 6), st.integers(2, 9)))
    subject = Subject(cell, "torch", sizes, seed=data.draw(st.integers(0, 99)), bias=data.draw(st.booleans()))
    true = st.lists(st.integers(0, sizes[1]), min_size=sizes[0], max_size=sizes[0])
    lengths = torch.tensor(data.draw(true), dtype=torch.int64) if data.draw(st.booleans()) else None
    reverse = data.draw(st.booleans())
    x, hx, weights = subject.x(), subject.hx(), subject.weights()
    with torch.set_grad_enabled(data.draw(st.booleans())):
        y, state = engine.run(cell, x, weights, hx, lengths=lengths, reverse=reverse, backend="torch")
    expected, final = engine.run(cell, x, weights, hx, lengths=lengths, reverse=reverse, backend="reference")
    for ours, theirs in zip((y, *state), (expected, *final), strict=True):
        assert_close(ours, theirs, str(subject))


@pytest.mark.parametrize("saturated", [1.0, 1e3, 1e6])
def test_padding_does_not_touch_the_cell_state_however_large_the_weights(saturated: float) -> None:
    subject = Subject(cells.LSTM(), "torch", (2, 300, 3, 4), torch.float32, scale=saturated)
    x, hx = subject.x(), subject.hx()
    _, (h, c) = subject.run(x, hx, lengths=torch.tensor([300, 2]))
    _, (h2, c2) = subject.run(x[1:, :2], tuple(part[1:] for part in hx))
    torch.testing.assert_close((h[1:], c[1:]), (h2, c2), rtol=1e-5, atol=1e-6)


def test_relu_with_lengths_goes_to_the_reference_and_stays_finite() -> None:
    cell = cells.RNNRelu()
    weights = {name: torch.ones(shape) for name, shape in cell.shapes(1, 8).items()}
    for weight in weights.values():
        weight.requires_grad_()
    x, lengths = torch.ones(2, 150, 1), torch.tensor([150, 3])
    with pytest.raises(BackendError, match="overflow in the padding"):
        engine.run(cell, x, weights, lengths=lengths, backend="torch")
    y, (h,) = engine.run(cell, x[1:], weights, lengths=lengths[1:])
    torch.autograd.backward(y.sum() + h.sum())
    gradients = [weight.grad for weight in weights.values()]
    assert h.isfinite().all() and all(g is not None and g.isfinite().all() for g in gradients)


@pytest.mark.parametrize("cell", [cells.RNN(), cells.LSTM(), cells.GRU(), cells.GRUBefore()], ids=lambda c: c.name)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_mixed_precision_stays_close_to_float32(cell: Equations, dtype: torch.dtype) -> None:
    subject = Subject(cell, "reference", (4, 9, 3, 8), torch.float32)
    x, weights, lengths = subject.x(), subject.weights(), torch.tensor([9, 4, 1, 0])
    for weight in weights.values():
        weight.requires_grad_()
    exact, final = engine.run(cell, x, weights, lengths=lengths)
    with torch.autocast("cpu", dtype=dtype):
        y, state = engine.run(cell, x, weights, lengths=lengths)
    torch.autograd.backward(y.float().sum() + state[0].float().sum())
    for half, full in zip((y, *state), (exact, *final), strict=True):
        assert_close(half.to(dtype), full.to(dtype), f"{cell.name} under autocast")
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in weights.values())


def test_float16_autocast_of_the_lstm_explains_itself() -> None:
    subject = Subject(cells.LSTM(), "torch", dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.float16), pytest.raises(BackendError, match="float16 autocast"):
        subject.run(subject.x())


def test_gradients_of_gradients() -> None:
    """Second derivatives of the reference: what gradient penalties need."""
    subject = Subject(cells.GRUBefore(), "reference", (2, 3, 2, 3))
    hx = subject.hx()

    def function(x: Tensor) -> Tensor:
        return subject.run(x, hx)[0]

    assert torch.autograd.gradgradcheck(function, subject.x().requires_grad_())
