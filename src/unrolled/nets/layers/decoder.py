"""A recurrent decoder: the horizon step by step, each step fed with the one before.

Sutskever et al. 2014 (arXiv 1409.3215) without attention; Bahdanau et al. 2015 (arXiv 1409.0473, appendix A.1.2);
Luong et al. 2015 (arXiv 1508.04025, sections 3.1 "general" and 3.3 input feeding).

Letters: B batch, T time of the encoder, D its width, H decoder state, A attention units, O numbers a step, K static
inputs, F known inputs, S steps.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Attentive, Layer, LayerSpec, Rate, Size, need_sequence, need_state
from unrolled.nets.recurrent import Recurrent

_MOST_STEPS = 120
"""Each step is a dozen operations of the plan, which holds at most 2000."""


class DecoderSpec(LayerSpec):
    """Starts from the final state of the recurrent layer before it, with a cell of the same kind.

    ``attention``: "bahdanau" looks at the encoder's outputs before each step, "luong" after it; ``size`` is the width
    of both scores. ``feeding`` gives Luong's attentional vector to the next step.
    """

    name: ClassVar[str] = "decoder"
    part: ClassVar[Literal["head"]] = "head"

    attention: Literal["bahdanau", "luong"] | None = "bahdanau"
    size: Size = 64
    feeding: bool = True
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return Decoder(self, shape)


class Decoder(Attentive):
    """Outputs ``(B, T, D)`` and final state of the encoder to ``(B, S, M, V)``.

    A step reads what the step before answered, the context where the kind of attention gives one, the static inputs and
    the known covariates of its time.
    """

    def __init__(self, spec: DecoderSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "decoder")
        cell, out = need_state(shape, "decoder"), shape.outputs
        if out.steps > _MOST_STEPS:
            raise ConfigError(
                f"decoder goes step by step, at most {_MOST_STEPS}, and the horizon is {out.steps}",
                mend="use segment_decoder for long horizons",
            )
        wide = out.targets * out.values
        self.spec, self.outputs = spec, out
        self.start = nn.Parameter(torch.zeros(1, wide))
        fed = {"bahdanau": shape.size, "luong": shape.state if spec.feeding else 0}.get(spec.attention or "", 0)
        self.fed = nn.Parameter(torch.zeros(1, fed)) if spec.attention == "luong" and fed else None
        self.rnn = Recurrent(cell, wide + fed + shape.static + shape.known, shape.state)
        self.score: _Additive | _General | None = None
        if spec.attention:
            self.score = _SCORES[spec.attention](shape.state, shape.size, spec.size)
        luong = spec.attention == "luong"
        self.combine = nn.Linear(shape.state + shape.size, shape.state, bias=False) if luong else None
        seen = shape.state + (shape.size if spec.attention == "bahdanau" else 0)
        self.linear = nn.Linear(seen, wide)
        self.known = shape.known
        self.shape = replace(shape, form="output", size=wide)

    def forward(self, flow: Flow) -> Flow:
        out = self.outputs
        answers, _ = self._answers(flow)
        y = ops.reshape(ops.merge(*answers, kind="concat"), shape=(out.steps, out.targets, out.values))
        return replace(flow, x=y, lengths=None)

    def attention(self, flow: Flow, steps: slice) -> Tensor:
        """Of the steps of the horizon on those of the encoder; as of ``Attentive``, with one head.

        Raises:
            ConfigError: it is a decoder without attention.
        """
        if self.score is None:
            raise ConfigError("it has no attention", where="decoder")
        return torch.stack(self._answers(flow)[1][steps], 1)[:, None]

    def _answers(self, flow: Flow) -> tuple[list[Tensor], list[Tensor]]:
        """What each step answers ``(B, O)``, and its weights ``(B, T)`` on what the encoder gave."""
        state = flow.state
        y = ops.tile(state[0], weight=self.start)
        fed = None if self.fed is None else ops.tile(state[0], weight=self.fed)
        keys = None if self.score is None else self.score.keys(flow.x)
        answers: list[Tensor] = []
        looks: list[Tensor] = []

        def look(h: Tensor) -> Tensor:
            assert self.score is not None and keys is not None
            context, weights = ops.attend(flow.x, self.score(h, keys), flow.lengths)
            looks.append(weights)
            return context

        for step in range(self.outputs.steps):
            context = look(state[0]) if self.spec.attention == "bahdanau" else None
            state = self._step([y, fed if context is None else context, flow.static, self._known(flow, step)], state)
            seen = ops.dropout(state[0], self.spec.dropout, self.training)
            if context is not None:
                seen = ops.merge(seen, context, kind="concat")
            if self.combine is not None:
                both = ops.merge(seen, look(state[0]), kind="concat")
                seen = ops.activation(ops.linear(both, weight=self.combine.weight), kind="tanh")
                fed = None if self.fed is None else seen
            y = ops.linear(seen, weight=self.linear.weight, bias=self.linear.bias)
            answers.append(y)
        return answers, looks

    def obstacle(self) -> Note | None:
        if self.spec.attention is None:
            return None
        return Note(
            code="decoder_attends",
            en="the decoder attends to every step of the sequence (attention: null would not)",
            zh="解码器会关注序列的全部时间步（attention: null 则不会）",
        )

    def _step(self, reads: list[Tensor | None], state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        x = ops.merge(*(part for part in reads if part is not None), kind="concat")
        return ops.recurrent(self.rnn, ops.reshape(x, shape=(1, self.rnn.input_size)), None, state)[1]

    def _known(self, flow: Flow, step: int) -> Tensor | None:
        if flow.known is None:
            return None
        return ops.reshape(ops.slice_axis(flow.known, axis=1, start=step, stop=step + 1), shape=(self.known,))


class _Additive(nn.Module):
    """``v . tanh(W h + U y_t)``."""

    def __init__(self, state: int, memory: int, size: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(state, size), nn.Linear(memory, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)
        self.size = size

    def keys(self, memory: Tensor) -> Tensor:
        return ops.linear(memory, weight=self.key.weight)

    def forward(self, h: Tensor, keys: Tensor) -> Tensor:
        query = ops.reshape(ops.linear(h, weight=self.query.weight, bias=self.query.bias), shape=(1, self.size))
        return ops.linear(ops.activation(ops.merge(keys, query, kind="sum"), kind="tanh"), weight=self.score.weight)


class _General(nn.Module):
    """``h . W y_t``, W of rank ``size``, divided by the root of it."""

    def __init__(self, state: int, memory: int, size: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(state, size, bias=False), nn.Linear(memory, size, bias=False)
        self.size = size
        self.register_buffer("ones", torch.full((1, size), 1 / math.sqrt(size)))

    def keys(self, memory: Tensor) -> Tensor:
        return ops.linear(memory, weight=self.key.weight)

    def forward(self, h: Tensor, keys: Tensor) -> Tensor:
        query = ops.reshape(ops.linear(h, weight=self.query.weight), shape=(1, self.size))
        return ops.linear(ops.multiply(keys, query), weight=self.get_buffer("ones"))


_SCORES: dict[str, type[_Additive | _General]] = {"bahdanau": _Additive, "luong": _General}
