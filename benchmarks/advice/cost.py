"""What a cell costs: parameters and time of GRU against LSTM, memory and time of mixed precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.advice.page import Row, Verdict, keep
from benchmarks.speed.measure import geometric_mean, interleaved
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

SHAPES = ((32, 100, 8, 32), (32, 100, 16, 64), (32, 50, 16, 128), (64, 200, 8, 64))  # B, T, D, H


def parameters() -> None:
    """Weights of a layer of each cell and width."""
    details, ratios = ["inputs  units     gru    lstm   gru / lstm"], []
    for inputs in (1, 8, 64):
        for units in (32, 64, 128, 256):
            gru, lstm = (_layer(cell, inputs, units) for cell in ("gru", "lstm"))
            ratios.append(gru / lstm)
            details.append(f"{inputs:6}{units:7}{gru:8,}{lstm:8,}{gru / lstm:13.3f}")
    low, high = 1 - max(ratios), 1 - min(ratios)
    verdict: Verdict = "holds" if 0.245 <= low and high <= 0.255 else "holds in part"
    share = f"{low:.0%}" if round(low, 3) == round(high, 3) else f"{low:.1%} to {high:.1%}"
    measured = f"{share} fewer weights in the layer, for 1 to 64 inputs and 32 to 256 units"
    row = Row("A GRU has fewer parameters than an LSTM of its width", "25 % fewer", measured, verdict)
    keep("parameters", "Parameters", [row], details)


def training_time() -> None:
    """A step of training (forward and backward) of one layer with a linear head."""
    rows, details = [], ["engine   B    T   D    H   gru ms  lstm ms  gru / lstm"]
    for engine, make in (("unrolled", _ours), ("torch.nn", _theirs)):
        ratios = []
        for batch, time, inputs, units in SHAPES:
            x = torch.randn(batch, time, inputs)
            gru, lstm = interleaved([_step(make(cell, inputs, units), x) for cell in ("gru", "lstm")], seconds=4)
            ratios.append(gru / lstm)
            details.append(
                f"{engine:8}{batch:4}{time:5}{inputs:4}{units:5}{1e3 * gru:9.2f}{1e3 * lstm:9.2f}{gru / lstm:12.3f}"
            )
        mean = geometric_mean(ratios)
        within: Verdict = "holds" if 0.8 <= mean <= 0.85 else "holds in part" if mean < 0.95 else "does not hold"
        low, high = _change(max(ratios)), _change(min(ratios))
        measured = f"{_change(mean)} time (geometric mean of four shapes, {low} to {high})"
        rows.append(
            Row(f"A GRU trains faster than an LSTM, {engine} on this CPU", "15 to 20 % less time", measured, within)
        )
    keep("training_time", "Training time", rows, details)


def mixed_precision() -> None:
    """What a step keeps for its backward pass, and how long it takes, in 32 bits and in bfloat16 (autocast, CPU)."""
    details = ["precision  cell    kept MB  step ms"]
    saved, times = [], []
    for cell in ("gru", "lstm"):
        x = torch.randn(32, 200, 64)
        net = _ours(cell, 64, 128)
        kept = [_kept(net, x, half) for half in (False, True)]
        taken = interleaved([_step(net, x, half=half) for half in (False, True)], seconds=4)
        saved.append(kept[1] / kept[0])
        times.append(taken[1] / taken[0])
        for name, bytes_, seconds in zip(("32", "bf16"), kept, taken, strict=True):
            details.append(f"{name:9}  {cell:6}{bytes_ / 1e6:9.2f}{1e3 * seconds:9.2f}")
    memory, time = geometric_mean(saved), geometric_mean(times)
    rows = [
        Row("Mixed precision halves the memory of activations", "about half",
            f"{memory:.2f} of what 32 bits keep (bfloat16, CPU, T = 200, 128 units; no GPU was at hand)",
            "holds" if memory <= 0.6 else "holds in part" if memory <= 0.9 else "does not hold"),
        Row("Mixed precision trains faster", "up to twice (on a GPU)",
            f"{time:.2f} of the time of 32 bits on this CPU; on a GPU it was not measured",
            "holds" if time <= 0.9 else "does not hold"),
    ]  # fmt: skip
    keep("mixed_precision", "Mixed precision", rows, details)


def _change(ratio: float) -> str:
    return f"{abs(1 - ratio):.0%} {'less' if ratio < 1 else 'more'}"


def _layer(cell: str, inputs: int, units: int) -> int:
    net = Net([{cell: {"size": units}}], Inputs(numbers=inputs), Outputs())
    return sum(weight.numel() for name, weight in net.named_parameters() if "_hh_" in name or "_ih_" in name)


def _ours(cell: str, inputs: int, units: int) -> nn.Module:
    return Net([{cell: {"size": units}}], Inputs(numbers=inputs), Outputs())


class _Theirs(nn.Module):
    """torch's own layer and a head on its last step."""

    def __init__(self, cell: str, inputs: int, units: int) -> None:
        super().__init__()
        self.recurrent = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](inputs, units, batch_first=True)
        self.head = nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.head(self.recurrent(x)[0][:, -1])
        return answer


def _theirs(cell: str, inputs: int, units: int) -> nn.Module:
    return _Theirs(cell, inputs, units)


def _step(net: nn.Module, x: Tensor, *, half: bool = False) -> Callable[[], object]:
    def step() -> None:
        net.zero_grad()
        torch.autograd.backward(_loss(net, x, half))

    return step


def _loss(net: nn.Module, x: Tensor, half: bool) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        answer: Tensor = net(x)
    return answer.float().square().mean()


def _kept(net: nn.Module, x: Tensor, half: bool) -> int:
    """Bytes of the distinct tensors that a forward pass keeps for the backward pass, without weights and inputs."""
    own = {weight.untyped_storage().data_ptr() for weight in net.parameters()} | {x.untyped_storage().data_ptr()}
    sizes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = _loss(net, x, half)
        total = sum(sizes.values())
    torch.autograd.backward(loss)
    return total


def experiments() -> Iterator[tuple[str, Callable[[], None]]]:
    yield from (("parameters", parameters), ("training_time", training_time), ("mixed_precision", mixed_precision))
