"""The loop against a bare torch loop, and its promises: early stopping, hooks, budget, Ctrl-C, resume."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.small import Memory, Net, data, digest, net, squared_error
from torch import Tensor, nn

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Metric
from unrolled.data.batch import Batch
from unrolled.train import Fitting, Hook, TrainSettings, fit, machine
from unrolled.train.settings import Optimizer

TRAIN, VALID = data(45, 1), data(20, 2)
NONE = {"clip_norm": None, "weight_decay": 0.0}


def batches(size: int = 8) -> Memory:
    return Memory(*TRAIN, size)


def valid() -> Memory:
    return Memory(*VALID, 7)


def without_seconds(rows: Iterable[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


class _Interrupt(Hook):
    """Presses Ctrl-C in the given optimiser step."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_batch(self, fitting: Fitting) -> None:
        if fitting.step == self._step:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("clip", [None, 0.05])
def test_equals_a_bare_torch_loop(optimizer: Optimizer, clip: float | None) -> None:
    ours, theirs = net(), net()
    settings = TrainSettings(epochs=3, optimizer=optimizer, clip_norm=clip, learning_rate=0.01)
    result = fit(ours, batches(), squared_error, settings)
    build: Any = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}.get(optimizer)
    options: dict[str, Any] = {"momentum": 0.9} if optimizer == "sgd" else {}
    build = build or {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    bare = build(theirs.parameters(), lr=0.01, weight_decay=1e-4, **options)
    for epoch in range(3):
        losses, norms, sizes = [], [], []
        for batch in batches().epoch(epoch):
            bare.zero_grad()
            loss = squared_error(theirs(batch.x), batch)
            torch.autograd.backward(loss)
            norms.append(float(nn.utils.clip_grad_norm_(theirs.parameters(), clip or math.inf)))
            bare.step()
            losses.append(loss.item() * len(batch))
            sizes.append(len(batch))
        row = result.rows[epoch]
        assert row["train_loss"] == pytest.approx(sum(losses) / sum(sizes), rel=1e-5)
        assert row["grad_norm"] == pytest.approx(sum(norms) / len(norms), rel=1e-4)
        assert row["grad_norm_max"] == pytest.approx(max(norms), rel=1e-4)
        assert row["clip_rate"] == sum(norm > (clip or math.inf) for norm in norms) / len(norms)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [8, 16])
def test_accumulated_gradients_equal_those_of_a_large_batch(size: int) -> None:
    """45 samples: the last batch is smaller than the others, and counts less."""
    small, large = net(), net()
    options: dict[str, Any] = {"epochs": 3, "optimizer": "sgd", "learning_rate": 0.1, "clip_norm": 0.1}
    one = fit(small, batches(size), squared_error, TrainSettings(accumulate=32 // size, **options))
    two = fit(large, batches(32), squared_error, TrainSettings(**options))
    for a, b in zip(small.parameters(), large.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)
    for mine, theirs in zip(one.rows, two.rows, strict=True):
        assert mine["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-5)
        assert mine["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-4)


def test_best_weights_are_restored_and_training_stops_early() -> None:
    """At this learning rate the validation loss soon rises and falls at random."""
    module = net()
    result = fit(module, batches(), squared_error, TrainSettings(learning_rate=0.5, patience=3), valid=valid())
    losses = [row["valid_loss"] for row in result.rows]
    assert result.stopped == "early" and result.epochs < 100
    assert result.best == min(losses) and result.best_epoch == losses.index(min(losses)) + 1
    assert result.epochs == result.best_epoch + 3
    whole = Batch(*VALID)
    with torch.no_grad():
        assert squared_error(module.eval()(whole.x), whole).item() == pytest.approx(min(losses), rel=1e-5)


def test_the_measure_decides_and_may_be_better_when_higher() -> None:
    asked: list[int] = []

    def measure(pairs: Iterable[tuple[Tensor, Batch]]) -> Metric:
        asked.append(sum(len(batch) for _, batch in pairs))
        return Metric(name="order", value=float(-abs(len(asked) - 3)), better="higher")

    result = fit(net(), batches(), squared_error, TrainSettings(patience=2), valid=valid(), measure=measure)
    assert asked == [20] * 5
    assert (result.best_epoch, result.best, result.epochs) == (3, 0.0, 5)
    assert [row["valid_order"] for row in result.rows] == [-2, -1, 0, -1, -2]
    on_loss = TrainSettings(epochs=5, patience=2, monitor="loss", learning_rate=1e-3)
    result = fit(net(), batches(), squared_error, on_loss, valid=valid(), measure=measure)
    assert result.best == min(row["valid_loss"] for row in result.rows)


def test_a_measure_that_reads_nothing_leaves_the_loss_whole() -> None:
    lazy = fit(
        net(),
        batches(),
        squared_error,
        TrainSettings(epochs=1),
        valid=valid(),
        measure=lambda pairs: Metric(name="m", value=math.nan),
    )
    plain = fit(net(), batches(), squared_error, TrainSettings(epochs=1), valid=valid())
    assert without_seconds(lazy.rows) == without_seconds(plain.rows)


def test_hooks_are_called_at_their_moments_and_may_stop() -> None:
    calls: list[str] = []

    class Recorder(Hook):
        def on_start(self, fitting: Fitting) -> None:
            calls.append(f"start {fitting.epoch}")

        def on_batch(self, fitting: Fitting) -> None:
            calls.append(f"batch {fitting.batch}/{fitting.batches}")

        def on_epoch(self, fitting: Fitting) -> None:
            calls.append(f"epoch {fitting.rows[-1]['epoch']}")
            fitting.stop = "enough" if fitting.epoch == 2 else None

        def on_stop(self, fitting: Fitting) -> None:
            calls.append(f"stop {fitting.stop}")

    result = fit(net(), batches(16), squared_error, TrainSettings(accumulate=2), hooks=[Recorder()])
    epoch = ["batch 2/3", "batch 3/3"]
    assert calls == ["start 0", *epoch, "epoch 1", *epoch, "epoch 2", "stop enough"]
    assert result.stopped == "enough"


def test_an_error_reaches_the_hooks_with_the_best_weights_in_place() -> None:
    module, seen = net(), []

    class Failing(Hook):
        def on_epoch(self, fitting: Fitting) -> None:
            seen.append(digest(module))

        def on_batch(self, fitting: Fitting) -> None:
            if fitting.epoch == 1 and fitting.batch == 3:
                raise ZeroDivisionError("a hook's own fault")

        def on_error(self, fitting: Fitting, error: Exception) -> None:
            seen.append(type(error).__name__)

    with pytest.raises(ZeroDivisionError, match="a hook's own fault"):
        fit(module, batches(), squared_error, TrainSettings(), valid=valid(), hooks=[Failing()])
    assert seen == [digest(module), "ZeroDivisionError"]


def test_time_budget_cuts_the_epoch_short_and_keeps_what_was_learnt() -> None:
    result = fit(net(), batches(), squared_error, TrainSettings(max_seconds=1e-9), valid=valid())
    assert result.stopped == "time" and result.epochs == 0 and result.rows == ()

    class Slow(Hook):
        def on_batch(self, fitting: Fitting) -> None:
            fitting.seconds += 10

    result = fit(net(), batches(), squared_error, TrainSettings(max_seconds=25), valid=valid(), hooks=[Slow()])
    assert result.stopped == "time" and result.epochs == 1
    assert result.best == result.rows[0]["valid_loss"]


STATEFUL: list[dict[str, Any]] = [
    {},
    {"averaging": "ema", "optimizer": "sgd", "learning_rate": 0.2},
    {"averaging": "swa", "swa_start": 0.1, "accumulate": 2, "schedule": "one_cycle"},
    {"schedule": "plateau", "plateau_patience": 0, "learning_rate": 0.1, "optimizer": "rmsprop"},
    {"layers": ({"match": "recurrent.*", "freeze_until": 1, "freeze_from": 3, "rate": 0.5},), "averaging": "ema"},
    {"precision": "bf16", "state_l2": 0.01, "freeze": ("head.bias",)},
]


@pytest.mark.parametrize("options", STATEFUL)
@pytest.mark.parametrize("step", [1, 5, 11])
def test_interrupted_and_resumed_equals_never_interrupted(options: dict[str, Any], step: int, tmp_path: Path) -> None:
    """Six batches an epoch, four epochs; dropout needs the random numbers restored too."""
    settings = TrainSettings(epochs=4, patience=None, batch_size=8, **options)
    whole, parted = net(dropout=0.3), net(dropout=0.3)
    never = fit(whole, batches(), squared_error, settings, valid=valid(), folder=tmp_path / "whole")
    stop = [_Interrupt(step)]
    first = fit(parted, batches(), squared_error, settings, valid=valid(), folder=tmp_path / "parts", hooks=stop)
    assert first.stopped == "interrupted"
    fresh = net(seed=9, dropout=0.3)
    then = fit(fresh, batches(), squared_error, settings, valid=valid(), folder=tmp_path / "parts", resume=True)
    assert digest(fresh) == digest(whole)
    assert without_seconds(then.rows) == without_seconds(never.rows)
    assert (then.best, then.best_epoch, then.stopped) == (never.best, never.best_epoch, never.stopped)
    on_disk = [json.loads(line) for line in (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()]
    assert on_disk == list(then.rows)


def test_interrupt_without_a_folder_keeps_the_best_weights() -> None:
    before, module = signal.getsignal(signal.SIGINT), net()
    result = fit(module, batches(), squared_error, TrainSettings(), valid=valid(), hooks=[_Interrupt(15)])
    other = net()
    fit(other, batches(), squared_error, TrainSettings(epochs=2), valid=valid())
    assert (result.stopped, result.epochs, result.best_epoch) == ("interrupted", 2, 2)
    assert digest(module) == digest(other)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_acts_at_once_and_leaves_the_checkpoint_alone(tmp_path: Path) -> None:
    class Impatient(Hook):
        def on_batch(self, fitting: Fitting) -> None:
            if fitting.step == 8:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)

    settings = TrainSettings(checkpoint_seconds=0)
    result = fit(net(), batches(), squared_error, settings, folder=tmp_path, hooks=[Impatient()])
    assert result.stopped == "interrupted"
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["fitting"]["epoch"] == 1 and saved["fitting"]["batch"] == 0


def test_a_finished_run_resumes_to_its_result_and_can_be_prolonged(tmp_path: Path) -> None:
    def run(module: Net, epochs: int, folder: str) -> list[dict[str, float]]:
        settings = TrainSettings(epochs=epochs, patience=None)
        result = fit(module, batches(), squared_error, settings, valid=valid(), folder=tmp_path / folder, resume=True)
        return without_seconds(result.rows)

    short, again, longer, whole = net(), net(seed=5), net(seed=6), net()
    assert run(short, 2, "a") == run(again, 2, "a")
    assert digest(short) == digest(again)
    assert run(longer, 5, "a") == run(whole, 5, "b")
    assert digest(longer) == digest(whole)


def test_a_new_run_in_an_old_folder_forgets_the_old_one(tmp_path: Path) -> None:
    fit(net(), batches(), squared_error, TrainSettings(epochs=3), folder=tmp_path)
    (tmp_path / ".checkpoint.pt.leftover").write_bytes(b"half a checkpoint")

    class Look(Hook):
        def on_start(self, fitting: Fitting) -> None:
            assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl"]
            assert (tmp_path / "metrics.jsonl").read_text() == ""

    fit(net(), batches(), squared_error, TrainSettings(epochs=1), folder=tmp_path, hooks=[Look()])
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1


def test_checkpoint_intervals(tmp_path: Path) -> None:
    def saved_at(**options: Any) -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []

        class Look(Hook):
            def on_batch(self, fitting: Fitting) -> None:
                if (tmp_path / "checkpoint.pt").exists():
                    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["fitting"]
                    seen.append((state["epoch"], state["batch"]))

        settings = TrainSettings(epochs=4, **options)
        fit(net(), batches(16), squared_error, settings, folder=tmp_path, hooks=[Look()])
        return sorted(set(seen))

    assert saved_at(checkpoint_seconds=0) == [(1, 0), (2, 0), (3, 0)]
    assert saved_at(checkpoint_seconds=0, checkpoint_epochs=2) == [(2, 0)]
    assert saved_at(checkpoint_seconds=0, checkpoint_epochs=9, checkpoint_batches=2) == [(n, 2) for n in range(4)]
    assert saved_at(checkpoint_seconds=3600) == []


def test_averaged_weights_are_validated_and_kept() -> None:
    """Without validation the net ends with the mean of all epochs' weights."""
    module, seen = net(), []

    class Collect(Hook):
        def on_epoch(self, fitting: Fitting) -> None:
            seen.append(module.head.weight.detach().clone())

    settings = TrainSettings(epochs=4, averaging="swa", swa_start=0.0, learning_rate=0.05)
    fit(module, batches(), squared_error, settings, hooks=[Collect()])
    torch.testing.assert_close(module.head.weight.detach(), torch.stack(seen).mean(0))
    one, two = net(), net()
    ema = TrainSettings(epochs=2, averaging="ema", learning_rate=0.05)
    averaged = fit(one, batches(), squared_error, ema, valid=valid())
    plain = fit(two, batches(), squared_error, ema.model_copy(update={"averaging": "none"}), valid=valid())
    assert averaged.rows[0]["train_loss"] == plain.rows[0]["train_loss"]
    assert averaged.rows[0]["valid_loss"] != plain.rows[0]["valid_loss"]


def test_state_penalty_is_part_of_the_gradient_and_not_of_the_loss_shown() -> None:
    one, two = net(), net()
    batch = Batch(*TRAIN)
    options = {"epochs": 1, "optimizer": "sgd", "momentum": 0.0, "learning_rate": 1.0, **NONE}
    settings = TrainSettings.model_validate({**options, "state_l2": 0.5})
    result = fit(one, Memory(*TRAIN, 45), squared_error, settings)
    loss = squared_error(two(batch.x), batch)
    torch.autograd.backward(loss + 0.5 * two.state_penalty())
    for after, before in zip(one.parameters(), two.parameters(), strict=True):
        assert before.grad is not None
        torch.testing.assert_close(after, before - before.grad, rtol=1e-4, atol=1e-6)
    assert result.rows[0]["train_loss"] == pytest.approx(loss.item(), rel=1e-6)
    with pytest.raises(ConfigError, match="state_penalty"):
        fit(nn.Linear(1, 1), batches(), squared_error, TrainSettings(state_l2=0.001))


def test_seeds_repeat_dropout_and_differ() -> None:
    def weights(seed: int) -> str:
        module = net(dropout=0.5)
        fit(module, batches(), squared_error, TrainSettings(epochs=1, seed=seed))
        return digest(module)

    assert weights(1) == weights(1) != weights(2)


def test_bf16_rounds_and_keeps_float32_weights() -> None:
    one, two = net(), net()
    settings = TrainSettings(epochs=2)
    rough = fit(one, batches(), squared_error, settings.model_copy(update={"precision": "bf16"}))
    exact = fit(two, batches(), squared_error, settings)
    assert one.head.weight.dtype == torch.float32
    assert rough.rows[-1]["train_loss"] == pytest.approx(exact.rows[-1]["train_loss"], rel=0.02)
    assert digest(one) != digest(two)


def test_fp16_scales_gradients_and_skips_steps_that_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is made so large that its scaled gradient overflows until the scale has come down."""
    monkeypatch.setattr(machine, "_refuse_fp16", lambda device: None)
    module, steps = net(), []

    class Look(Hook):
        def on_batch(self, fitting: Fitting) -> None:
            steps.append(digest(module))

    def large(output: Tensor, batch: Batch) -> Tensor:
        return squared_error(output, batch) * 1e4

    before = digest(module)
    settings = TrainSettings(epochs=3, precision="fp16", freeze=("recurrent.*",))
    result = fit(module, batches(), large, settings, hooks=[Look()])
    assert steps[0] == before and steps[-1] != before
    assert all(math.isfinite(value) for row in result.rows for value in row.values())


def test_torch_options_hold_inside_and_are_put_back() -> None:
    seen: list[tuple[int, bool]] = []

    class Look(Hook):
        def on_batch(self, fitting: Fitting) -> None:
            seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))

    before = torch.get_num_threads()
    settings = TrainSettings(epochs=1, threads=2, deterministic=True)
    fit(net(), batches(45), squared_error, settings, hooks=[Look()])
    assert seen == [(2, True)]
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (before, False)


def test_runs_in_a_thread_where_signals_cannot_be_handled() -> None:
    results: list[str] = []
    thread = threading.Thread(
        target=lambda: results.append(fit(net(), batches(), squared_error, TrainSettings(epochs=1)).stopped)
    )
    thread.start()
    thread.join()
    assert results == ["epochs"]


def test_plateau_needs_a_validation_part() -> None:
    with pytest.raises(ConfigError, match="validation"):
        fit(net(), batches(), squared_error, TrainSettings(schedule="plateau"))


def test_nothing_to_train_on() -> None:
    with pytest.raises(DataError, match="no sample"):
        fit(net(), Memory(TRAIN[0][:0], TRAIN[1][:0], 8), squared_error, TrainSettings())
