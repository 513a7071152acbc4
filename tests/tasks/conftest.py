"""Small series for the tests of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from unrolled.prepare.series import Column, Series

settings.register_profile("busy", deadline=None)  # a busy machine is not a fault of the code
settings.load_profile("busy")

MakeSeries = Callable[..., Series]


@pytest.fixture
def make_series() -> MakeSeries:
    """Series of given lengths; row and case values are random where they are not given."""

    def make(
        lengths: Sequence[int],
        columns: Sequence[Column] = (Column(name="y", role="target"),),
        values: Any = None,
        cases: Any = None,
    ) -> Series:
        rng = np.random.default_rng(0)
        rows = [column for column in columns if column.level == "row"]
        own = [column for column in columns if column.level == "case"]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return Series(
            values=np.asarray(rng.normal(size=(starts[-1], len(rows))) if values is None else values, np.float32),
            cases=np.asarray(rng.normal(size=(len(lengths), len(own))) if cases is None else cases, np.float32),
            starts=starts,
            ids=tuple(f"s{number}" for number in range(len(lengths))),
            columns=tuple(columns),
            source="test.csv",
        )

    return make
