"""Recurrent layers of any registered cell.

Letters: B batch, T time, D inputs, H hidden.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import Field, create_model

from unrolled.cells import Cell, Initial, cell
from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size, need_sequence
from unrolled.nets.recurrent import Recurrent
from unrolled.program import equations
from unrolled.program.ops.types import Merge

READS_BACKWARDS = Note(
    code="reads_backwards",
    en="a bidirectional layer reads the sequence from its end",
    zh="双向层会从序列末尾开始读取",
)


class RecurrentSpec(LayerSpec):
    """``layers`` recurrent layers of ``size`` units; ``dropout`` acts between them.

    ``merge`` says what becomes of the two directions of the last layer; ``initial`` how weights start;
    ``orthogonal`` that recurrent weights are and stay rotations.
    """

    size: Size = 64
    layers: Annotated[int, Field(ge=1, le=64)] = 1
    bidirectional: bool = False
    merge: Merge = "concat"
    dropout: Rate = 0.0
    bias: bool = True
    initial: Initial = Initial()
    orthogonal: bool = False

    def build(self, shape: Shape) -> Layer:
        return Stack(self, shape)

    def cell_options(self) -> dict[str, Any]:
        """The options of the cell itself, such as ``projection``."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in RecurrentSpec.model_fields}

    def __reduce__(self) -> tuple[Any, ...]:
        """The class is made at run time, so pickles name the cell instead."""
        return _restored, (self.name, self.model_dump())


def _restored(name: str, options: dict[str, Any]) -> RecurrentSpec:
    return recurrent_spec(name).model_validate(options)


@cache
def _spec(name: str, kind: type[Cell]) -> type[RecurrentSpec]:
    types = get_type_hints(kind)
    options: dict[str, Any] = {
        field.name: (
            Size if types[field.name] is int else types[field.name],
            ... if field.default is MISSING else field.default,
        )
        for field in fields(kind)
    }
    model: type[RecurrentSpec] = create_model(kind.__name__ + "Spec", __base__=RecurrentSpec, **options)
    model.name = name
    return model


def recurrent_spec(name: str) -> type[RecurrentSpec]:
    """The options of a layer of this cell: those of all recurrent layers, and the cell's own."""
    kind: Any = equations.CELLS[name]
    return _spec(name, kind)


class Stack(Layer):
    """``(B, T, D)`` to ``(B, T, H)``, or ``(B, T, 2 H)`` where two directions are joined."""

    def __init__(self, spec: RecurrentSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, spec.name)
        if spec.dropout and spec.layers == 1:
            raise ConfigError(
                "its dropout acts between recurrent layers, and there is only one",
                mend="use layers: 2, or a dropout layer after it",
            )
        self.merge = spec.merge if spec.bidirectional else "concat"
        self.rnn = Recurrent(
            cell(spec.name, **spec.cell_options()),
            shape.size,
            spec.size,
            spec.layers,
            bidirectional=spec.bidirectional,
            dropout=spec.dropout,
            bias=spec.bias,
            initial=spec.initial,
            orthogonal=spec.orthogonal,
        )
        self.width = self.rnn.output_size // self.rnn.directions
        joined = spec.bidirectional and self.merge == "concat"
        fed_back = self.rnn.cell.state_sizes(spec.size)[0] == spec.size
        state = spec.size if fed_back and not spec.bidirectional else 0
        self.shape = replace(
            shape,
            size=self.rnn.output_size if joined else self.width,
            targets=0,
            cell=self.rnn.cell,
            state=state,
            reads=shape.size if state and spec.layers == 1 else 0,
            backward=self.width if joined else 0,
            added=spec.bidirectional and not joined,
        )

    def forward(self, flow: Flow) -> Flow:
        y, state, finals = ops.recurrent(self.rnn, flow.x, flow.lengths)
        if self.merge != "concat":
            forward = ops.slice_axis(y, axis=-1, start=0, stop=self.width)
            backward = ops.slice_axis(y, axis=-1, start=self.width, stop=2 * self.width)
            y = ops.merge(forward, backward, kind=self.merge)
        return replace(flow, x=y, state=state, encoder=self.rnn, cells=(*flow.cells, *(finals[1:2] or finals)))

    def obstacle(self) -> Note | None:
        return None if self.rnn.causal else READS_BACKWARDS
