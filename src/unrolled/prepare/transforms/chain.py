"""Transforms one after another, over the columns that share them.

Letters: B batch, T time, H steps ahead, C columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import BundleError, ConfigError
from unrolled.core.validation import nearest
from unrolled.prepare.transforms.affine import moments
from unrolled.prepare.transforms.base import Array, Chunk, Context, Group, Pointwise, Stream, Transform
from unrolled.prepare.transforms.cap import Cap
from unrolled.prepare.transforms.difference import Difference, LogReturn
from unrolled.prepare.transforms.instance import Instance, LastValue
from unrolled.prepare.transforms.log import Log, Log1p
from unrolled.prepare.transforms.minmax import MinMax
from unrolled.prepare.transforms.robust import Robust
from unrolled.prepare.transforms.standard import Standard

TRANSFORMS: dict[str, type[Transform]] = {
    kind.name: kind for kind in (Standard, MinMax, Robust, Log, Log1p, Difference, LogReturn, Instance, LastValue, Cap)
}
"""Every transform by its name."""

Step = str | Mapping[str, Mapping[str, float]]
"""One transform in a list: its name, or its name with options, as in ``{"minmax": {"low": -1, "high": 1}}``."""


class Chain:
    """A list of transforms that acts as one.

    Args:
        columns: names of the columns.
        steps: the transforms, first to last.

    Attributes:
        fill: ``(C,)`` what stands for a hole in model scale: the training mean.

    Raises:
        ConfigError: an unknown transform or option, or an order that cannot work.
    """

    def __init__(self, columns: tuple[str, ...], steps: Sequence[Step]) -> None:
        self.columns = columns
        self.transforms = [_made(columns, step) for step in steps] if columns else []
        self.fill: npt.NDArray[np.float64] = np.zeros(len(columns))
        for before, after in zip(self.transforms, self.transforms[1:], strict=False):
            if before.local and (after.fitted or after.lag):
                raise ConfigError(
                    f"{after.name!r} cannot follow {before.name!r}, which works on windows",
                    where="option transform",
                    mend=f"put {after.name!r} first",
                )

    @property
    def lag(self) -> int:
        """Rows of history before a window that the chain uses up."""
        return sum(transform.lag for transform in self.transforms)

    @property
    def local(self) -> bool:
        """The result depends on the window, or on rows before it."""
        return any(transform.local or transform.lag for transform in self.transforms)

    @property
    def still(self) -> int:
        """How many transforms at the beginning treat each value by itself."""
        return next((at for at, t in enumerate(self.transforms) if not isinstance(t, Pointwise)), len(self.transforms))

    @property
    def looking_ahead(self) -> tuple[str, ...]:
        """Names of the transforms that are not causal."""
        return tuple(transform.name for transform in self.transforms if not transform.causal)

    @property
    def causal(self) -> bool:
        """Every transform is."""
        return not self.looking_ahead

    def fit(self, stream: Stream) -> None:
        """Fit each transform on what those before it make of the training part, and the mean of what comes out."""
        for count, transform in enumerate(self.transforms):
            if transform.fitted:
                transform.fit(self.through(stream, count))
        if not any(transform.local for transform in self.transforms):
            self.fill = np.nan_to_num(moments(_pooled(self.through(stream)))[0][0])

    def through(self, stream: Stream, count: int | None = None) -> Stream:
        """The training part after the first ``count`` transforms (all of them by default)."""

        def chunks() -> Iterator[Chunk]:
            for chunk in stream.chunks():
                for transform in self.transforms[:count]:
                    chunk = chunk._replace(values=transform.rows(chunk))
                yield chunk

        return Stream(stream.rows, stream.groups, stream.columns, chunks)

    def past(self, values: Array, group: Group, *, start: int = 0) -> tuple[Array, list[Context]]:
        """``(B, lag + T, C)`` to ``(B, T, C)``, and what the future of these windows needs.

        The transforms before ``start`` have been applied already.
        """
        contexts = []
        for transform in self.transforms[start:]:
            values, context = transform.past(values, group)
            contexts.append(context)
        return values, contexts

    def future(self, values: Array, contexts: Sequence[Context], *, start: int = 0) -> Array:
        """``(B, H, C)`` that follow the windows."""
        for transform, context in zip(self.transforms[start:], contexts, strict=True):
            values = transform.future(values, context)
        return values

    def invert(self, values: Array, contexts: Sequence[Context]) -> Array:
        """Undo ``future``, in float64."""
        values = values.astype(np.float64)
        for transform, context in zip(reversed(self.transforms), reversed(contexts), strict=True):
            values = transform.invert(values, context)
        return values

    def fitted(self) -> dict[str, Any]:
        """The fitted values, ready for JSON."""
        states = [{key: value.tolist() for key, value in transform.state.items()} for transform in self.transforms]
        return {"states": states, "fill": self.fill.tolist()}

    def load(self, data: Mapping[str, Any], groups: int) -> None:
        """Take the values of ``fitted``; ``groups`` is how many series have a scale of their own (1: none).

        Raises:
            BundleError: they do not have the shapes that belong to this chain, or are not finite numbers.
        """
        width = len(self.columns)
        for transform, values in zip(self.transforms, data["states"], strict=True):
            state = {key: np.array(values[key], dtype=np.float64) for key in transform.fitted}
            for key, value in state.items():
                fits = value.ndim == 2 and value.shape[1] == width and len(value) in (1, groups)
                if not fits or not np.isfinite(value).all() or (key == "scale" and (value <= 0).any()):
                    raise BundleError(f"the fitted {key!r} of the transform {transform.name!r} is damaged")
            transform.state = state
        self.fill = np.array(data["fill"], dtype=np.float64)
        if self.fill.shape != (width,) or not np.isfinite(self.fill).all():
            raise BundleError("the values that stand for holes are damaged")


def _pooled(stream: Stream) -> Stream:
    """The same rows as one group."""

    def chunks() -> Iterator[Chunk]:
        return (chunk._replace(group=np.zeros_like(chunk.group)) for chunk in stream.chunks())

    return replace(stream, groups=1, chunks=chunks)


def _made(columns: tuple[str, ...], step: Step) -> Transform:
    name, options = (step, {}) if isinstance(step, str) else next(iter(step.items()), ("", {}))
    if name not in TRANSFORMS:
        raise ConfigError(
            f"there is no transform {name!r}", where="option transform", mend=nearest(str(name), TRANSFORMS)
        )
    try:
        return TRANSFORMS[name](columns, **options)
    except TypeError as error:
        raise ConfigError(
            f"the transform {name!r} does not take these options: {', '.join(map(str, options)) or 'none given'}",
            where="option transform",
        ) from error
