"""The native backend: the contract, random cells, and what a torch user does with it."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import unrolled
from unrolled import cells, engine, native
from unrolled.core.errors import BackendError
from unrolled.engine import operators
from unrolled.engine.native import Native
from unrolled.nets import Recurrent
from unrolled.program.equations import Equations
from unrolled.testing import check_backend
from unrolled.testing.compare import assert_close
from unrolled.testing.contract import random_loss
from unrolled.testing.programs import RandomPrograms
from unrolled.testing.subject import Subject

pytestmark = pytest.mark.skipif(native.reason() is not None, reason=str(native.reason()))

KERNELS: list[Equations] = [cells.RNN(), cells.LSTM(), cells.LSTMProjected(2), cells.GRU(), cells.GRUBefore()]


def test_it_holds_the_contract_for_every_cell() -> None:
    check_backend(Native())


@pytest.mark.parametrize("seed", range(20))
def test_random_cells_equal_the_reference(seed: int) -> None:
    cell = RandomPrograms().cell(seed)
    for sizes in ((1, 3, 2, 4), (5, 6, 3, 18)):
        subject = Subject(cell, "native", sizes, torch.float64, seed=seed)
        noise = engine.draw_noise(cell, subject.x(), sizes[3])
        _agree(subject, noise=noise, reverse=bool(seed % 2))
        _agree(subject, noise=noise, lengths=subject.lengths())


def _results(subject: Subject, backend: str, **options: Any) -> list[Tensor]:
    """y, final state, and all gradients."""
    x, hx, weights = subject.x(), subject.hx(), subject.weights()
    inputs = [x, *hx, *weights.values()]
    for v in inputs:
        v.requires_grad_()
    y, state = engine.run(subject.cell, x, weights, hx, backend=backend, **options)
    gradients = torch.autograd.grad(random_loss(y, state), inputs, materialize_grads=True, allow_unused=True)
    return [y, *state, *gradients]


def _agree(subject: Subject, **options: Any) -> None:
    pairs = zip(_results(subject, "native", **options), _results(subject, "reference", **options), strict=True)
    for number, (ours, theirs) in enumerate(pairs):
        assert_close(ours, theirs, f"{subject}, {options}: result {number}")


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_size_equals_the_reference(data: st.DataObject) -> None:
    cell = data.draw(st.sampled_from(KERNELS))
    sizes = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20), st.integers(2, 40)))
    true = st.lists(st.integers(0, sizes[1]), min_size=sizes[0], max_size=sizes[0])
    lengths = torch.tensor(data.draw(true), dtype=torch.int64) if data.draw(st.booleans()) else None
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    subject = Subject(cell, "native", sizes, dtype, bias=data.draw(st.booleans()), seed=data.draw(st.integers(0, 99)))
    _agree(subject, lengths=lengths, reverse=data.draw(st.booleans()))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for sizes in ((1, 9, 5, 70), (13, 7, 5, 33)):
            _agree(Subject(cells.LSTM(), "native", sizes))
            _agree(Subject(cells.GRU(), "native", sizes), lengths=torch.arange(sizes[0]) % 7)
    finally:
        torch.set_num_threads(before)


def test_memory_in_any_order() -> None:
    subject = Subject(cells.LSTM(), "native", (5, 6, 4, 8))
    x, hx = subject.x(), subject.hx()
    y, _ = subject.run(x, hx)
    time_major = x.transpose(0, 1).contiguous().transpose(0, 1)
    wide = torch.zeros(5, 6, 8, dtype=x.dtype)
    wide[..., ::2] = x
    for view in (time_major, wide[..., ::2], x.flip(0).flip(0), x[:1].expand(5, 6, 4)):
        expected = subject.run(view.contiguous(), hx)[0]
        assert torch.equal(subject.run(view, hx)[0], expected)
    assert subject.run(time_major, hx)[0].transpose(0, 1).is_contiguous() and y.is_contiguous()


def test_a_gradient_of_any_form_comes_back() -> None:
    """Expanded, transposed, to y alone, to the state alone, to nothing."""
    subject = Subject(cells.LSTM(), "native", (3, 4, 2, 5))
    outputs: list[Any] = [
        lambda y, state: y.sum(),
        lambda y, state: (y.transpose(0, 2) * torch.arange(3)).sum(),
        lambda y, state: state[1].sum(),
        lambda y, state: y[:, -1].sum() + state[0].sum(),
    ]
    for output in outputs:
        found = []
        for backend in ("native", "reference"):
            x, weights = subject.x().requires_grad_(), subject.weights()
            y, state = engine.run(subject.cell, x, weights, subject.hx(), backend=backend)
            found.append(torch.autograd.grad(output(y, state), x)[0])
        assert_close(found[0], found[1], "gradient")


@pytest.mark.parametrize("cell", [*KERNELS, cells.IndRNN(), RandomPrograms().cell(3)], ids=lambda cell: cell.name)
def test_no_state_is_a_state_of_zeros(cell: Equations) -> None:
    subject = Subject(cell, "native", (5, 6, 3, 18), torch.float64)
    x, weights = subject.x(), subject.weights()
    zeros = tuple(torch.zeros_like(part) for part in subject.hx())
    for options in ({}, {"reverse": True}, {"lengths": subject.lengths()}):
        found = []
        for hx in (None, zeros):
            leaves = [v.detach().requires_grad_() for v in (x, *weights.values())]
            named = dict(zip(weights, leaves[1:], strict=True))
            y, state = engine.run(cell, leaves[0], named, hx, backend="native", **options)
            found.append([y, *state, *torch.autograd.grad(random_loss(y, state), leaves)])
        for without, given_zeros in zip(*found, strict=True):
            assert torch.equal(without, given_zeros)


def test_weights_may_move_between_calls() -> None:
    layer, x = Recurrent("gru", 3, 5), torch.randn(2, 6, 3)
    before = layer(x)[0].detach()
    kept = {name: weight.detach().clone() for name, weight in layer.named_parameters()}
    for parameter in layer.parameters():
        parameter.data = torch.zeros_like(parameter)
    assert not layer(x)[0].any()
    for name, parameter in layer.named_parameters():
        parameter.data = kept[name]
    assert torch.equal(layer(x)[0], before)


def test_only_what_is_asked_for_gets_a_gradient() -> None:
    layer = Recurrent("gru", 3, 5)
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(name == "bias_ih_l0")
    layer(torch.randn(2, 4, 3))[0].sum().backward()
    assert layer.bias_ih_l0.grad is not None and layer.weight_hh_l0.grad is None


def test_the_second_derivative_is_right() -> None:
    subject = Subject(cells.GRU(), "native", (2, 3, 2, 3))
    weights = subject.weights()

    def function(x: Tensor, h: Tensor) -> Tensor:
        return engine.run(subject.cell, x, weights, (h,), backend="native")[0]

    arguments = (subject.x().requires_grad_(), subject.hx()[0].requires_grad_())
    assert torch.autograd.gradcheck(function, arguments)
    assert torch.autograd.gradgradcheck(function, arguments)


def test_a_weight_changed_in_place_before_backward_is_noticed() -> None:
    layer: Any = Recurrent("gru", 3, 5)
    y, _ = layer(torch.randn(2, 4, 3))
    with torch.no_grad():
        layer.weight_hh_l0.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("lengths", [None, torch.tensor([2, 6, 0, 3])])
@pytest.mark.parametrize("cell", [cells.LSTM(), cells.LSTMProjected(2)])
def test_the_operator_passes_torchs_checks(cell: Equations, lengths: Tensor | None) -> None:
    for training in (False, True):
        subject = Subject(cell, "native", (4, 6, 3, 5), torch.float32)
        tensors = [subject.x(), *subject.weights().values(), *subject.hx()]
        for v in tensors:
            v.requires_grad_(training)
        x, weights, hx = tensors[0], tensors[1 : -len(cell.state)], tensors[-len(cell.state) :]
        key = operators.key_of(cell)
        torch.library.opcheck(torch.ops.unrolled.forward.default, (x, weights, hx, [], lengths, key, True, training))


class Model(nn.Module):
    """Two layers with another between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = unrolled.LSTM(3, 6, bidirectional=True, batch_first=True)
        self.middle = nn.LayerNorm(12)
        self.second = Recurrent("lstm_peephole", 12, 5)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        y, _ = self.first(x, lengths=lengths)
        z: Tensor = self.second(self.middle(y), lengths=lengths)[0]
        return z


def test_compile_in_one_graph_gives_the_same_numbers_and_gradients() -> None:
    torch.manual_seed(0)
    model, x, lengths = Model(), torch.randn(4, 7, 3), torch.tensor([7, 2, 5, 1])
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    parameters = list(model.parameters())
    for true in (None, lengths):
        expected, y = model(x, true), compiled(x, true)
        assert_close(y, expected, "compiled")
        ours = torch.autograd.grad(y.square().sum(), parameters)
        for actual, wanted in zip(ours, torch.autograd.grad(expected.square().sum(), parameters), strict=True):
            assert_close(actual, wanted, "gradient")
    with torch.no_grad():
        assert_close(compiled(x), model(x), "inference")


def test_an_exported_model_is_saved_loaded_and_runs_with_other_sizes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = Model().eval(), torch.randn(4, 7, 3)
    dynamic = {"x": {0: torch.export.Dim("batch"), 1: torch.export.Dim("time")}}
    program = torch.export.export(model, (x,), dynamic_shapes=dynamic)
    torch.export.save(program, tmp_path / "model.pt2")
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    other = torch.randn(2, 9, 3)
    with torch.no_grad():
        assert_close(loaded(other), model(other), "exported")


def test_autocast_gives_its_dtype_and_float32_gradients() -> None:
    torch.manual_seed(0)
    layer, x = Recurrent("lstm_peephole", 3, 8), torch.randn(4, 6, 3)
    expected = layer(x)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, state = layer(x)
    assert y.dtype == torch.bfloat16 == state[0].dtype
    assert_close(y, expected.to(torch.bfloat16), "autocast")
    y.float().sum().backward()
    assert layer.weight_hh_l0.grad is not None and layer.weight_hh_l0.grad.dtype == torch.float32


def test_noise_reaches_the_kernel() -> None:
    cell = cells.cell("lstm_zoneout")
    subject = Subject(cell, "native", (3, 5, 2, 6))
    noise = engine.draw_noise(cell, subject.x(), 6)
    _agree(subject, noise=noise)
    with torch.no_grad():
        mean = engine.run(cell, subject.x(), subject.weights(), subject.hx(), backend="native")[0]
        drawn = engine.run(cell, subject.x(), subject.weights(), subject.hx(), noise=noise, backend="native")[0]
    assert not torch.allclose(mean, drawn)


def _run_once(_: int = 0) -> Tensor:
    subject = Subject(cells.GRU(), "native", (6, 20, 3, 17), torch.float32)
    return torch.cat([v.detach().flatten() for v in _results(subject, "native")])


def test_threads_at_once_give_the_bits_of_one() -> None:
    alone, found = _run_once(), {}

    def work(number: int) -> None:
        for _ in range(5):
            found[number] = _run_once()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[number], alone) for number in range(4))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_processes_give_the_bits_of_one() -> None:
    alone = _run_once()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for found in pool.map(_bytes, range(4)):
            assert found == alone.numpy().tobytes()


def _bytes(number: int) -> bytes:
    return _run_once(number).numpy().tobytes()


def test_denormal_numbers_are_treated_as_before_afterwards() -> None:
    tiny = torch.tensor(1e-40)
    _run_once()
    assert (tiny * 1).item() != 0


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (torch.zeros(2, 3, 3, dtype=torch.complex64), "does not compute complex64"),
        (torch.zeros(0, 3, 3), "empty batch"),
        (torch.zeros(2, 3, 3, device="meta"), "on meta"),
    ],
)
def test_what_it_cannot_serve_it_says(x: Tensor, reason: str) -> None:
    layer = Recurrent("gru", 3, 5, device=x.device, dtype=x.dtype)
    layer.backend = "native"
    with pytest.raises(BackendError, match=reason):
        layer(x)


def test_a_cell_that_cannot_be_traced_goes_to_the_reference_with_the_reason() -> None:
    class Branching(cells.RNN):
        name = "branching"

        def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
            return (x.h + R.h(h),) if float(h.sum()) < 1e9 else (h,)

    cell, x = Branching(), torch.randn(2, 4, 3)
    weights = {name: torch.randn(shape) for name, shape in cell.shapes(3, 4).items()}
    choice = engine.explain(cell, x, weights)
    assert choice.chosen == "reference" and "cannot become a program" in dict(choice.answers)["native"]
    engine.run(cell, x, weights)


@pytest.mark.parametrize(
    ("kind", "sizes", "chosen"),
    [
        ("gru", (4, 50, 3, 32), "native"),
        ("gru", (4, 1, 3, 32), "torch"),
        ("gru", (2, 5, 3, 1024), "torch"),
        ("lstm", (4, 50, 3, 256), "torch"),
        ("lstm", (64, 50, 3, 256), "native"),
        ("lstm", (64, 50, 3, 512), "torch"),
        ("gru_before", (4, 1, 3, 32), "native"),
    ],
)
def test_where_torch_is_faster_it_goes_first_and_that_is_said(kind: str, sizes: Any, chosen: str) -> None:
    batch, time, inputs, hidden = sizes
    layer = Recurrent(kind, inputs, hidden)
    choice = engine.explain(layer.cell, torch.zeros(batch, time, inputs), layer.weights()[0])
    assert choice.chosen == chosen
    if chosen == "torch":
        assert dict(choice.answers)["native"] not in ("chosen", "could serve, slower")


def test_without_the_library_everything_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model, x = Model(), torch.randn(2, 4, 3)
    expected = model(x)
    monkeypatch.setattr(native, "reason", lambda: "it was not built")
    assert_close(model(x), expected, "without the library")
    choice = engine.explain(model.first.cell, x, model.first.weights()[0])
    assert choice.chosen == "torch" and dict(choice.answers)["native"] == "it was not built"
    torch._dynamo.reset()
    assert_close(torch.compile(model, fullgraph=True, backend="aot_eager")(x), expected, "compiled")
