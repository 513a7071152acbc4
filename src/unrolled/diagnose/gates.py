"""What the gates of a cell do, and how long its state lasts, read from its traced equations.

Letters: B batch, T time, H hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import linear

from unrolled.core.diagnosis import Finding, Level
from unrolled.core.records import CurvePicture
from unrolled.diagnose.recording import Recorded
from unrolled.diagnose.wording import finding
from unrolled.program.bind import Step
from unrolled.program.interpret import evaluate, parameters, projected
from unrolled.program.trace import trace

_Array = npt.NDArray[Any]

_END = 0.1  # a sigmoid below it, or as far below 1, is saturated (Karpathy et al. 2015, arXiv 1506.02078)
_STUCK = 0.97  # share of values at one end
_CLOSED = 0.1  # share of the state that passes on
_BINS = 40


def activations(run: Recorded) -> dict[str, _Array]:
    """``(rows, H)`` values of every named sigmoid of the cell, over all true steps and samples."""
    cell, inside = run.request.cell, run.inside().numpy()
    weights = {name: weight.detach().numpy() for name, weight in run.request.weights.items()}
    x = run.inputs().numpy()[inside]
    program = trace(cell, len(weights["weight_ih"]) // len(cell.gates), bias="bias_ih" in weights)
    own = parameters(cell, weights)
    leaves = {("vector", name): own[name] for name in program.leaves("vector")}
    leaves |= projected(cell, x, weights)
    for at, part in enumerate(cell.state):
        before = torch.stack([state[at] for state in run.states[:-1]]).detach().numpy()
        leaves["state", part] = before[inside]
    values = evaluate(program, leaves, own)
    return {
        node.name: np.broadcast_to(value, (len(x), value.shape[-1]))
        for node, value in zip(program.nodes, values, strict=True)
        if node.op == "sigmoid" and node.name
    }


def kept(run: Recorded) -> Tensor:
    """``(rows, H)`` share of the part of the state that lasts longest that passes to the next step directly.

    It is the derivative of each unit to its own value one step earlier with recurrent products held still: f of an
    LSTM, z of a GRU, 0 of a plain RNN.
    """
    cell, request = run.request.cell, run.request
    at, inside = _lasting(run), run.inside()
    x = run.inputs()[inside]
    weights = {name: weight.detach() for name, weight in request.weights.items()}
    state = tuple(
        torch.stack([step[part] for step in run.states[:-1]]).detach()[inside].requires_grad_()
        for part in range(len(cell.state))
    )

    def held(v: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return linear(v.detach(), weight, bias)

    with torch.enable_grad():
        new = Step(cell, weights, held)(linear(x, weights["weight_ih"], weights.get("bias_ih")), state)[at]
        if not new.requires_grad:
            return torch.zeros_like(state[at])
        (found,) = torch.autograd.grad(new.sum(), state[at], allow_unused=True, materialize_grads=True)
    return found


def _lasting(run: Recorded) -> int:
    """Place of the part of the state that lasts longest; parts are h, c, and what normalises them, by convention."""
    return min(1, len(run.request.cell.state) - 1)


def gates(run: Recorded, before: Recorded | None = None) -> Iterator[Finding]:
    """Stuck gates, or that none is; and how long the state lasts, where the cell holds it directly."""
    found = activations(run)
    stuck = [_stuck(run.place, name, values) for name, values in found.items()]
    if found:
        wrong = [one for one in stuck if one is not None]
        pictures = [_histogram(found)]
        yield from wrong or [finding("gates_move", "fine", probe="gates", place=run.place, pictures=pictures)]
    share = kept(run).double()
    if float(share.abs().max()) > 0:
        yield _memory(run, share, None if before is None else float(kept(before).double().mean()))


def _stuck(place: str, name: str, values: _Array) -> Finding | None:
    for side, side_zh, at_end in (("closed", "关闭", values < _END), ("open", "打开", values > 1 - _END)):
        share = float(at_end.mean())
        if share >= _STUCK:
            figures = {"share": share, "mean": float(values.mean())}
            return finding(
                "gate_stuck",
                "watch",
                probe="gates",
                place=place,
                figures=figures,
                gate=name,
                side=side,
                side_zh=side_zh,
            )
    return None


def _memory(run: Recorded, share: Tensor, start: float | None) -> Finding:
    """Time constants: after ``-1 / mean(log kept)`` steps a unit has lost all but 1/e.

    A gate that was closed when training began is told even where training has opened it in part.
    """
    part = run.request.cell.state[_lasting(run)]
    mean = float(share.mean())
    rate = -share.abs().clamp(1e-12, 1 - 1e-9).log().mean(0)
    constants = (1 / rate).sort().values
    figures = {
        "kept": mean,
        "median": float(constants[len(constants) // 2]),
        "longest": float(constants[-1]),
    } | ({} if start is None else {"start": start})
    picture = CurvePicture(
        name="time_constants",
        x_label="unit",
        y_label="steps",
        x=tuple(map(float, range(1, len(constants) + 1))),
        lines={run.place: tuple(constants.tolist())},
    )
    code, level = _judged(mean, start)
    return finding(
        code,
        level,
        probe="memory",
        place=run.place,
        figures=figures,
        pictures=[picture],
        part=part,
    )


def _judged(mean: float, start: float | None) -> tuple[str, Level]:
    if mean < _CLOSED:
        return "forgets_at_once", "broken"
    return ("forgot_at_once", "watch") if start is not None and start < _CLOSED else ("memory_held", "fine")


def _histogram(found: dict[str, _Array]) -> CurvePicture:
    edges = np.linspace(0, 1, _BINS + 1)
    lines = {name: np.histogram(values, edges, density=True)[0] for name, values in found.items()}
    return CurvePicture(
        name="gate_values",
        x_label="value",
        y_label="density",
        x=tuple(((edges[1:] + edges[:-1]) / 2).tolist()),
        lines={name: tuple(line.tolist()) for name, line in lines.items()},
    )
