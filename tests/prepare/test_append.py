from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.append import append
from unrolled.prepare.build import build
from unrolled.prepare.schema import infer
from unrolled.prepare.table import Table


def _text(cells: str) -> Any:
    return np.array([*cells, None], dtype=object)[:-1]


def _table(ids: str, time: list[float], values: list[float], mood: str) -> Table:
    columns = {"id": _text(ids), "t": np.array(time), "y": np.array(values), "mood": _text(mood)}
    return Table(columns, "early" if max(time) < 5 else "late")


def test_later_rows_follow_their_series() -> None:
    first = _table("aaabb", [1, 2, 3, 1, 2], [1, 2, 4, 10, 20], "xyxyx")
    schema, _ = infer(first, task="forecast", target="y", group="id", time="t")
    earlier = build(first, schema)
    later = build(_table("bba", [7, 8, 9], [30, 40, 5], "zxz"), schema)
    joined, spans = append(earlier, later)
    assert joined.ids == ("a", "b") and joined.starts.tolist() == [0, 4, 8]
    assert joined.values[:, 0].tolist() == [1, 2, 4, 5, 10, 20, 30, 40]
    assert joined.time is not None and joined.time.tolist() == [1, 2, 3, 9, 1, 2, 7, 8]
    assert sorted(spans) == [(0, 3, 4), (1, 6, 8)]
    labels = joined.columns[1].categories
    assert "".join(labels[int(code)] for code in joined.values[:, 1]) == "xyxzyxzx"


def test_strangers_and_overlaps_are_refused() -> None:
    first = _table("aaabb", [1, 2, 3, 1, 2], [1, 2, 4, 10, 20], "xyxyx")
    schema, _ = infer(first, task="forecast", target="y", group="id", time="t")
    earlier = build(first, schema)
    with pytest.raises(DataError, match="the series 'c' are not in early"):
        append(earlier, build(_table("c", [7], [1], "x"), schema))
    with pytest.raises(DataError, match="series 'a' does not begin after the end"):
        append(earlier, build(_table("ba", [7, 3], [1, 1], "xx"), schema))
