"""A net run with every state of its recurrent layers kept, and the gradient of the loss to each.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from unrolled.data import Batch
from unrolled.engine import Request, State
from unrolled.nets import Recurrent
from unrolled.program.bind import Step

Loss = Callable[[Tensor, Batch], Tensor]
"""``(output, batch) -> scalar``."""


@dataclass(frozen=True)
class Recorded:
    """One recurrent layer in one direction, as it ran over one batch.

    Attributes:
        place: its name in the net.
        request: what it was given.
        states: the state before the first step and after each, in order of running.
        gradients: of the loss to each of ``states[1:]``, one ``(B, H)`` a part; empty before the way back.
    """

    place: str
    request: Request
    states: tuple[State, ...]
    gradients: tuple[State, ...] = ()

    @property
    def steps(self) -> int:
        """T."""
        return len(self.states) - 1

    def inputs(self) -> Tensor:
        """``(T, B, D)`` x in order of running."""
        x = self.request.x.detach().swapaxes(0, 1)
        return x.flip(0) if self.request.reverse else x

    def inside(self) -> Tensor:
        """``(T, B)``, true where a step in order of running is a true one."""
        request = self.request
        if request.lengths is None:
            return torch.ones(self.steps, len(request.x), dtype=torch.bool)
        inside = request.inside(request.lengths).T
        return inside.flip(0) if request.reverse else inside

    def lags(self) -> Tensor:
        """``(T, B)`` steps from each step to the last true one, in order of running."""
        steps = torch.arange(self.steps)[:, None]
        if self.request.reverse or self.request.lengths is None:
            return (self.steps - 1 - steps).expand(-1, len(self.request.x))
        return self.request.lengths[None] - 1 - steps


class _Tape:
    """A backend like the reference, which keeps every state as a node of the graph."""

    name = "tape"

    def __init__(self) -> None:
        self.runs: list[tuple[Request, list[State]]] = []

    def refusal(self, request: Request) -> str | None:
        return None

    def run(self, request: Request) -> tuple[Tensor, State]:
        step = Step(request.cell, request.weights, linear)
        inside = None if request.lengths is None else request.inside(request.lengths)[..., None]
        x = request.x if inside is None else torch.where(inside, request.x, 0)
        projected = linear(x, request.weights["weight_ih"], request.weights.get("bias_ih")).unbind(1)
        states, outputs = [request.state], []
        for t in range(len(projected))[:: -1 if request.reverse else 1]:
            new = step(projected[t], states[-1])
            if inside is not None:
                alive = inside[:, t]
                new = tuple(torch.where(alive, n, old) for n, old in zip(new, states[-1], strict=True))
            states.append(new)
            outputs.append(new[0] if inside is None else torch.where(inside[:, t], new[0], 0))
        self.runs.append((request, states))
        return torch.stack(outputs[::-1] if request.reverse else outputs, 1), states[-1]


def observe(net: nn.Module, batch: Batch, loss: Loss) -> tuple[Recorded, ...]:
    """Run a net outside training, and the loss back through it.

    A layer that is used again (by a decoder that shares it) is recorded where it first ran.

    Args:
        net: anything with :class:`unrolled.nets.Recurrent` layers inside.
        batch: moderate in size: B x T states of every layer are kept.
        loss: of the task.

    Returns:
        Layers and directions in the order in which they ran; none where the net has no recurrent layer.
    """
    with _taped(net) as tapes, torch.enable_grad():
        value = loss(net(**batch.inputs()), batch)
        runs = [
            Recorded(place, request, tuple(states))
            for place, layer, tape in tapes
            for place, (request, states) in zip(_places(place, layer), tape.runs, strict=False)
        ]
        wanted = [part for run in runs for state in run.states[1:] for part in state]
        found = iter(torch.autograd.grad(value, wanted, allow_unused=True, materialize_grads=True) if wanted else ())
    return tuple(replace(run, gradients=tuple(_like(state, found) for state in run.states[1:])) for run in runs)


def place_of(name: str) -> str:
    """What a module of a net is called in findings."""
    return name.removesuffix(".rnn").replace("layers.", "net ")


def _like(state: State, found: Iterator[Tensor]) -> State:
    return tuple(next(found) for _ in state)


def _places(name: str, layer: Recurrent) -> list[str]:
    ends = ["", " backward"][: layer.directions]
    several = layer.layers > 1
    return [f"{name}{f'[{at}]' if several else ''}{end}" for at in range(layer.layers) for end in ends]


@contextmanager
def _taped(net: nn.Module) -> Iterator[list[tuple[str, Recurrent, _Tape]]]:
    """The recurrent layers of a net, each on a tape of its own; the net is put back as it was."""
    layers = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, Recurrent)]
    before, training = [layer.backend for _, layer in layers], net.training
    tapes = [(place_of(name), layer, _Tape()) for name, layer in layers]
    try:
        for _, layer, tape in tapes:
            layer.backend = tape
        net.eval()
        yield tapes
    finally:
        net.train(training)
        for (_, layer), backend in zip(layers, before, strict=True):
            layer.backend = backend
