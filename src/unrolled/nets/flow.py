"""What passes from layer to layer: the tensors of a batch, and what is known of them before any batch.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs, M targets, V values,
n answered steps, C candidates, E numbers of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from unrolled.nets.recurrent import Recurrent
from unrolled.program.equations import Equations
from unrolled.program.shapes import Inputs, Outputs


@dataclass(frozen=True)
class Flow:
    """A batch on its way through the layers.

    Attributes:
        x: ``(B, T, D)`` a sequence, ``(B, D)`` after pooling, ``(B, H, M, V)`` after the head (H is T
            where every step has its own answer). Values beyond a
            sequence's length are undefined.
        lengths: ``(B,)`` true lengths, or None when all are T.
        static: ``(B, K)``, categories already embedded, or None.
        known: ``(B, H, F)``, categories already embedded, or None.
        state: final state of the last recurrent layer, one ``(B, H)`` a part; empty where there is none.
        encoder: that layer, for a decoder that goes on with its weights.
        cells: final cell states (h where a cell has no other) of all recurrent layers, for a penalty in training.
        attention: ``(B, T)`` weights of the attention pooling, or None.
        depth: ``(B,)`` layers that were run for each sequence, or mean updates of a step, where that differs, or None.
        penalties: what layers add to the loss in training, scalars.
        others: in training, answers like ``x`` that are to be judged beside it.
        steps: ``(B, T)`` in training, the steps that are answered, each as a sample of its own after pooling; or None.
        only: ``(C,)`` in training, the values that are answered; or None for all.
        table: ``(V + 1, E)`` embeddings of the values to answer, where they are those of the first categorical input.
    """

    x: Tensor
    lengths: Tensor | None = None
    static: Tensor | None = None
    known: Tensor | None = None
    state: tuple[Tensor, ...] = ()
    encoder: Recurrent | None = None
    cells: tuple[Tensor, ...] = ()
    attention: Tensor | None = None
    depth: Tensor | None = None
    penalties: tuple[Tensor, ...] = ()
    others: tuple[Tensor, ...] = ()
    steps: Tensor | None = None
    only: Tensor | None = None
    table: Tensor | None = None

    def changed(self, x: Tensor) -> Flow:
        """With another ``x``, which the last recurrent layer did not make: no decoder can go on from its state."""
        return replace(self, x=x, state=(), encoder=None)


@dataclass(frozen=True)
class Shape:
    """The sizes of a :class:`Flow`, from which the next layer is built.

    Attributes:
        form: what ``x`` is.
        size: D.
        outputs: what the head must give.
        length: T where it is fixed.
        targets: leading columns of ``x`` that are the targets' own past; 0 once a layer has mixed columns.
        channels: targets that were folded into the batch.
        static: K.
        known: F.
        cell: of the last recurrent layer.
        state: H of its final state; 0 where a decoder cannot start from it (none, or two directions).
        reads: D of that layer; 0 where a decoder cannot go on with its weights (no state, or several layers).
        backward: trailing columns of ``x`` that ran from the end to the start.
        added: both directions are added in every column, so that no single step has seen the whole sequence.
        pace: steps of the input in one step of ``x``; where they differ, a number below 0 of whatever divided them.
        inputs: what the columns of ``x`` are, as long as no layer has changed them.
        table: E of the flow's ``table``; 0 where there is none.
        sides: the batch holds pairs, all first sides before all second ones.
    """

    form: Literal["sequence", "vector", "output"]
    size: int
    outputs: Outputs
    length: int | None = None
    targets: int = 0
    channels: int = 1
    static: int = 0
    known: int = 0
    cell: Equations | None = None
    state: int = 0
    reads: int = 0
    backward: int = 0
    added: bool = False
    pace: int = 1
    inputs: Inputs | None = None
    table: int = 0
    sides: bool = False

    @property
    def backwards(self) -> bool:
        """Some of it ran from the end to the start."""
        return self.added or self.backward > 0

    def mixed(self, size: int) -> Shape:
        """Of the :meth:`Flow.changed` after a layer that mixes the columns of each step to ``size`` new ones."""
        return replace(self, size=size, targets=0, state=0, reads=0, backward=0, added=self.backwards)

    def coarser(self, size: int, steps: int) -> Shape:
        """Of the :meth:`Flow.changed` after a layer that makes one step, of ``size`` columns, of every ``steps``."""
        length = None if self.length is None else -(-self.length // steps)
        return replace(self.mixed(size), length=length, added=False, pace=self.pace * steps)

    def uneven(self, size: int, column: int) -> Shape:
        """Of the :meth:`Flow.changed` after a layer that makes one step of as many steps as ``column`` says."""
        return replace(self.coarser(size, 1), length=None, pace=-abs(self.pace) * (column + 2))

    def __str__(self) -> str:
        if self.form == "output":
            steps = "T" if self.outputs.every else self.outputs.steps
            return f"(B, {steps}, {self.outputs.targets}, {self.outputs.values})"
        batch = "B" if self.channels == 1 else f"B*{self.channels}"
        return f"({batch}, {self.length or 'T'}, {self.size})" if self.form == "sequence" else f"({batch}, {self.size})"
