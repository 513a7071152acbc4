"""Differencing: steps instead of levels, so that a trend becomes a constant.

Letters: n rows, B batch, T time, H steps ahead, C columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np

from unrolled.prepare.missing import last_known
from unrolled.prepare.transforms.affine import moments
from unrolled.prepare.transforms.base import Array, Chunk, Context, Group, Stream, Transform
from unrolled.prepare.transforms.log import refuse_from


class Difference(Transform):
    """``x_t - x_(t-1)``; a forecast is summed up again from the last observed value.

    The first row of a sequence has no row before it and counts as no change.
    """

    name: ClassVar[str] = "difference"
    lag: ClassVar[int] = 1
    fitted: ClassVar[tuple[str, ...]] = ("level",)

    def fit(self, stream: Stream) -> None:
        self.state = {"level": np.nan_to_num(moments(stream)[0].mean(axis=0, keepdims=True))}

    def rows(self, chunk: Chunk) -> Array:
        steps = np.diff(chunk.values, axis=0, prepend=np.nan)
        steps[chunk.fresh] = np.nan
        return steps

    def past(self, values: Array, group: Group) -> tuple[Array, Context]:
        last = last_known(values).astype(np.float64)
        # A window without a single observation starts from the training part's mean level.
        last = np.where(np.isnan(last), self.state["level"], last)
        return np.diff(values, axis=1), (last[:, None],)

    def future(self, values: Array, context: Context) -> Array:
        return np.diff(values, axis=1, prepend=context[0].astype(values.dtype))

    def invert(self, values: Array, context: Context) -> Array:
        return np.asarray(np.cumsum(values, axis=1) + context[0])


class LogReturn(Difference):
    """``log(x_t / x_(t-1))`` of positive values: the usual scale of prices."""

    name: ClassVar[str] = "log_return"

    def fit(self, stream: Stream) -> None:
        def logs() -> Iterator[Chunk]:
            return (chunk._replace(values=self._log(chunk.values)) for chunk in stream.chunks())

        super().fit(replace(stream, chunks=logs))

    def rows(self, chunk: Chunk) -> Array:
        return super().rows(chunk._replace(values=self._log(chunk.values)))

    def past(self, values: Array, group: Group) -> tuple[Array, Context]:
        return super().past(self._log(values), group)

    def future(self, values: Array, context: Context) -> Array:
        return super().future(self._log(values), context)

    def invert(self, values: Array, context: Context) -> Array:
        with np.errstate(over="ignore"):  # a wild forecast may be infinite, and is then seen as such
            return np.asarray(np.exp(super().invert(values, context)))

    def _log(self, values: Array) -> Array:
        what, mend = "log returns need values above zero", "use difference or standard instead"
        refuse_from(values <= 0, values, self.columns, what, mend)
        return np.asarray(np.log(values))
