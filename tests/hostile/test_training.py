"""Training that cannot go on must end in a sentence that names what, where and the mend."""

from __future__ import annotations

import errno
import math
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.small import Memory, Net, data, digest, net, squared_error
from torch import Tensor, nn

from unrolled.core.errors import ConfigError, TrainingError, UnrolledError
from unrolled.core.records import Metric
from unrolled.data.batch import Batch
from unrolled.train import Fitting, Hook, TrainSettings, fit

X, Y = data(40, 1)


class _InOrder(Memory):
    """Batches in the order of the file, so that a test knows where a sample ends up."""

    def epoch(self, number: int = 0, start: int = 0) -> Any:
        for at in range(start, len(self)):
            yield Batch(x=self.x[at * 8 : at * 8 + 8], y=self.y[at * 8 : at * 8 + 8])


def train(x: Tensor = X, y: Tensor = Y, *, module: nn.Module | None = None, **options: Any) -> None:
    loss = options.pop("loss", squared_error)
    extra = {name: options.pop(name) for name in ("folder", "resume", "valid", "measure", "hooks") if name in options}
    fit(module or net(), _InOrder(x, y, 8), loss, TrainSettings(**options), **extra)


def changed(tensor: Tensor, at: tuple[int, ...], value: float) -> Tensor:
    copy = tensor.clone()
    copy[at] = value
    return copy


@pytest.mark.parametrize(("part", "bad"), [("x", math.nan), ("x", math.inf), ("y", math.inf)])
def test_bad_values_in_the_data_name_epoch_batch_and_sample(part: str, bad: float) -> None:
    x, y = (changed(X, (19, 2, 1), bad), Y) if part == "x" else (X, changed(Y, (19, 0), bad))
    with pytest.raises(TrainingError, match=rf"epoch 1, batch 3: [\s\S]*the data: {part} .* sample 4 .*\n.*policy"):
        train(x, y)


def test_unknown_truth_is_the_cause_only_where_the_loss_does_not_leave_it_out() -> None:
    y = changed(Y, (19, 0), math.nan)
    with pytest.raises(TrainingError, match=r"epoch 1, batch 3: .*the data: y is missing .* sample 4 "):
        train(X, y)

    def known(output: Tensor, batch: Batch) -> Tensor:
        return squared_error(
            output.where(~batch.y.isnan()[:, None, :, None], 0.0), Batch(batch.x, batch.y.nan_to_num())
        )

    train(X, y, loss=known, epochs=2)
    options: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 30.0, "epochs": 300}
    with pytest.raises(TrainingError, match="learning rate"):
        train(X, y, loss=known, module=_Linear(), clip_norm=1e30, **options)


def test_bad_values_in_the_validation_part_are_told_apart() -> None:
    valid = _InOrder(changed(X, (9, 0, 0), math.nan), Y, 8)

    def strict(pairs: Iterable[tuple[Tensor, Batch]]) -> Metric:
        assert all(torch.isfinite(output).all() for output, _ in pairs), "a measure that bears no NaN"
        return Metric(name="strict", value=0.0)

    for measure in (None, strict):
        with pytest.raises(TrainingError, match=r"epoch 1, batch 2: the validation loss is nan.*the data: x"):
            train(valid=valid, measure=measure)


def test_an_outlier_is_named_with_its_size() -> None:
    with pytest.raises(TrainingError, match=r"epoch 1, batch 4: .*outlier in the data: y reaches 1e\+25 in sample 1"):
        train(X, changed(Y, (24, 0), 1e25))


def test_a_learning_rate_that_is_too_high() -> None:
    options: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 30.0, "epochs": 300}
    with pytest.raises(TrainingError, match=r"learning rate[\s\S]*learning_rate: 3"):
        train(module=_Linear(), clip_norm=1e30, **options)


class _Linear(nn.Module):
    """No saturation: nothing keeps it from running away."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 1)

    def forward(self, x: Tensor, **_: Any) -> Tensor:
        answer: Tensor = self.head(x.sum(1))
        return answer[:, None, :, None]


class _Powers(nn.Module):
    """h_t = w h_{t-1} + mean(x_t): its gradient grows with the power of T - 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor, **_: Any) -> Tensor:
        state = torch.zeros(len(x))
        for step in range(60):
            state = self.weight * state + x[:, step % x.shape[1]].mean(1)
        return state[:, None, None, None]


def test_exploding_gradients_without_clipping_advise_clipping() -> None:
    with pytest.raises(TrainingError, match=r"exploding gradients[\s\S]*clip_norm: 1\.0"):
        train(module=_Powers(), clip_norm=None, learning_rate=0.02, optimizer="sgd", momentum=0.9, epochs=500)


def test_a_derivative_that_does_not_exist() -> None:
    def root(output: Tensor, batch: Batch) -> Tensor:
        return (output * 0).abs().sum().sqrt()

    with pytest.raises(TrainingError, match=r"norm of the gradient is nan[\s\S]*square root"):
        train(loss=root)


def test_weights_that_are_not_finite() -> None:
    module = net()
    nn.init.constant_(module.head.bias, math.nan)
    with pytest.raises(TrainingError, match=r"head\.bias: the weights to begin with are not finite"):
        train(module=module)


def test_the_last_good_checkpoint_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    module = net()
    seen: list[str] = []

    class Poison(Hook):
        def on_epoch(self, fitting: Fitting) -> None:
            seen.append(digest(module))
            if fitting.epoch == 2:
                nn.init.constant_(module.head.bias, math.nan)

    class Watch(Hook):
        def on_error(self, fitting: Fitting, error: Exception) -> None:
            assert isinstance(error, TrainingError)

    with pytest.raises(TrainingError, match=r"epoch 3, batch 1[\s\S]*checkpoint is kept in"):
        options: dict[str, Any] = {"checkpoint_epochs": 2, "checkpoint_seconds": 0, "checkpoint_batches": 5}
        train(module=module, folder=tmp_path, valid=_InOrder(X, Y, 8), hooks=[Poison(), Watch()], **options)
    assert digest(module) in seen
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2
    assert (saved["fitting"]["epoch"], saved["fitting"]["batch"]) == (2, 0)


def test_fp16_is_refused_on_the_cpu_with_the_reason() -> None:
    with pytest.raises(ConfigError, match=r"precision: fp16: .*CUDA device[\s\S]*bf16 or 32"):
        train(precision="fp16", device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="there is no CUDA device"):
        train(device="cuda")


def test_memory_that_runs_out_names_the_batch_size() -> None:
    def greedy(output: Tensor, batch: Batch) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(TrainingError, match=r"epoch 1, batch 1: .*memory[\s\S]*batch_size"):
        train(loss=greedy)


def test_an_operation_without_a_deterministic_form() -> None:
    def random_order(output: Tensor, batch: Batch) -> Tensor:
        raise RuntimeError("put_ does not have a deterministic implementation, but you set ...")

    with pytest.raises(ConfigError, match=r"deterministic: .*put_[\s\S]*deterministic: false"):
        train(loss=random_order, deterministic=True)
    with pytest.raises(RuntimeError, match=r"^put_"):
        train(loss=random_order)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _garbage(path: Path) -> None:
    path.write_bytes(os.urandom(500))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _of_something_else(path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, path)


def _a_list(path: Path) -> None:
    torch.save([1, 2, 3], path)


def _too_new(path: Path) -> None:
    torch.save({**torch.load(path, weights_only=True), "format": 999}, path)


@pytest.mark.parametrize("damage", [_truncated, _garbage, _empty, _of_something_else, _a_list, _too_new])
def test_damaged_checkpoints(damage: Callable[[Path], None], tmp_path: Path) -> None:
    train(folder=tmp_path, epochs=1)
    damage(tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match=r"checkpoint[\s\S]*train anew"):
        train(folder=tmp_path, epochs=2, resume=True)


def test_parts_missing_from_a_checkpoint(tmp_path: Path) -> None:
    train(folder=tmp_path, epochs=1)
    whole = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    for name in whole:
        torch.save({key: value for key, value in whole.items() if key != name}, tmp_path / "checkpoint.pt")
        with pytest.raises(TrainingError, match="checkpoint"):
            train(folder=tmp_path, epochs=2, resume=True)


class _Evil:
    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._path,)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    run, trace = tmp_path / "run", tmp_path / "executed"
    train(folder=run, epochs=1)
    for write in (torch.save, lambda what, path: path.write_bytes(pickle.dumps(what))):
        write({"format": 1, "settings": _Evil(str(trace))}, run / "checkpoint.pt")
        with pytest.raises(TrainingError):
            train(folder=run, epochs=2, resume=True)
        assert not trace.exists()


@pytest.mark.parametrize(
    ("option", "value"), [("optimizer", "sgd"), ("seed", 3), ("averaging", "ema"), ("accumulate", 2)]
)
def test_a_checkpoint_of_other_settings(option: str, value: Any, tmp_path: Path) -> None:
    train(folder=tmp_path, epochs=1)
    with pytest.raises(TrainingError, match=rf"begun with {option} .* go on with {value}"):
        train(folder=tmp_path, epochs=2, resume=True, **{option: value})


def test_a_checkpoint_of_another_net_or_other_data(tmp_path: Path) -> None:
    train(folder=tmp_path, epochs=1)
    with pytest.raises(TrainingError, match="the net or the number of processes"):
        train(module=Net(hidden=9), folder=tmp_path, epochs=2, resume=True)
    with pytest.raises(TrainingError, match="another size"):
        train(X[:20], Y[:20], folder=tmp_path, epochs=2, resume=True)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnrolledError, match="a part of this path is a file"):
        train(folder=tmp_path / "file" / "run", epochs=1)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(folder=tmp_path, epochs=1)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    class Fill(Hook):
        def on_start(self, fitting: Fitting) -> None:
            monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(UnrolledError, match="the disk is full"):
        train(folder=tmp_path, epochs=2, resume=True, hooks=[Fill()])
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "metrics.jsonl"]
