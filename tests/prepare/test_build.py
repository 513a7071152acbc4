"""From tables to series: order, groups, codes, levels, holes, resampling, and the check of later files."""

from __future__ import annotations

import time as clock
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.build import build
from unrolled.prepare.check import check
from unrolled.prepare.schema import Schema, infer
from unrolled.prepare.series import Column
from unrolled.prepare.table import Hints, Table


def _text(*cells: str | None) -> Any:
    return np.array([*cells, None], dtype=object)[:-1]


def _hours(*hours: float) -> Any:
    return np.datetime64("2024-01-01", "ns") + (np.array(hours) * 3600e9).astype("timedelta64[ns]")


def _codes(notes: tuple[Note, ...]) -> set[str]:
    return {note.code for note in notes}


@given(st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_any_order_of_rows_gives_the_same_series(random: Any) -> None:
    group = np.repeat(["b", "a", "c"], [4, 3, 5]).astype(object)
    time = np.concatenate([_hours(*range(4)), _hours(*range(3)), _hours(*range(5))])
    value = np.arange(12.0)
    schema = Schema(
        task="forecast",
        columns=(Column(name="v", role="target"),),
        time="t",
        unit="datetime",
        group="g",
    )
    plain = build(Table({"g": group, "t": time, "v": value}, "f"), schema)
    order = np.array(random.sample(range(12), 12))
    mixed = build(Table({"g": group[order], "t": time[order], "v": value[order]}, "f"), schema)
    assert set(mixed.ids) == {"a", "b", "c"}
    for at, name in enumerate(mixed.ids):
        other = plain.ids.index(name)
        rows = slice(mixed.starts[at], mixed.starts[at + 1])
        wanted = slice(plain.starts[other], plain.starts[other + 1])
        np.testing.assert_array_equal(mixed.values[rows], plain.values[wanted])
        assert mixed.time is not None and plain.time is not None
        np.testing.assert_array_equal(mixed.time[rows], plain.time[wanted])


def test_newest_first_is_turned_round_inside_every_series() -> None:
    table = Table({"g": _text(*"aaabb"), "t": _hours(3, 2, 1, 9, 8), "v": np.arange(5.0)}, "f")
    schema, _ = infer(table, task="forecast", target="v", group="g")
    series = build(table, schema)
    assert series.values[:, 0].tolist() == [2, 1, 0, 4, 3]
    assert "newest_first" in _codes(series.notes) and "sorted_rows" not in _codes(series.notes)


def test_sorting_is_told() -> None:
    table = Table({"t": _hours(2, 1, 3), "v": np.array([2.0, 1, 4])}, "f")
    series = build(table, infer(table, task="forecast")[0])
    assert series.values[:, 0].tolist() == [1, 2, 4] and "sorted_rows" in _codes(series.notes)


def test_levels_codes_and_several_labels() -> None:
    table = Table(
        {"id": _text(*"xxyyz"), "v": np.arange(5.0), "mood": _text("b", "a", None, "b", "a"),
         "size": np.array([1.0, 1, 2, 2, 3]), "tags": _text("p|q", "p|q", "q", "q", None)},
        "f",
    )  # fmt: skip
    schema, _ = infer(table, task="classify", target="tags", group="id", static="size")
    series = build(table, schema)
    assert [column.name for column in series.row_columns] == ["v", "mood"]
    assert [column.name for column in series.case_columns] == ["tags=p", "tags=q", "size"]
    np.testing.assert_array_equal(series.values[:, 1], [1, 0, np.nan, 1, 0])
    np.testing.assert_array_equal(series.cases, [[1, 1, 1], [0, 1, 2], [np.nan, np.nan, 3]])
    assert series.ids == ("x", "y", "z")


def test_sequences_of_the_format_are_kept() -> None:
    table = Table(
        {"v": np.arange(6.0)},
        "f",
        starts=np.array([0, 2, 6]),
        case_columns={"label": np.array([1.0, 2.0])},
        case_ids=("one", "two"),
        hints=Hints(target=("label",)),
    )
    series = build(table, infer(table, task="classify")[0])
    assert series.ids == ("one", "two") and series.starts.tolist() == [0, 2, 6]
    assert series.cases.tolist() == [[0], [1]] and series.columns[1].categories == ("1", "2")


def test_later_files_need_neither_order_nor_target_nor_known_categories() -> None:
    table = Table({"a": np.arange(4.0), "c": _text(*"xyxy"), "label": _text(*"pqpq")}, "train.csv")
    schema, _ = infer(table, task="classify", target="label")
    later = Table({"c": _text("y", "new", "x"), "more": np.zeros(3), "a": np.arange(3.0)}, "later.csv")
    notes = check(schema, later)
    assert [note.code for note in notes] == ["no_target_column", "extra_columns"]
    assert "'more'" in notes[1].en
    series = build(later, schema)
    assert [column.name for column in series.columns] == ["label", "a", "c"]
    assert np.isnan(series.values[:, 0]).all()
    assert series.values[:, 2].tolist() == [1, 2, 0] and series.columns[2].categories == ("x", "y", "new")
    assert "unseen_categories" in _codes(series.notes)


def test_missing_inputs_are_named() -> None:
    table = Table({"Load": np.arange(4.0), "temp": np.array([1.0, 5, 2, 6])}, "train.csv")
    schema, _ = infer(table, task="forecast", target="temp")
    with pytest.raises(DataError, match=r"later\.csv: the model needs 'Load', 'temp'") as caught:
        build(Table({"load": np.zeros(3), "x": np.zeros(3)}, "later.csv"), schema)
    assert "Did you mean 'load'" in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (_text(None, "12:30"), "row 3, column 'a': the model learnt numbers, this is text \\('12:30'\\)"),
        (_hours(1, 2), "column 'a': the model learnt numbers, this column has time stamps"),
    ],
)
def test_another_kind_of_column_is_an_error(cells: Any, words: str) -> None:
    table = Table({"a": np.arange(4.0), "y": np.array([1.0, 5, 2, 6])}, "train.csv")
    schema, _ = infer(table, task="forecast", target="y")
    with pytest.raises(DataError, match=words):
        build(Table({"a": cells, "y": np.zeros(2)}, "later.csv", first_row=2), schema)


def test_a_number_column_without_a_value_is_missing_not_text() -> None:
    table = Table({"a": np.arange(4.0), "y": np.array([1.0, 5, 2, 6])}, "train.csv")
    schema, _ = infer(table, task="forecast", target="y", missing="mask")
    series = build(Table({"a": _text(None, None), "y": np.zeros(2)}, "later.csv"), schema)
    assert np.isnan(series.values[:, 1]).all()


def test_one_series_may_come_without_its_name() -> None:
    table = Table({"g": _text(*"aabb"), "t": _hours(1, 2, 1, 2), "v": np.arange(4.0)}, "f")
    schema, _ = infer(table, task="forecast", target="v", group="g")
    series = build(Table({"t": _hours(1, 2), "v": np.zeros(2)}, "later"), schema)
    assert len(series.ids) == 1 and "no_group_column" in _codes(series.notes)


def test_another_step_is_told() -> None:
    table = Table({"t": _hours(*range(9)), "v": np.arange(9.0) ** 2}, "f")
    schema, _ = infer(table, task="forecast")
    series = build(Table({"t": _hours(0, 0.25, 0.5), "v": np.zeros(3)}, "later"), schema)
    note = next(note for note in series.notes if note.code == "other_step")
    assert "1 h" in note.en and "15 min" in note.en
    assert series.frequency == 900


def test_a_static_column_that_changes_names_row_and_series() -> None:
    table = Table({"g": _text(*"aabb"), "v": np.arange(4.0), "s": np.array([1.0, 1, 2, 2])}, "f", first_row=2)
    schema, _ = infer(table, task="forecast", target="v", group="g", static="s")
    table.columns["s"][3] = 5
    with pytest.raises(DataError, match="row 5, column 's': the value changes inside series 'b'"):
        build(table, schema)


def test_missing_values_by_policy() -> None:
    columns = {"t": _hours(0, 2, 1, 3), "v": np.array([1.0, np.nan, 5, 2]), "y": np.arange(4.0) ** 2}
    table = Table(columns, "f", first_row=2)
    schema, _ = infer(table, task="forecast", target="y", missing="error")
    with pytest.raises(DataError, match="row 3, column 'v': a value is missing"):
        build(table, schema)
    for policy in ("mask", "fill_forward", "interpolate"):
        series = build(table, schema.model_copy(update={"missing": policy}))
        np.testing.assert_array_equal(series.values[:, 1], [1, 5, np.nan, 2])


def test_the_future_rows_of_a_forecast_need_no_target() -> None:
    table = Table({"plan": np.arange(6.0), "v": np.array([1.0, 4, 9, 16, np.nan, np.nan])}, "f", first_row=2)
    schema, _ = infer(table, task="forecast", target="v", known="plan", missing="error")
    assert build(table, schema).values.shape == (6, 2)
    table.columns["plan"][5] = np.nan
    with pytest.raises(DataError, match="row 7, column 'plan'"):
        build(table, schema)
    table.columns["plan"][5], table.columns["v"][1] = 1, np.nan
    with pytest.raises(DataError, match="row 3, column 'v'"):
        build(table, schema)


def test_resampling_merges_repeats_and_tells() -> None:
    table = Table({"t": _hours(0, 0.5, 0.5, 3), "v": np.array([1.0, 2, 6, 5])}, "f")
    schema, _ = infer(table, task="forecast", resample="mean", frequency=3600)
    series = build(table, schema)
    np.testing.assert_array_equal(series.values[:, 0], [3, np.nan, np.nan, 5])
    note = next(note for note in series.notes if note.code == "resampled")
    assert "4 rows became 4, 2 of them empty" in note.en and series.frequency == 3600
    with pytest.raises(DataError, match="at 2024-01-01T01:00"):
        build(table, schema.model_copy(update={"missing": "error"}))


def test_a_million_rows_take_seconds() -> None:
    count, random = 1_000_000, np.random.default_rng(0)
    columns: dict[str, Any] = {f"c{at}": random.normal(size=count) for at in range(6)}
    columns["shop"] = np.repeat(np.array([f"s{at}" for at in range(100)], dtype=object), count // 100)
    columns["mood"] = np.array(["a", "b", "c", "d"], dtype=object)[random.integers(0, 4, count)]
    columns["t"] = np.tile(np.datetime64("2024-01-01", "ns") + np.arange(count // 100) * np.timedelta64(1, "h"), 100)
    table = Table(columns, "large.csv")
    begin = clock.process_time()
    schema, _ = infer(table, task="forecast", target="c0")
    inferred = clock.process_time()
    series = build(table, schema)
    built = clock.process_time()
    assert schema.group == "shop" and len(series.ids) == 100
    assert built - inferred < 2.0
    assert inferred - begin < 4.0
