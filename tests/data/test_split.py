"""Who is trained on, who chooses, who judges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from unrolled.core.errors import DataError
from unrolled.data import Parts, SplitSettings, split
from unrolled.prepare.series import Column, Series

SHARES = st.sampled_from([0, 0.1, 0.25, 0.5, 1, 3, 0.0])


def series(lengths: list[int], labels: list[int] | None = None, *, dates: bool = False) -> Series:
    rows = sum(lengths)
    days = np.concatenate([np.datetime64("2024-01-01") + np.arange(length) for length in lengths])
    number = Column(name="y", role="target")
    label = Column(name="y", role="target", kind="category", level="case", categories=("a", "b", "c"))
    return Series(
        values=np.zeros((rows, 0 if labels else 1), np.float32),
        cases=np.asarray(labels, np.float32)[:, None] if labels else np.zeros((len(lengths), 0), np.float32),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ids=tuple(f"s{at}" for at in range(len(lengths))),
        columns=(label if labels else number,),
        time=days.astype("datetime64[ns]") if dates else None,
    )


def settings(**given: Any) -> SplitSettings:
    return SplitSettings.model_validate(given)


def rows(parts: Parts) -> list[int]:
    spans = [*parts.train, *parts.valid, *parts.test]
    return sorted(row for _, begin, end in spans for row in range(begin, end))


@given(st.lists(st.integers(2, 12), min_size=1, max_size=8), SHARES, SHARES, st.sampled_from(["time", "group", "case"]))
def test_every_row_stands_in_one_part(lengths: list[int], valid: Any, test: Any, by: str) -> None:
    data = series(lengths)
    try:
        parts = split(data, settings(by=by, valid=valid, test=test), ordered=False)
    except DataError as error:
        assert "nothing is left to train on" in error.what and by == "time"
        return
    assert rows(parts) == list(range(sum(lengths))) and parts.train
    if by == "time":
        for before, after in ((parts.train, parts.valid), (parts.train, parts.test), (parts.valid, parts.test)):
            ends = {s: end for s, _, end in before}
            assert all(begin >= ends.get(s, 0) for s, begin, _ in after)
    else:
        assert all((begin, end) == (data.starts[s], data.starts[s + 1]) for s, begin, end in parts.train)


@given(st.integers(2, 12), st.integers(0, 99))
def test_groups_are_never_divided(count: int, seed: int) -> None:
    groups = [f"g{at % count}" for at in range(40)]
    parts = split(series([3] * 40), settings(by="group", test=0.3, seed=seed), ordered=False, groups=groups)
    members = [{groups[s] for s, _, _ in spans} for spans in (parts.train, parts.valid, parts.test)]
    assert sum(map(len, members)) == count and members[0]


@pytest.mark.parametrize("share", [0.2, 10, 10.0])
def test_classes_keep_their_proportion(share: float) -> None:
    labels = [0] * 30 + [1] * 15 + [2] * 5
    parts = split(series([2] * 50, labels), settings(by="case", valid=0, test=share), ordered=False)
    chosen = [labels[s] for s, _, _ in parts.test]
    assert [chosen.count(label) for label in range(3)] == [6, 3, 1]


def test_a_number_of_rows_or_a_date_begins_a_part() -> None:
    data = series([20, 15], dates=True)
    by_number = split(data, settings(by="time", valid=2, test=5), ordered=True)
    assert by_number.test == [(0, 15, 20), (1, 30, 35)] and by_number.valid == [(0, 13, 15), (1, 28, 30)]
    by_date = split(data, settings(by="time", valid="2024-01-09", test="2024-01-11"), ordered=True)
    assert by_date.test == [(0, 10, 20), (1, 30, 35)] and by_date.valid == [(0, 8, 10), (1, 28, 30)]
    with pytest.raises(DataError, match="needs a time column"):
        split(series([20]), settings(by="time", test="2024-01-09"), ordered=True)
    with pytest.raises(DataError, match="only goes with --split time"):
        split(data, settings(by="group", test="2024-01-09"), ordered=True)


def test_scarce_labels_are_all_trained_on_unless_asked() -> None:
    labelled = series([2] * 40, [0, 1] * 20)
    parts = split(labelled, settings(), ordered=False)
    assert not parts.valid and "no_validation" in {note.code for note in parts.notes}
    assert split(labelled, settings(valid=0.1), ordered=False).valid
    assert split(series([2] * 40), settings(by="case"), ordered=False).valid


@pytest.mark.parametrize("share", [-0.1, -3, 2.5, float("nan"), float("inf"), "soon", "2024-13-01", [1]])
def test_shares_that_mean_nothing_are_refused(share: Any) -> None:
    with pytest.raises(ValidationError):
        settings(test=share)
