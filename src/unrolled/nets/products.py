"""How many multiplications the recurrent layers of a net need, where what stands still or is zero needs none.

Letters: B batch, T time, D columns, H hidden, G gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unrolled import engine
from unrolled.cells import GRUDelta
from unrolled.nets import ops
from unrolled.nets.ops.time import mask
from unrolled.nets.recurrent import Recurrent


@dataclass(frozen=True)
class Multiplications:
    """Multiplications with weights of recurrent layers: ``dense`` as they are usually done, and those ``needed``."""

    dense: int
    needed: int

    @property
    def saved(self) -> float:
        """The share that is not needed."""
        return 1 - self.needed / self.dense if self.dense else 0.0


def multiplications(
    net: nn.Module, x: Tensor, lengths: Tensor | None = None, **others: Tensor | None
) -> Multiplications:
    """Count them for a batch ``(B, T, D)``, all true steps of all sequences together.

    A column of an input needs no product at a step where it is zero or, if a layer keeps its products of the step
    before, where it is what it was then; of these two the better is taken, layer by layer. The columns of the state
    are all needed, except in ``gru_delta``: only those that were told anew. What is counted is what a device that uses
    this would compute, as a lazy stream does (``runtime.lazy``); the kernels compute everything.

    Args:
        net: with recurrent layers.
        x, lengths, others: arguments of ``net``.
    """
    found: list[Multiplications] = []

    def count(rnn: Any, given: tuple[Any, ...], options: dict[str, Any], _: Any) -> None:
        found.extend(_layers(rnn, given[0], given[1] if len(given) > 1 else None, options["lengths"]))

    hooks = [
        part.register_forward_hook(count, with_kwargs=True) for part in net.modules() if isinstance(part, Recurrent)
    ]
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(x, lengths, **others)
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    return Multiplications(sum(each.dense for each in found), sum(each.needed for each in found))


def _layers(rnn: Recurrent, x: Tensor, hx: Any, lengths: Tensor | None) -> list[Multiplications]:
    """Of each layer and direction; what is called with a state of its own counts as dense."""
    found, weights = [], iter(rnn.weights())
    for _layer in range(rnn.layers):
        outputs = []
        for direction in range(rnn.directions):
            own, tensors = ops.reverse(x, lengths) if direction else x, next(weights)
            y, _ = engine.run(rnn.cell, own, tensors, lengths=lengths)
            found.append(_one(rnn, own, y, tensors, lengths, dense=hx is not None))
            outputs.append(ops.reverse(y, lengths) if direction else y)
        x = torch.cat(outputs, 2)
    return found


def _one(
    rnn: Recurrent, x: Tensor, y: Tensor, weights: dict[str, Tensor], lengths: Tensor | None, *, dense: bool
) -> Multiplications:
    steps = x.shape[0] * x.shape[1] if lengths is None else int(lengths.sum())
    products = {name: weight for name, weight in weights.items() if name.startswith("weight_")}
    every = steps * sum(weight.numel() for weight in products.values())
    if dense:
        return Multiplications(every, every)
    rows, columns = products["weight_ih"].shape
    inside = None if lengths is None else mask(lengths, x)[..., None]
    kept = min(_count(x != 0, inside), _count(_changed(x), inside))
    needed = every - rows * (steps * columns - kept)
    if isinstance(rnn.cell, GRUDelta):
        told = ops.delta(pad(y[:, :-1], (0, 0, 1, 0)), threshold=rnn.cell.threshold)[0]
        rows, columns = products["weight_hh"].shape
        needed -= rows * (steps * columns - _count(_changed(told), inside))
    return Multiplications(every, needed)


def _changed(v: Tensor) -> Tensor:
    """Where ``(B, T, D)`` is not what it was at the step before; before the first it was 0."""
    return v != pad(v[:, :-1], (0, 0, 1, 0))


def _count(which: Tensor, inside: Tensor | None) -> int:
    return int((which if inside is None else which & inside).sum())
