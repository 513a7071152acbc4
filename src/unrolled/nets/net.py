"""A net: its layers in order, from a batch to ``(B, steps, targets, values)``.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs, n answered steps, C candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.core.records import NetFacts, Note
from unrolled.nets.array import array_of
from unrolled.nets.body import Body, occupied, weight_count
from unrolled.nets.flow import Flow
from unrolled.nets.spec import NetSpec
from unrolled.nets.trace import Trace
from unrolled.program.plan import Plan
from unrolled.program.shapes import Inputs, Outputs
from unrolled.runtime.stream import Stream


class Net(Body):
    """The layers of a spec, with initial weights drawn from torch's generator (set it for the same net again).

    Args:
        spec: what ``NetSpec.parse`` reads.
        inputs: sizes of what goes in.
        outputs: sizes of what comes out.

    Raises:
        ConfigError: the spec is wrong, or does not fit the inputs and outputs.
    """

    def __init__(
        self, spec: NetSpec | Sequence[Any] | Mapping[str, Any] | str, inputs: Inputs, outputs: Outputs
    ) -> None:
        self.spec = NetSpec.parse(spec, every=outputs.every)
        super().__init__(self.spec.layers, inputs, outputs)
        self._cells: tuple[Tensor, ...] = ()
        self._others: tuple[Tensor, ...] = ()
        self._penalties: tuple[Tensor, ...] = ()

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        static: Tensor | None = None,
        known: Tensor | None = None,
        *,
        steps: Tensor | None = None,
        only: Tensor | None = None,
    ) -> Tensor:
        """Run the net.

        Args:
            x: ``(B, T, D)``.
            lengths: ``(B,)`` true lengths, or None when all are T.
            static: ``(B, K)``.
            known: ``(B, H, F)``.
            steps: ``(B, T)`` booleans with n true ones: what the net would answer at each of these, had the sequence
                ended there. All come from one pass, in a net that can run step by step.
            only: ``(C,)`` the values that are answered, for a loss that looks at a few of them.

        Returns:
            ``(B, steps, targets, values)``; ``(B, T, targets, values)``, undefined beyond a sequence's length, where
            each step has its own answer; ``(n, ...)`` with ``steps``, ``(..., C)`` with ``only``.

        Raises:
            ConfigError: an input is missing or has another number of columns, or ``steps`` are asked of a net that
                does not pool by the last step.
        """
        self._check(x=x, static=static, known=known)
        flow: Flow = self.layers(replace(self.arriving(x, lengths, static, known), steps=steps, only=only))
        if flow.steps is not None:
            raise ConfigError("it has no answer for every step", where="net", mend="end it with pool: {kind: last}")
        if flow.only is not None:  # the head did not see to it
            flow = replace(flow, x=flow.x[..., flow.only])
        self._cells, self._others, self._penalties = (
            (flow.cells, flow.others, flow.penalties) if self.training else ((), (), ())
        )
        return flow.x

    def attention(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        static: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor | None:
        """``(B, T)`` weights of the attention pooling for these inputs; None in a net without one."""
        return self._run(x, lengths, static, known).attention

    def depth(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        static: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor | None:
        """``(B,)`` layers that ``early_exit`` runs for each sequence outside training, or mean updates of ``ponder``.

        None in a net without either.
        """
        return self._run(x, lengths, static, known).depth

    def other_answers(self) -> tuple[Tensor, ...]:
        """Answers of the last forward in training that are to be judged beside it, those of exits before the last."""
        return self._others

    def own_penalty(self) -> Tensor | None:
        """What layers add to the loss of the last forward in training, such as the cost of pondering, or None."""
        return torch.stack(self._penalties).sum() if self._penalties else None

    def state_penalty(self) -> Tensor:
        """Mean square of the final cell states of the last forward in training; 0 in a net without any."""
        if not self._cells:
            return torch.zeros((), device=next(self.parameters()).device)
        return torch.stack([cells.square().mean() for cells in self._cells]).mean()

    def plan(self) -> Plan:
        """The net as a list of operations on its ``state_dict``, as it runs outside training."""
        trace = Trace(self)
        flow = self._flow(
            trace.symbol("x"),
            trace.symbol("lengths"),
            trace.symbol("static") if self.static.columns else None,
            trace.symbol("known") if self.known.columns else None,
        )
        return Plan(inputs=self.inputs, outputs=self.outputs, ops=tuple(trace.ops), result=trace.name(flow.x))

    def summary(self) -> NetFacts:
        """Layers with shapes and parameters."""
        return NetFacts(
            spec=self.spec.dump(), layers=self.described(), parameters=weight_count(self), bytes=occupied(self)
        )

    @property
    def pace(self) -> int:
        """Steps of the input in one step of the answer, where each step has its own: of T there are ceil(T / pace)."""
        return self.layers.shape.pace

    def streamable(self) -> tuple[Note, ...]:
        """What keeps the net from running step by step; empty when it can."""
        notes = []
        for index, layer in enumerate(self.layers.parts):
            note = layer.obstacle()
            if note is not None:
                place = f"net[{index}]"
                notes.append(note.model_copy(update={"en": f"{place}: {note.en}", "zh": f"{place}：{note.zh}"}))
        return tuple(notes)

    def stream(
        self, batch: int = 1, *, static: Tensor | None = None, known: Tensor | None = None, lazy: bool = False
    ) -> Stream:
        """An object that reads a sequence as it arrives, with a copy of the weights as they are now and its own state.

        After each step it gives what the net, outside training, gives for all steps so far; the answer at this step
        where each has its own.

        Args:
            batch: independent streams in one object.
            static: ``(B, K)``.
            known: ``(B, H, F)``.
            lazy: recurrent layers multiply only with what has changed since the step before; see
                ``runtime.chain.Chain``.

        Raises:
            ConfigError: a layer keeps the net from running step by step; it is named.
        """
        for note in self.streamable():
            raise ConfigError("it cannot run step by step", where=note.en, mend="build the net without this layer")
        weights = {name: array_of(tensor) for name, tensor in self.state_dict().items()}
        given = (None if value is None else array_of(value) for value in (static, known))
        return Stream(self.plan(), weights, batch, lazy=lazy, **dict(zip(("static", "known"), given, strict=True)))

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave out the states of the last forward, which belong to its gradient."""
        return {**self.__dict__, "_cells": (), "_others": (), "_penalties": ()}
