"""The transforms of all numeric inputs: one chain for each set of columns that share it.

Letters: n rows, B batch, T time, H steps ahead, C columns, S sequences, G groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.series import Column, Series
from unrolled.prepare.training import Spans, sequences, stream_rows
from unrolled.prepare.transforms import Chain, Step
from unrolled.prepare.transforms.affine import Affine
from unrolled.prepare.transforms.base import Chunk, Context

Float = npt.NDArray[np.float32]
Contexts = list[list[Context]]
"""One list of contexts a chain."""

DEFAULT: tuple[Step, ...] = ("standard",)
Wanted = Mapping[str, Sequence[Step]]
"""Transforms by role ("target", "feature", "known", "static") or by column name; the name goes before the role."""


class Scaling:
    """Chains over numeric columns.

    Args:
        columns: the columns, in the order of the batch.
        wanted: their transforms; the default is standard scaling.
        per_series: every series of the training part gets its own scale.
    """

    def __init__(self, columns: Sequence[Column], wanted: Wanted, *, per_series: bool = False) -> None:
        self.columns = tuple(columns)
        self.per_series = per_series
        self.ids: dict[str, int] = {}
        sets: dict[tuple[bool, str], list[int]] = {}
        steps = {}
        for at, column in enumerate(self.columns):
            own = wanted.get(column.name, wanted.get(column.role, DEFAULT))
            # Targets keep to themselves, so that a forecast can be inverted without the features.
            key = (column.role == "target", repr(own))
            sets.setdefault(key, []).append(at)
            steps[key] = own
        self.chains = [Chain(tuple(self.columns[at].name for at in sets[key]), steps[key]) for key in sets]
        self.places = [_slice_or_list(places) for places in sets.values()]
        self.of_targets = [target for target, _ in sets]

    @property
    def lag(self) -> int:
        """Rows of history before a window that the longest chain uses up."""
        return max((chain.lag for chain in self.chains), default=0)

    @property
    def local(self) -> bool:
        """A row's result depends on the window around it."""
        return any(chain.local for chain in self.chains)

    @property
    def summed(self) -> tuple[bool, ...]:
        """For each target, whether its steps in model scale are changes that ``invert`` adds up."""
        found = np.zeros(len(self.columns), dtype=bool)
        for chain, places in zip(self.chains, self.places, strict=True):
            found[places] = chain.lag > 0
        return tuple(bool(found[at]) for at, column in enumerate(self.columns) if column.role == "target")

    @property
    def fill(self) -> Float:
        """``(C,)`` what stands for a hole in model scale."""
        fill = np.zeros(len(self.columns), dtype=np.float32)
        for chain, places in zip(self.chains, self.places, strict=True):
            fill[places] = chain.fill
        return fill

    @property
    def affine(self) -> tuple[Float, Float] | None:
        """``(C,)`` center and scale where nothing else is done to a row, the same in all series; None otherwise."""
        center, scale = np.zeros(len(self.columns), np.float32), np.ones(len(self.columns), np.float32)
        for chain, places in zip(self.chains, self.places, strict=True):
            if len(chain.transforms) > 1:
                return None
            for transform in chain.transforms:
                if not isinstance(transform, Affine) or len(transform.state["center"]) > 1:
                    return None
                center[places], scale[places] = transform.state["center"][0], transform.state["scale"][0]
        return center, scale

    def fit(self, series: Series, spans: Spans, positions: Sequence[int]) -> None:
        """Fit on the rows of ``spans``; ``positions`` are the columns' places in the buffer."""
        names = dict.fromkeys(series.ids[s] for s in sequences(spans)) if self.per_series else {}
        self.ids = {name: at for at, name in enumerate(names)}
        group = self.group_of(series.ids)
        for chain, places in zip(self.chains, self.places, strict=True):
            own = np.array(positions, dtype=np.int64)[places].tolist()
            chain.fit(stream_rows(series.values, own, spans, group, max(len(self.ids), 1)))

    def group_of(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """``(S,)`` number of each series' scale: 0 where all share one, -1 for a series that training did not see."""
        if not self.per_series:
            return np.zeros(len(ids), dtype=np.int64)
        return np.array([self.ids.get(name, -1) for name in ids], dtype=np.int64)

    def rows(self, values: npt.NDArray[Any], group: npt.NDArray[np.int64]) -> Float:
        """``(n, C)`` rows after the leading transforms that treat each value by itself."""
        out = np.empty(values.shape, dtype=np.float32)
        for chain, places in zip(self.chains, self.places, strict=True):
            chunk = Chunk(values[:, places].astype(np.float64), group, np.zeros(len(values), dtype=bool))
            for transform in chain.transforms[: chain.still]:
                chunk = chunk._replace(values=transform.rows(chunk))
            out[:, places] = chunk.values
        return out

    def past(self, values: Float, group: npt.NDArray[np.int64], *, begun: bool = False) -> tuple[Float, Contexts]:
        """``(B, lag + T, C)`` to ``(B, T, C)`` in model scale; ``begun``: the values come from ``rows``."""
        out = np.empty((len(values), values.shape[1] - self.lag, values.shape[2]), dtype=np.float32)
        contexts = []
        for chain, places in zip(self.chains, self.places, strict=True):
            own = values[:, self.lag - chain.lag :, places]
            scaled, context = chain.past(own, group, start=chain.still if begun else 0)
            out[..., places] = scaled
            contexts.append(context)
        return out, contexts

    def future(self, values: Float, contexts: Contexts, *, begun: bool = False) -> Float:
        """``(B, H, C)`` rows that follow, in model scale."""
        out = np.empty(values.shape, dtype=np.float32)
        for chain, places, context in zip(self.chains, self.places, contexts, strict=True):
            out[..., places] = chain.future(values[..., places], context, start=chain.still if begun else 0)
        return out

    def invert(self, values: npt.NDArray[Any], contexts: Contexts) -> npt.NDArray[np.float64]:
        """``(B, H, M)`` targets (the first M columns) back in original units."""
        out = np.empty(values.shape, dtype=np.float64)
        for chain, places, context, target in zip(self.chains, self.places, contexts, self.of_targets, strict=True):
            if target:
                out[..., places] = chain.invert(values[..., places], context)
        return out

    def fitted(self) -> dict[str, Any]:
        """The chains' fitted values, and the series that have a scale of their own, ready for JSON."""
        return {"ids": list(self.ids), "chains": [chain.fitted() for chain in self.chains]}

    def load(self, data: Mapping[str, Any]) -> None:
        """Take the values of ``fitted``.

        Raises:
            BundleError: they do not belong to these columns.
        """
        self.ids = {str(name): at for at, name in enumerate(data["ids"])}
        for chain, values in zip(self.chains, data["chains"], strict=True):
            chain.load(values, max(len(self.ids), 1))


def _slice_or_list(places: list[int]) -> slice | list[int]:
    """Places as a slice where they follow each other: NumPy then needs no copy."""
    together = places == list(range(places[0], places[-1] + 1))
    return slice(places[0], places[-1] + 1) if together else places
