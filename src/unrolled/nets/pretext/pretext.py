"""The layers of a net below its pooling and head, asked a question that needs no label.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs, M numbers to find again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.core.records import NetFacts
from unrolled.nets.body import Body, occupied, weight_count
from unrolled.nets.flow import Flow
from unrolled.nets.layer import LayerSpec, Part
from unrolled.nets.ops.time import mask
from unrolled.nets.pretext.contrast import Contrast
from unrolled.nets.pretext.masked import Masked
from unrolled.nets.pretext.next_step import NextStep
from unrolled.nets.pretext.question import Material, Question
from unrolled.nets.spec import NetSpec
from unrolled.program.shapes import Inputs, Outputs

QUESTIONS: Mapping[str, type[Question]] = {"contrast": Contrast, "masked": Masked, "next": NextStep}
_PROBED = 4  # steps of the encoder on which it is seen whether later inputs reach back


class Pretext(Body):
    """An encoder and its question; the names of the encoder's weights are those in the whole net.

    Args:
        spec: of the whole net; its layers from the first pooling on, or the head, are left out.
        inputs: sizes of what goes in.
        kind: "contrast", "masked" or "next".
        options: of the question.

    Attributes:
        spec: the whole net.
        kind: of the question.
        question: what it is asked, with the weights that only the question needs.

    Raises:
        ConfigError: the spec is wrong, has no layer to pretrain, or looks ahead where the question forbids it.
    """

    def __init__(
        self, spec: NetSpec | Sequence[Any] | str, inputs: Inputs, kind: str, options: Mapping[str, Any]
    ) -> None:
        self.spec = NetSpec.parse(spec)
        super().__init__(_encoder(self.spec.layers), inputs, Outputs())
        shape = self.layers.shape
        self._columns = inputs.numbers - len(inputs.masked) - inputs.time_delta
        if not self._columns:
            raise ConfigError("there is no numeric input whose course could be learnt", where="task pretrain")
        self.kind = kind
        self.question = QUESTIONS[kind](shape, self._columns, **options)
        if self.question.causal and self._looks_ahead():
            note = self.layers.obstacle()
            raise ConfigError(
                f"an encoder that looks ahead sees the steps that it is to foretell{f': {note.en}' if note else ''}",
                where=f"task.kind={kind}",
                mend="use layers that look back only, or another task.kind: masked, contrast",
            )

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        static: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor:
        """Ask about a batch: arguments as of ``Net``.

        Returns:
            ``(B, 3)``: loss of each sequence, that of the simple method, number of terms. Outside training the same
            batch is asked the same question.
        """
        self._check(x=x, static=static, known=known)
        x, lengths = self._whole_steps(x, lengths)
        arriving = self.arriving(x, lengths, static, known)
        with _repeatable(not self.training):
            scores: Tensor = self.question(
                lambda other: self.layers(replace(arriving, x=other)), self._material(x, arriving)
            )
        return scores

    def train(self, mode: bool = True) -> Pretext:
        """As of every module; what moves values to other steps stays off, so that they can be found again."""
        super().train(mode)
        for part in self.layers.modules():
            if isinstance(part, Part) and part.bends:
                part.eval()
        return self

    def encoder_state(self) -> dict[str, Tensor]:
        """The weights that a net takes over, by name."""
        return {name: value for name, value in self.state_dict().items() if not name.startswith("question.")}

    def summary(self) -> NetFacts:
        """Layers with shapes and parameters, the question last."""
        asked = (self.kind, "", weight_count(self.question))
        return NetFacts(
            spec=self.spec.dump(),
            layers=(*self.described(), asked),
            parameters=weight_count(self),
            bytes=occupied(self),
        )

    def _whole_steps(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Without the last inputs that do not fill a step of the encoder; a shorter sequence stays as it is."""
        pace = self.layers.shape.pace
        if pace == 1 or x.shape[1] <= pace:
            return x, lengths
        whole = None if lengths is None else torch.where(lengths < pace, lengths, lengths // pace * pace)
        return x[:, : x.shape[1] // pace * pace], whole

    def _material(self, x: Tensor, arriving: Flow) -> Material:
        inside = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        if arriving.lengths is not None:
            inside = mask(arriving.lengths, x)
        known = inside[..., None].repeat(1, 1, self._columns)
        marks = x[..., self.inputs.numbers - len(self.inputs.masked) : self.inputs.numbers]
        known[..., list(self.inputs.masked)] &= marks == 0
        return Material(arriving.x, x[..., : self._columns], known, inside)

    def _looks_ahead(self) -> bool:
        """Whether a later input changes what an earlier step gives, by the gradient."""
        pace = self.layers.shape.pace
        steps = -(-(self.inputs.length or _PROBED * pace) // pace)
        x = torch.randn(1, steps * pace, self.x.size, requires_grad=True)
        self.eval()
        given = self.layers(Flow(x=x, lengths=None, static=None, known=None)).x[0, (steps - 1) // 2]
        (slope,) = torch.autograd.grad((given * torch.randn_like(given)).sum(), x)
        self.train()
        return bool(slope[:, ((steps - 1) // 2 + 1) * pace :].any())


def _encoder(layers: Sequence[LayerSpec]) -> Sequence[LayerSpec]:
    """Those below the first pooling or the head."""
    depth = next(at for at, layer in enumerate(layers) if layer.pools() or layer.part == "head")
    if not depth:
        raise ConfigError(
            "there is no layer below the pooling and the head that could be pretrained",
            where="net",
            mend="give the net recurrent or convolutional layers",
        )
    return layers[:depth]


@contextmanager
def _repeatable(wanted: bool) -> Iterator[None]:
    """Inside the block the random numbers are always the same, and those after it are not touched."""
    if not wanted:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
