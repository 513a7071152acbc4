"""An LSTM with an external memory (Graves, Wayne & Danihelka 2014, neural Turing machine, arXiv 1410.5401).

Letters: B batch, T time, D inputs, H units, N slots, M width of a slot, R heads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Size, need_sequence
from unrolled.nets.recurrent import Recurrent
from unrolled.program.ops.memory import Heads, Reach, Slots, Width, heads_parts


class MemorySpec(LayerSpec):
    """``size`` units steer ``heads`` that write to ``slots`` of ``width`` numbers, and as many that read them.

    A head finds a slot by its content, or moves from where it was by at most ``reach`` slots. At first heads go by
    place; those that write tend to move on by one slot a step, those that read to stay. With ``sharp`` they do so
    firmly, each on one slot however long it waits, and little is erased.
    """

    name: ClassVar[str] = "memory"

    size: Size = 100
    slots: Slots = 64
    width: Width = 16
    heads: Heads = 1
    reach: Reach = 1
    sharp: bool = False

    def build(self, shape: Shape) -> Layer:
        return Memory(self, shape)


class Memory(Layer):
    """``(B, T, D)`` to ``(B, T, H + R M)``: the units, and what the heads read."""

    def __init__(self, spec: MemorySpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "memory")
        self.spec, read = spec, spec.heads * spec.width
        self.rnn = Recurrent("lstm", shape.size + read, spec.size)
        self.heads = nn.Linear(spec.size, sum(heads_parts(spec.width, spec.heads, spec.reach)))
        _begin(self.heads.bias, spec)
        mixed = shape.added or bool(shape.backward)
        self.shape = replace(shape, size=spec.size + read, targets=0, backward=0, added=mixed, state=0, reads=0)

    def forward(self, flow: Flow) -> Flow:
        spec, (controller,) = self.spec, self.rnn.weights()
        x, *_ = ops.memory(
            flow.x,
            slots=spec.slots,
            width=spec.width,
            heads=spec.heads,
            reach=spec.reach,
            **controller,
            weight_heads=self.heads.weight,
            bias_heads=self.heads.bias,
        )
        return replace(flow, x=x, state=(), encoder=None)


@torch.no_grad()
def _begin(bias: Tensor, spec: MemorySpec) -> None:
    """As a tape: without this the heads blur over all slots before they have learned anything."""
    steered, erase, _ = bias.split_with_sizes(heads_parts(spec.width, spec.heads, spec.reach))
    reading, writing = steered.view(2, spec.heads, -1)
    gate, sharpness, stay = spec.width + 1, spec.width + 2, spec.width + 3 + spec.reach
    firmly = 2 if spec.sharp else 1
    reading[:, stay] += firmly
    writing[:, stay + min(spec.reach, 1)] += firmly
    for heads in (reading, writing):
        heads[:, gate] = -3
        if spec.sharp:
            heads[:, sharpness] += 2
    if spec.sharp:
        erase -= 2
