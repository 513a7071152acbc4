"""Several ways from one input, joined: two streams, LSTM-FCN and its kin.

LSTM-FCN (Karim et al. 2018, arXiv 1709.05206).

Letters: B batch, T time, D inputs, N width of a branch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainSerializer
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.core.validation import nearest
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, dump, need_sequence
from unrolled.nets.layers.columns import standing
from unrolled.nets.layers.fusion import Fusion


def _dumped(branches: tuple[tuple[LayerSpec, ...], ...]) -> list[Any]:
    return [dump(layers) for layers in branches]


Branches = Annotated[tuple[tuple[LayerSpec, ...], ...], Field(min_length=2, max_length=16), PlainSerializer(_dumped)]
Place = Annotated[int, Field(ge=0, le=16383)]
Columns = tuple[Place, ...]
Chosen = tuple[Annotated[str, Field(min_length=1)] | Place, ...]


class ParallelSpec(LayerSpec):
    """Each of the ``branches``, a list of layers, reads the same steps, or its own ``columns`` of them.

    Columns are names of the data, as long as no layer before has mixed them, or places, which count from 0. A name
    stands for all that is made of it: the embedding of a category, the mark of a missing number.

    ``merge``: "concat" joins; "sum" adds; "gated" adds each branch times a gate that sees all of them; "attention"
    weighs the branches by a learned score. Branches of unequal width go through a linear map before all but "concat".
    All branches end in one vector a sequence, or all keep the same steps.
    """

    name: ClassVar[str] = "parallel"
    inner: ClassVar[tuple[str, ...]] = ("branches",)

    branches: Branches
    columns: tuple[Chosen, ...] | None = None
    merge: Literal["concat", "sum", "gated", "attention"] = "concat"

    def build(self, shape: Shape) -> Layer:
        return Parallel(self, shape)

    def pools(self) -> bool:
        return all(any(layer.pools() for layer in branch) for branch in self.branches)


class Parallel(Layer):
    """``(B, T, D)`` to ``(B, T, N)``, or ``(B, N)`` where the branches pool."""

    def __init__(self, spec: ParallelSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "parallel")
        self.columns = _columns(spec, shape)
        plain = replace(shape, targets=0, inputs=shape.inputs if spec.columns is None else None)
        self.branches = nn.ModuleList(
            Chain(branch, replace(plain, size=len(columns) or shape.size), f"branches[{index}]")
            for index, (branch, columns) in enumerate(zip(spec.branches, self.columns, strict=True))
        )
        ends = [branch.shape for branch in self.chains]
        if len({(end.form, end.form == "sequence" and end.pace) for end in ends}) > 1:
            raise ConfigError(
                f"its branches leave different things: {', '.join(map(str, ends))}",
                mend="end all of them in a pool layer, or let all of them keep the same steps",
            )
        self.fuse = Fusion(spec.merge, [end.size for end in ends])
        backwards = any(end.backwards for end in ends)
        self.shape = replace(ends[0].mixed(self.fuse.size), added=backwards)

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The branches, in order."""
        return tuple(branch for branch in self.branches if isinstance(branch, Chain))

    def forward(self, flow: Flow) -> Flow:
        results = []
        cells, penalties = flow.cells, flow.penalties
        for chain, columns in zip(self.chains, self.columns, strict=True):
            x = ops.columns(flow.x, index=columns) if columns else flow.x
            result: Flow = chain(replace(flow, x=x, cells=(), penalties=()))
            results.append(result)
            cells, penalties = (*cells, *result.cells), (*penalties, *result.penalties)
        attention = next((result.attention for result in results if result.attention is not None), None)
        x = self.fuse([result.x for result in results])
        return replace(results[0].changed(x), cells=cells, penalties=penalties, attention=attention)

    def obstacle(self) -> Note | None:
        return next((note for chain in self.chains if (note := chain.obstacle()) is not None), None)


def _columns(spec: ParallelSpec, shape: Shape) -> tuple[Columns, ...]:
    """For each branch the places that it reads; none for all."""
    if spec.columns is None:
        return ((),) * len(spec.branches)
    if len(spec.columns) != len(spec.branches):
        raise ConfigError(f"there are {len(spec.branches)} branches and columns for {len(spec.columns)}")
    return tuple(tuple(place for each in chosen for place in _places(each, shape)) for chosen in spec.columns)


def _places(chosen: str | int, shape: Shape) -> Columns:
    """Where a column of the data stands, and all that is made of it."""
    if isinstance(chosen, int):
        if chosen >= shape.size:
            raise ConfigError(f"a branch reads column {chosen}, and there are {shape.size}", mend="they count from 0")
        return (chosen,)
    if shape.inputs is None or not shape.inputs.names:
        raise ConfigError(
            f"a branch reads the column {chosen!r}, and the columns have no names here",
            mend="put parallel before the layers that mix columns, or give places, which count from 0",
        )
    found = standing(shape.inputs, chosen, shape.table)
    if not found:
        raise ConfigError(f"there is no column {chosen!r} to read", mend=nearest(chosen, sorted({*shape.inputs.names})))
    return found
