"""What every layer is: options as data, a module built from them, and what it does to the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainSerializer
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note, Record
from unrolled.nets.flow import Flow, Shape
from unrolled.program.equations import Equations

Size = Annotated[int, Field(ge=1, le=16384)]
Rate = Annotated[float, Field(ge=0.0, lt=1.0)]


class LayerSpec(Record):
    """The options of one kind of layer, under its name in a net spec."""

    name: ClassVar[str]
    part: ClassVar[Literal["body", "pool", "head"]] = "body"
    inner: ClassVar[tuple[str, ...]] = ()
    """Options that hold layers themselves."""
    each_step: ClassVar[bool] = False
    """Whether, as a head, it can answer at each step."""
    keeps: ClassVar[bool] = False
    """Whether every column of ``x`` still means what it did."""

    def build(self, shape: Shape) -> Part:
        """The layer for what arrives there, with its initial weights.

        Raises:
            ConfigError: the layer cannot stand at this place.
        """
        raise NotImplementedError

    def embeds(self) -> int | None:
        """Numbers that are to stand for each value of the first category; None leaves it to the rule."""
        return None

    def pools(self) -> bool:
        """Whether one vector a sequence leaves it."""
        return self.part == "pool"

    def __str__(self) -> str:
        given = self.model_dump(exclude_defaults=True)
        return self.name + (f"({', '.join(f'{key}={value}' for key, value in given.items())})" if given else "")


def dump(layers: tuple[LayerSpec, ...]) -> list[dict[str, dict[str, Any]]]:
    """Layers as a net spec writes them, with every option."""
    return [{layer.name: layer.model_dump(mode="json")} for layer in layers]


Layers = Annotated[tuple[LayerSpec, ...], Field(min_length=1, max_length=200), PlainSerializer(dump)]
"""The layers that a layer holds."""


class Part(nn.Module):
    """What a spec builds; ``shape`` says what leaves it (of a bracket: what the layers inside it get)."""

    shape: Shape
    bends: ClassVar[bool] = False
    """Whether in training it moves values to other steps."""

    def obstacle(self) -> Note | None:
        """Why a net with this layer cannot run step by step, or None."""
        return None


class Layer(Part):
    """A module from flow to flow."""

    def forward(self, flow: Flow) -> Flow:
        raise NotImplementedError


class Attentive(Layer):
    """A layer whose steps look at steps, with weights that can be seen."""

    def attention(self, flow: Flow, steps: slice) -> Tensor:
        """Weights of some of the steps that look, for what arrives there.

        Args:
            flow: as ``forward`` takes it.
            steps: Q of those that look.

        Returns:
            ``(B, N, Q, T)`` for N heads, on each of T steps; undefined beyond a sequence's length.
        """
        raise NotImplementedError


class Bracket(Part):
    """A layer around all that follow: it opens before them and closes, on the output, after them."""

    def forward(self, flow: Flow, inner: Callable[[Flow], Flow]) -> Flow:
        raise NotImplementedError


def keep_steps(inside: Shape, outside: Shape, what: str) -> None:
    """Refuse inner layers after which steps no longer stand for the same time."""
    if inside.form != "sequence" or inside.pace != outside.pace:
        raise ConfigError(
            f"{what} adds what its layers give to other steps, so they must keep every step",
            mend="leave pooling, strides and patches out of it",
        )


def need_state(shape: Shape, what: str) -> Equations:
    """The cell of the layer from whose final state a decoder starts; refuse where there is none."""
    if not shape.state or shape.cell is None:
        raise ConfigError(
            f"{what} starts from the state of a recurrent layer that runs forward, and there is none",
            mend="put a recurrent layer without bidirectional before it, with the state as wide as the output",
        )
    return shape.cell


def need_sequence(shape: Shape, what: str) -> None:
    """Refuse a layer over time where time has been pooled away."""
    if shape.form != "sequence":
        raise ConfigError(f"{what} works on steps, but the layers before it have left none", mend="put it earlier")
