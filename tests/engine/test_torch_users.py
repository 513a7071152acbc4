"""What torch's users do with a layer besides calling it: many processes, loaders, functional transforms, threads."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset

import unrolled
from unrolled import native
from unrolled.native import Kernel
from unrolled.testing.compare import assert_close

pytestmark = pytest.mark.skipif(native.reason() is not None, reason=str(native.reason()))

_FORK = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
B, T, D, H = 6, 9, 3, 8


class Model(nn.Module):
    """A bidirectional LSTM, a GRU and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = unrolled.LSTM(D, H, bidirectional=True, batch_first=True)
        self.gru = unrolled.GRU(2 * H, H, batch_first=True)
        self.head = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.gru(self.lstm(x)[0])[0][:, -1])
        return y


def _problem() -> tuple[Model, Tensor, Tensor]:
    torch.manual_seed(0)
    return Model(), torch.randn(B, T, D), torch.randn(B, 1)


def _step(model: nn.Module, x: Tensor, truth: Tensor) -> None:
    loss = nn.functional.mse_loss(model(x), truth)
    torch.autograd.backward(loss)


def _one_of_two(rank: int, meeting: str, results: Any) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    try:
        model, x, truth = _problem()
        wrapped = DistributedDataParallel(model)
        _step(wrapped, x[rank::2], truth[rank::2])
        results.put((rank, [p.grad.numpy().copy() for p in model.parameters() if p.grad is not None]))
        dist.barrier()
    finally:
        dist.destroy_process_group()


@_FORK
def test_two_processes_in_ddp_have_the_gradients_of_one(tmp_path: Path) -> None:
    model, x, truth = _problem()
    _step(model, x, truth)
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    meeting = str(tmp_path / "meeting")
    processes = [context.Process(target=_one_of_two, args=(rank, meeting, results)) for rank in range(2)]
    for process in processes:
        process.start()
    found: dict[int, Sequence[Any]] = dict(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    for rank in range(2):
        for (name, p), gradient in zip(model.named_parameters(), found[rank], strict=True):
            assert p.grad is not None
            assert_close(torch.from_numpy(gradient), p.grad, f"process {rank}: {name}")


class _Encoded(Dataset[Tensor]):
    """Sequences that a layer encodes in the worker process."""

    def __init__(self, layer: nn.Module, x: Tensor) -> None:
        self.layer, self.x = layer, x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> Tensor:
        with torch.no_grad():
            y: Tensor = self.layer(self.x[index : index + 1])[0][0]
        return y


@_FORK
def test_workers_of_a_loader_that_are_forked_encode_as_the_parent_does() -> None:
    torch.manual_seed(0)
    layer, x = unrolled.LSTM(D, H, batch_first=True), torch.randn(B, T, D)
    data = _Encoded(layer, x)
    expected = torch.stack([data[index] for index in range(B)])  # the parent's threads run before the fork
    loader = DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context="fork")
    assert torch.equal(torch.cat(list(loader)), expected)


def test_gradients_for_each_sample_by_functional_transforms() -> None:
    model, x, truth = _problem()
    parameters: dict[str, Tensor] = dict(model.named_parameters())

    def loss(parameters: dict[str, Tensor], x: Tensor, truth: Tensor) -> Tensor:
        y: Tensor = torch.func.functional_call(model, parameters, (x[None],))
        return nn.functional.mse_loss(y, truth[None])

    found = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(parameters, x, truth)
    for index in range(B):
        alone = torch.autograd.grad(loss(parameters, x[index], truth[index]), list(parameters.values()))
        for (name, gradients), expected in zip(found.items(), alone, strict=True):
            assert_close(gradients[index], expected, f"sample {index}: {name}")


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_as_torch_may_use(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    before, forward, backward = torch.get_num_threads(), Kernel.forward, Kernel.backward

    def counted(run: Any) -> Any:
        def call(self: Kernel, *arguments: Any, **options: Any) -> None:
            asked.append(options["threads"])
            run(self, *arguments, **options)

        return call

    monkeypatch.setattr(Kernel, "forward", counted(forward))
    monkeypatch.setattr(Kernel, "backward", counted(backward))
    torch.set_num_threads(threads)
    try:
        _step(*_problem())
    finally:
        torch.set_num_threads(before)
    assert len(asked) == 6 and set(asked) == {threads}


def test_an_accelerated_model_compiles_in_one_graph() -> None:
    torch.manual_seed(0)
    model, x = nn.LSTM(D, H, 2, batch_first=True), torch.randn(B, T, D)
    expected = model(x)[0]
    unrolled.accelerate(model)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    y = compiled(x)[0]
    assert_close(y, expected, "compiled")
    parameters = list(model.parameters())
    for found, wanted in zip(
        torch.autograd.grad(y.sum(), parameters), torch.autograd.grad(expected.sum(), parameters), strict=True
    ):
        assert_close(found, wanted, "gradient")


def test_sizes_that_change_do_not_compile_anew() -> None:
    torch.manual_seed(0)
    layer = unrolled.GRU(D, H, batch_first=True)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=True)
    with torch.no_grad():
        for batch, time in ((4, 5), (3, 7), (5, 11)):
            x = torch.randn(batch, time, D)
            assert_close(compiled(x)[0], layer(x)[0], f"{batch} x {time}")


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpointed_layer_has_the_gradients_of_a_plain_one(reentrant: bool) -> None:
    model, x, truth = _problem()
    x.requires_grad_()
    expected = torch.autograd.grad(nn.functional.mse_loss(model(x), truth), [x, *model.parameters()])
    again = checkpoint(model, x, use_reentrant=reentrant)
    torch.autograd.backward(nn.functional.mse_loss(again, truth))
    for tensor, gradient in zip((x, *model.parameters()), expected, strict=True):
        assert tensor.grad is not None
        assert_close(tensor.grad, gradient, "checkpointed")


def test_many_gradients_at_once_equal_one_after_another() -> None:
    model, x, _ = _problem()
    x.requires_grad_()
    y = model(x)[:, 0]
    each = torch.stack([torch.autograd.grad(y, x, row, retain_graph=True)[0] for row in torch.eye(B)])
    (batched,) = torch.autograd.grad(y, x, torch.eye(B), retain_graph=True, is_grads_batched=True)
    mapped = torch.vmap(lambda row: torch.autograd.grad(y, x, row, retain_graph=True)[0])(torch.eye(B))
    assert_close(batched, each, "is_grads_batched")
    assert_close(mapped, each, "vmap")


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # of torch's own, at the first such call
def test_forward_mode_derivatives_equal_those_of_reverse_mode() -> None:
    model, x, _ = _problem()
    with torch.no_grad():
        forward = torch.func.jacfwd(model)(x)
        along = torch.func.jvp(model, (x,), (x,))[1]
        with forward_ad.dual_level():
            given = forward_ad.make_dual(x, x)  # type: ignore[no-untyped-call]
            dual = forward_ad.unpack_dual(model(given)).tangent  # type: ignore[no-untyped-call]
    reverse = torch.func.jacrev(model)(x).detach()
    assert_close(forward, reverse, "jacfwd")
    expected = torch.tensordot(reverse, x, 3)
    assert_close(along, expected, "jvp")
    assert_close(dual, expected, "dual numbers")


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_traced_layer_computes_what_the_layer_does() -> None:
    layer, x = unrolled.LSTM(D, H, batch_first=True), torch.randn(B, T, D)
    traced = torch.jit.trace(layer, x)  # type: ignore[no-untyped-call]
    longer = torch.randn(B + 1, T + 2, D)
    assert_close(traced(longer)[0], layer(longer)[0], "traced")
