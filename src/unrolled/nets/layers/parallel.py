"""Several ways from one input, joined: two streams, LSTM-FCN and its kin.

LSTM-FCN (Karim et al. 2018, arXiv 1709.05206); gated fusion (Arevalo et al. 2017, arXiv 1702.01992).

Letters: B batch, T time, D inputs, N width of a branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainSerializer
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, dump, need_sequence


def _dumped(branches: tuple[tuple[LayerSpec, ...], ...]) -> list[Any]:
    return [dump(layers) for layers in branches]


Branches = Annotated[tuple[tuple[LayerSpec, ...], ...], Field(min_length=2, max_length=16), PlainSerializer(_dumped)]
Columns = tuple[Annotated[int, Field(ge=0, le=16383)], ...]


class ParallelSpec(LayerSpec):
    """Each of the ``branches``, a list of layers, reads the same steps, or its own ``columns`` of them.

    ``merge``: "concat" joins; "sum" adds; "gated" adds each branch times a gate that sees all of them; "attention"
    weighs the branches by a learned score. Branches of unequal width go through a linear map before all but "concat".
    All branches end in one vector a sequence, or all keep the same steps.
    """

    name: ClassVar[str] = "parallel"
    inner: ClassVar[tuple[str, ...]] = ("branches",)

    branches: Branches
    columns: tuple[Columns, ...] | None = None
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
        self.columns = _columns(spec, shape.size)
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
        self.shape = replace(
            ends[0],
            size=self.fuse.size,
            state=0,
            reads=0,
            backward=0,
            added=any(end.added or end.backward for end in ends),
        )

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The branches, in order."""
        return tuple(branch for branch in self.branches if isinstance(branch, Chain))

    def forward(self, flow: Flow) -> Flow:
        results = []
        cells = flow.cells
        for chain, columns in zip(self.chains, self.columns, strict=True):
            x = ops.columns(flow.x, index=columns) if columns else flow.x
            result: Flow = chain(replace(flow, x=x, cells=()))
            results.append(result)
            cells = (*cells, *result.cells)
        attention = next((result.attention for result in results if result.attention is not None), None)
        x = self.fuse([result.x for result in results])
        return replace(results[0], x=x, state=(), encoder=None, cells=cells, attention=attention)

    def obstacle(self) -> Note | None:
        return next((note for chain in self.chains if (note := chain.obstacle()) is not None), None)


class Fusion(nn.Module):
    """Several ``(..., N)`` as one; ``size`` is the width of it."""

    def __init__(self, kind: str, sizes: Sequence[int]) -> None:
        super().__init__()
        self.kind = kind
        self.size = sum(sizes) if kind == "concat" else sizes[0]
        equal = kind == "concat" or len(set(sizes)) == 1
        self.project = nn.ModuleList() if equal else nn.ModuleList(nn.Linear(size, self.size) for size in sizes)
        self.gates = nn.ModuleList()
        if kind == "gated":
            self.gates.extend(nn.Linear(len(sizes) * self.size, self.size) for _ in sizes)
        self.hidden = nn.Linear(self.size, self.size) if kind == "attention" else None
        self.score = nn.Linear(self.size, 1, bias=False) if kind == "attention" else None

    def forward(self, xs: list[Tensor]) -> Tensor:
        xs = [_through(linear, x) for linear, x in zip(self.project, xs, strict=True)] if self.project else xs
        if self.kind == "gated":
            together = ops.merge(*xs, kind="concat")
            gates = [ops.activation(_through(gate, together), kind="sigmoid") for gate in self.gates]
            return ops.merge(*(ops.multiply(x, gate) for x, gate in zip(xs, gates, strict=True)), kind="sum")
        if self.hidden is not None and self.score is not None:
            scores = [_through(self.score, ops.activation(_through(self.hidden, x), kind="tanh")) for x in xs]
            return ops.mix(ops.merge(*scores, kind="concat"), *xs)
        return ops.merge(*xs, kind="concat" if self.kind == "concat" else "sum")


def _through(linear: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(linear, nn.Linear)
    return ops.linear(x, weight=linear.weight, bias=linear.bias)


def _columns(spec: ParallelSpec, size: int) -> tuple[Columns, ...]:
    """For each branch the columns that it reads; none for all."""
    if spec.columns is None:
        return ((),) * len(spec.branches)
    if len(spec.columns) != len(spec.branches):
        raise ConfigError(f"there are {len(spec.branches)} branches and columns for {len(spec.columns)}")
    highest = max((column for columns in spec.columns for column in columns), default=0)
    if highest >= size:
        raise ConfigError(f"a branch reads column {highest}, and there are {size}", mend="columns count from 0")
    return spec.columns
