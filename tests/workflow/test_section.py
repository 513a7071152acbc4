"""Which windows of each part are used."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.core.records import DataFacts
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.tasks import make_task
from unrolled.workflow import section
from unrolled.workflow.config import DataSettings
from unrolled.workflow.source import Source, SourcePart

_ROWS = 40_000
_COLUMNS = (Column(name="u"), Column(name="y", role="target"))


def _source() -> Source:
    """One series, whole in each part."""
    values = np.random.default_rng(0).normal(size=(_ROWS, 2)).astype(np.float32)
    series = Series(
        values=values,
        cases=np.zeros((1, 0), np.float32),
        starts=np.array([0, _ROWS]),
        ids=("one",),
        columns=_COLUMNS,
        source="test",
    )
    facts = DataFacts(source="test", rows=_ROWS, series=1, length=(_ROWS, _ROWS, _ROWS), columns=(), fingerprint="")
    parts = {name: SourcePart(series, [(0, 0, _ROWS)]) for name in ("train", "valid", "test")}
    return Source(schema=Schema(task="regress", columns=_COLUMNS), parts=parts, facts=facts, options={}, notes=())


def _ends(name: str, source: Source | None = None) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found, _ = section.sections(source or _source(), make_task("regress", {}), DataSettings(window=10))
    return found[name].samples.end


def test_small_parts_are_judged_in_full() -> None:
    np.testing.assert_array_equal(np.diff(_ends("test")), 1)
    assert len(_ends("valid")) == 20_000 and len(_ends("train")) == _ROWS - 9


def test_large_held_out_parts_are_strided_before_their_windows_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "_MOST_LOOKED_AT", 1000)
    ends = _ends("test")
    (stride,) = np.unique(np.diff(ends))
    assert 1000 <= len(ends) < 1200 and stride == 37  # the largest prime below 40
    assert len(np.unique(ends % 24)) == 24 and len(np.unique(ends % 7)) == 7  # every hour, every weekday
    np.testing.assert_array_equal(np.diff(_ends("train")), 1)  # training has a stride of its own


def test_truth_that_stands_in_few_rows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "_MOST_LOOKED_AT", 1000)
    source = _source()
    known = [500, 20_011, 33_333]
    truth = source.parts["test"].series.values[:, 1]
    kept = truth[known].copy()
    truth[:] = np.nan
    truth[known] = kept
    np.testing.assert_array_equal(_ends("test", source) - 1, known)
