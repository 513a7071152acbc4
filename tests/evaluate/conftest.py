"""Parts of small series for the tests of evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from unrolled.evaluate import Part
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Column, Series

MakePart = Callable[..., Part]


@pytest.fixture
def make_part() -> MakePart:
    """Forecast parts: all windows of all sequences, or those whose truth lies in rows ``first`` to the end."""

    def make(
        sequences: Sequence[Any],
        *,
        window: int = 4,
        horizon: int = 2,
        first: int = 0,
        stop: int | None = None,
        **more: Any,
    ) -> Part:
        rows = [np.asarray(sequence, np.float32).reshape(len(sequence), -1) for sequence in sequences]
        starts = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
        values = np.concatenate(rows)
        columns = tuple(Column(name=f"y{m}", role="target") for m in range(values.shape[1]))
        ids = tuple(f"s{number}" for number in range(len(rows)))
        series = Series(values, np.empty((len(rows), 0), np.float32), starts, ids, columns, source="test.csv", **more)
        picked = []
        for s, begin in enumerate(starts[:-1]):
            final = starts[s + 1] if stop is None else begin + stop
            picked += [(s, end) for end in range(max(begin + window, begin + first), final - horizon + 1)]
        s_, end = (np.array(part, np.int64) for part in zip(*picked, strict=True))
        samples = Samples(end - window, end, s_)
        return Part(series, samples, values[end[:, None] + np.arange(horizon)].astype(np.float64))

    return make
