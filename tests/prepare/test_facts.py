from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from unrolled.core.records import DataFacts
from unrolled.prepare.build import build
from unrolled.prepare.facts import facts, fingerprint
from unrolled.prepare.schema import infer
from unrolled.prepare.series import Series
from unrolled.prepare.table import Hints, Table


def _hours(count: int) -> Any:
    return np.datetime64("2024-01-01", "ns") + np.arange(count) * np.timedelta64(1, "h")


def _series(count: int = 50, **extra: Any) -> tuple[Any, Series]:
    y = np.random.default_rng(0).normal(size=count)
    table = Table({"t": _hours(count), "y": y, **extra}, "f.csv")
    schema, _ = infer(table, task="forecast", target="y")
    return schema, build(table, schema)


def test_what_a_report_needs() -> None:
    x = np.where(np.arange(50) < 5, np.nan, np.arange(50.0))
    schema, series = _series(x=x, flat=np.ones(50))
    found = facts(series, schema, "f.csv")
    assert (found.rows, found.series, found.length) == (50, 1, (50, 50, 50))
    assert found.frequency == "1 h"
    assert found.span == ("2024-01-01T00:00:00", "2024-01-03T01:00:00")
    x_facts = {"name": "x", "role": "feature", "kind": "number", "level": "row", "missing": 0.1, "low": 5, "high": 49}
    assert found.columns[1] == x_facts
    assert [column["name"] for column in found.columns] == ["y", "x"]
    assert DataFacts.model_validate_json(found.model_dump_json()) == found


def test_the_fingerprint_is_stable_and_sees_changes() -> None:
    schema, series = _series()
    other = _series()[1]
    assert fingerprint(series) == fingerprint(other)
    assert fingerprint(series) == facts(series, schema, "another name").fingerprint
    values = series.values.copy()
    values[20, 0] += 1
    assert fingerprint(replace(series, values=values)) != fingerprint(series)
    assert fingerprint(replace(series, starts=np.array([0, 20, 50]), ids=("a", "b"))) != fingerprint(series)
    column = series.columns[0].model_copy(update={"name": "z"})
    assert fingerprint(replace(series, columns=(column, *series.columns[1:]))) != fingerprint(series)


def _classes(*counts: int) -> DataFacts:
    labels: Any = np.repeat(np.array(["a", "b", "c"][: len(counts)], dtype=object), counts)
    total = len(labels)
    starts = np.concatenate([[0], np.cumsum(2 + np.arange(total) % 3)])
    table = Table(
        {"x": np.random.default_rng(0).normal(size=int(starts[-1]))},
        "f",
        starts=starts,
        case_columns={"label": labels},
        hints=Hints(target=("label",)),
    )
    schema, _ = infer(table, task="classify")
    return facts(build(table, schema), schema, "f")


def test_the_balance_of_classes() -> None:
    even = _classes(30, 30, 40)
    assert [(note.code, note.level) for note in even.notes] == [("class_balance", "info")]
    assert "a 30.0%, b 30.0%, c 40.0%" in even.notes[0].en
    assert even.length == (2, 3, 4)
    assert even.columns[-1]["categories"] == 3
    rare = _classes(97, 3)
    assert [(note.code, note.level) for note in rare.notes] == [("class_imbalance", "warning")]
    assert rare.frequency is None and rare.span is None


def test_copies_of_sequences_are_counted() -> None:
    table = Table({"x": np.tile(np.random.default_rng(0).normal(size=4), 3)}, "f", starts=np.array([0, 4, 8, 12]))
    table.columns["x"][5] += 1
    schema, _ = infer(table, task="forecast", target="x")
    notes = facts(build(table, schema), schema, "f").notes
    assert [note.code for note in notes] == ["repeated_sequences"] and notes[0].en.startswith("1 sequences")


def test_a_value_beyond_all_others_is_told() -> None:
    x = np.random.default_rng(0).normal(size=50)
    for value, told in ((1e38, True), (-3e7, True), (1e4, False), (np.nan, False)):
        x[17] = value
        schema, series = _series(x=x.copy())
        found = [note for note in facts(series, schema, "f").notes if note.code == "far_value"]
        assert bool(found) == told and all(f"{value:.3g}" in note.en and note.level == "warning" for note in found)
    schema, series = _series(x=np.where(np.arange(50) % 10, 0.0, 1e9))  # mostly 0: no scale to be far from
    assert not facts(series, schema, "f").notes
