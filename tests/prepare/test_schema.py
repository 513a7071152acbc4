"""What is inferred, in which order of precedence, and that every assumption is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note
from unrolled.prepare.schema import Schema, infer
from unrolled.prepare.series import Column
from unrolled.prepare.table import Hints, Table

_RANDOM = np.random.default_rng(0)


def _days(count: int, first: str = "2024-01-01") -> Any:
    return (np.datetime64(first) + np.arange(count)).astype("datetime64[ns]")


def _text(*cells: str | None) -> Any:
    return np.array([*cells, None], dtype=object)[:-1]


def _prices(count: int = 60, **extra: Any) -> Table:
    columns = {"Date": _days(count), "Open": _RANDOM.normal(size=count), "Close": _RANDOM.normal(size=count)}
    return Table({**columns, **extra}, "prices.csv", first_row=2)


def _roles(schema: Schema) -> dict[str, str]:
    return {column.name: column.role for column in schema.columns}


def _codes(notes: tuple[Note, ...]) -> list[str]:
    return [note.code for note in notes]


def test_a_price_file_with_a_named_target() -> None:
    schema, notes = infer(_prices(), task="forecast", target="Close")
    assert (schema.time, schema.unit, schema.frequency, schema.group) == ("Date", "datetime", 86400.0, None)
    assert _roles(schema) == {"Close": "target", "Open": "feature"}
    assert schema.calendar == ("day_of_week",)
    assert _codes(notes) == ["took_time", "took_features", "regular_time", "calendar"]
    assert Schema.model_validate_json(schema.model_dump_json()) == schema


def test_every_note_speaks_both_languages() -> None:
    table = _prices(60, text=_text(*(f"memo {at}" for at in range(60))), flat=np.ones(60), mood=_text(*"ab" * 30))
    _, notes = infer(table, task="forecast", target="Close")
    for note in notes:
        assert note.en and note.zh and "{" not in note.en + note.zh
        assert any("一" <= letter <= "鿿" for letter in note.zh)


def test_one_possible_target_is_taken_and_told() -> None:
    schema, notes = infer(_prices(Open=np.ones(60)), task="forecast")
    assert schema.of_role("target")[0].name == "Close"
    assert "took_target" in _codes(notes) and "dropped_constant" in _codes(notes)


def test_several_possible_targets_are_listed() -> None:
    with pytest.raises(ConfigError, match="2 columns could be the target") as caught:
        infer(_prices(), task="forecast")
    assert "'Open', 'Close'" in str(caught.value)


def test_a_telling_name_decides() -> None:
    schema, notes = infer(_prices(target=_RANDOM.normal(size=60)), task="forecast")
    assert schema.of_role("target")[0].name == "target"
    assert "took_target" in _codes(notes)


@pytest.mark.parametrize(
    ("flag", "nearest"), [("close", "Close"), ("Clsoe", "Close"), ("Opne", "Open"), ("date", "Date")]
)
def test_an_unknown_name_gets_a_suggestion(flag: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"Did you mean '{nearest}'"):
        infer(_prices(), task="forecast", target=flag)


def test_a_column_has_one_role() -> None:
    with pytest.raises(ConfigError, match="'Open' is given as target and as known"):
        infer(_prices(), task="forecast", target="Open", known="Open")
    with pytest.raises(ConfigError, match="'Date'"):
        infer(_prices(), task="forecast", target="Date", time="Date")


def test_flags_go_before_hints_and_hints_before_inference() -> None:
    columns = {"a": _RANDOM.normal(size=9), "b": _RANDOM.normal(size=9), "c": np.arange(9.0)}
    table = Table(columns, "f", hints=Hints(target=("a",), time="c"))
    schema, notes = infer(table, task="forecast")
    assert (schema.of_role("target")[0].name, schema.time, schema.unit) == ("a", "c", "number")
    assert {"took_target", "took_time"} <= set(_codes(notes))
    schema, _ = infer(table, task="forecast", target="b")
    assert _roles(schema) == {"b": "target", "a": "feature"}
    schema, _ = infer(table, task="forecast", target="c", features="a")
    assert schema.time is None and _roles(schema) == {"c": "target", "a": "feature", "b": "ignore"}
    schema, _ = infer(table, task="forecast", target=("c", "c"), features=())
    assert _roles(schema) == {"c": "target", "a": "ignore", "b": "ignore"}


def test_what_cannot_be_learnt_from_is_left_out_with_a_reason() -> None:
    count = 60
    table = _prices(
        count,
        flat=np.full(count, 3.0),
        empty=np.full(count, np.nan),
        memo=_text(*(f"memo {at}" for at in range(count))),
        id=np.arange(100.0, 100 + count),
        booked=_days(count, "2020-01-01"),
        mood=_text(*"abc" * 20),
    )
    schema, notes = infer(table, task="forecast", target="Close")
    left = {name for name, role in _roles(schema).items() if role == "ignore"}
    assert left == {"flat", "empty", "memo", "id", "booked"}
    wanted = {"dropped_constant", "dropped_empty", "ignored_text", "ignored_row_number", "ignored_time"}
    assert wanted <= set(_codes(notes))
    mood = next(column for column in schema.columns if column.name == "mood")
    assert (mood.kind, mood.categories) == ("category", ("a", "b", "c"))


def test_a_number_can_be_a_category() -> None:
    table = _prices(shop=np.array([7.0, 10.0, np.nan] * 20))
    schema, _ = infer(table, task="forecast", target="Close", categorical="shop")
    assert schema.columns[-1] == Column(name="shop", kind="category", categories=("7", "10"))
    assert schema.missing == "mask"


def test_the_policy_for_missing_values_is_chosen_and_told() -> None:
    table = _prices(60, Open=np.where(np.arange(60) % 7 == 0, np.nan, 1.0 * np.arange(60)))
    schema, notes = infer(table, task="forecast", target="Close")
    assert schema.missing == "mask"
    told = next(note for note in notes if note.code == "took_missing")
    assert told.level == "warning" and "9 values are missing, in 'Open'" in told.en
    assert infer(table, task="forecast", target="Close", missing="interpolate")[0].missing == "interpolate"
    assert infer(_prices(), task="forecast", target="Close")[0].missing == "error"


def test_several_series_are_found_by_their_repeated_dates() -> None:
    table = Table(
        {
            "shop": _text(*(name for name in ("x", "y", "z") for _ in range(20))),
            "day": np.concatenate([_days(20)] * 3),
            "sold": _RANDOM.normal(size=60),
            "size": np.repeat([1.0, 2.0, 5.0], 20),
        },
        "shops.csv",
    )
    schema, notes = infer(table, task="forecast", target="sold")
    assert schema.group == "shop" and "took_group" in _codes(notes)
    assert schema.columns[1] == Column(name="size", role="static", level="case")
    assert "took_static" in _codes(notes)


def test_a_group_without_time_goes_by_its_name() -> None:
    table = Table(
        {"unit": np.repeat([1.0, 2.0], 10), "load": _RANDOM.normal(size=20), "y": _RANDOM.normal(size=20)}, "f"
    )
    schema, notes = infer(table, task="regress")
    assert (schema.group, schema.of_role("target")[0].name) == ("unit", "y")
    assert "no_time" in _codes(notes)


def test_a_few_repeated_dates_do_not_make_a_group() -> None:
    table = _prices(60, mood=_text(*"ab" * 30))
    table.columns["Date"][31] = table.columns["Date"][30]
    with pytest.raises(DataError, match="rows 32 and 33 have the same time"):
        infer(table, task="forecast", target="Close")


def test_numbers_that_are_dates_are_read_as_such() -> None:
    table = Table({"trade_date": np.array([20240102.0, 20240103, 20240104]), "p": np.array([1.0, 2, 4])}, "f")
    schema, notes = infer(table, task="forecast")
    assert (schema.time, schema.unit) == ("trade_date", "yyyymmdd")
    assert "took_time_unit" in _codes(notes)


def test_labels_of_sequences() -> None:
    table = Table(
        {"value": _RANDOM.normal(size=12)},
        "f.ts",
        starts=np.array([0, 4, 8, 12]),
        case_columns={"label": _text("10", "9", "10")},
        hints=Hints(target=("label",), task="classify"),
    )
    schema, _ = infer(table, task="classify")
    assert schema.of_role("target") == (
        Column(name="label", role="target", kind="category", level="case", categories=("9", "10")),
    )
    assert schema.calendar == ()


def test_labels_in_a_long_table_are_one_a_sequence() -> None:
    table = Table(
        {"id": np.repeat([1.0, 2.0, 3.0], 5), "x": _RANDOM.normal(size=15), "label": np.repeat([0.0, 1.0, 0.0], 5)}, "f"
    )
    schema, _ = infer(table, task="classify", group="id", target="label")
    target = schema.of_role("target")[0]
    assert (target.level, target.categories) == ("case", ("0", "1"))


def test_several_labels_become_yes_or_no_columns() -> None:
    table = Table(
        {"x": _RANDOM.normal(size=6)},
        "f",
        starts=np.array([0, 2, 4, 6]),
        case_columns={"tags": _text("a|b", "b", "")},
        hints=Hints(target=("tags",)),
    )
    schema, notes = infer(table, task="classify")
    assert schema.several == "tags" and "took_labels" in _codes(notes)
    assert [column.name for column in schema.of_role("target")] == ["tags=a", "tags=b"]
    assert all(column.categories == ("0", "1") for column in schema.of_role("target"))


def test_several_targets() -> None:
    schema, _ = infer(_prices(), task="forecast", target=["Close", "Open"])
    assert [column.name for column in schema.of_role("target")] == ["Close", "Open"]


def test_irregular_time_is_told_to_the_user_and_to_the_model() -> None:
    time = _RANDOM.exponential(5, 60).cumsum()
    table = Table({"time": time, "y": _RANDOM.normal(size=60)}, "f")
    schema, notes = infer(table, task="forecast")
    assert schema.time_delta and schema.frequency is None and "irregular_time" in _codes(notes)
    schema, notes = infer(table, task="forecast", time_delta=False)
    assert not schema.time_delta and "irregular_unused" in _codes(notes)
    schema, _ = infer(table, task="forecast", resample="mean", frequency=10)
    assert (schema.resample, schema.frequency, schema.time_delta, schema.missing) == ("mean", 10, False, "mask")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"calendar": ["hour_of_day", "moon"]}, "no calendar feature 'moon'"),
        ({"frequency": -1.0}, "not a number above zero"),
        ({"frequency": float("inf")}, "not a number above zero"),
        ({"ignore": "Date", "calendar": "weekend"}, "calendar features need time stamps"),
        ({"ignore": "Date", "resample": "mean"}, "need a time column"),
        ({"ignore": "Date", "time_delta": True}, "needs a time column"),
    ],
)
def test_options_that_cannot_be_met(flags: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        infer(_prices(), task="forecast", target="Close", **flags)


def test_business_days_are_not_resampled_by_seconds() -> None:
    days = _days(90)
    days = days[np.is_busday(days.astype("datetime64[D]"))]
    table = Table({"Date": days, "y": _RANDOM.normal(size=len(days))}, "f")
    assert str(infer(table, task="forecast")[0].rhythm) == "1 business day"
    with pytest.raises(ConfigError, match="not a fixed number of seconds"):
        infer(table, task="forecast", resample="last")


@pytest.mark.parametrize(
    ("cells", "taken"),
    [
        (np.arange(60.0), True),
        (-(np.arange(60.0) ** 1.5), True),
        (np.tile(np.arange(10.0), 6), True),
        (_RANDOM.normal(size=60), False),
    ],
)
def test_only_a_clock_is_taken_for_time(cells: Any, taken: bool) -> None:
    table = Table({"y": _RANDOM.normal(size=60), "time": cells, "unit": np.repeat(np.arange(6.0), 10)}, "f")
    schema, _ = infer(table, task="forecast", target="y")
    assert (schema.time == "time") == taken


def test_targets_stand_at_one_level() -> None:
    table = Table({"x": np.arange(6.0)}, "f", starts=np.array([0, 2, 6]), case_columns={"age": np.array([1.0, 2.0])})
    with pytest.raises(ConfigError, match="one of 'age' and 'x' has one value a sequence"):
        infer(table, task="regress", target=["age", "x"])


def test_resampling_needs_a_step() -> None:
    table = Table({"g": _text(*"abc"), "t": _days(3), "y": np.array([1.0, 2, 4])}, "f")
    with pytest.raises(ConfigError, match="no series has two rows"):
        infer(table, task="forecast", group="g", target="y", resample="mean")


def test_calendar_can_be_chosen_or_left_out() -> None:
    chosen = infer(_prices(), task="forecast", target="Close", calendar=["weekend", "day_of_month"])[0].calendar
    assert chosen == ("weekend", "day_of_month")
    assert infer(_prices(), task="forecast", target="Close", calendar=())[0].calendar == ()


def test_groups_of_sequences_are_remembered() -> None:
    table = Table(
        {"x": _RANDOM.normal(size=6)},
        "f",
        starts=np.array([0, 2, 4, 6]),
        case_columns={"label": _text("a", "b", "a"), "patient": _text("p", "p", "q")},
        hints=Hints(target=("label",), group="patient"),
    )
    schema, notes = infer(table, task="classify")
    assert schema.group == "patient" and "took_cluster" in _codes(notes)
    assert [column.name for column in schema.columns] == ["label", "x"]
