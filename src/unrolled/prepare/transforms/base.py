"""What a transform promises, and how it meets the training part.

Letters: n rows, B batch, T time, H steps ahead, C columns, G groups (series scaled on their own; 1 = all alike).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Group = npt.NDArray[np.int64]
Context = tuple[Array, ...]
"""What inverting a window needs to know of its past, each ``(B, 1, C)``, or ``(C,)`` where all windows agree."""


class Chunk(NamedTuple):
    """Some rows of the training part, in order."""

    values: Array  # (n, C) float64
    group: Group  # (n,)
    fresh: npt.NDArray[np.bool_]  # (n,) the row before is not the row before in its sequence


@dataclass(frozen=True)
class Stream:
    """The training part in chunks; it can be read more than once."""

    rows: int
    groups: int
    columns: int
    chunks: Callable[[], Iterator[Chunk]]


class Transform(ABC):
    """A reversible change of scale of C columns; ``invert`` undoes ``past`` and ``future`` exactly.

    Args:
        columns: names of the columns, for messages.

    Attributes:
        causal: a step's result depends on that step and earlier ones only, so that a stream can be transformed.
        local: the result depends on the window around a row, so that rows cannot be transformed beforehand.
        lag: rows of history before the window that it uses up.
        state: what was fitted, ``(G, C)`` each.
    """

    name: ClassVar[str]
    causal: ClassVar[bool] = True
    local: ClassVar[bool] = False
    lag: ClassVar[int] = 0
    fitted: ClassVar[tuple[str, ...]] = ()  # names of ``state``

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.state: dict[str, npt.NDArray[np.float64]] = {}

    def fit(self, stream: Stream) -> None:  # noqa: B027 - most transforms have nothing to learn
        """Learn from the training part."""

    @abstractmethod
    def rows(self, chunk: Chunk) -> Array:
        """``(n, C)`` consecutive rows transformed outside any window; NaN where the row before is needed and absent."""

    @abstractmethod
    def past(self, values: Array, group: Group) -> tuple[Array, Context]:
        """``(B, lag + T, C)`` to ``(B, T, C)``, and what later calls need. Holes and padding are NaN.

        ``group`` ``(B,)`` is -1 for a series that training did not see.
        """

    @abstractmethod
    def future(self, values: Array, context: Context) -> Array:
        """``(B, H, C)`` that follow the window."""

    @abstractmethod
    def invert(self, values: Array, context: Context) -> Array:
        """Undo ``future``."""


class Pointwise(Transform):
    """A transform of each value by itself."""

    @abstractmethod
    def apply(self, values: Array, context: Context) -> Array:
        """Transform values of any shape ``(..., C)``."""

    def context(self, values: Array, group: Group) -> Context:
        """What ``apply`` needs for the windows ``(B, T, C)``; nothing by default."""
        return ()

    def rows(self, chunk: Chunk) -> Array:
        return self.apply(chunk.values, ())

    def past(self, values: Array, group: Group) -> tuple[Array, Context]:
        context = self.context(values, group)
        return self.apply(values, context), context

    def future(self, values: Array, context: Context) -> Array:
        return self.apply(values, context)
