"""From the user's data to series and parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.small import engines, gestures, levels, prices, write

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.read import read
from unrolled.prepare.table import Table
from unrolled.workflow.config import DataSettings
from unrolled.workflow.source import guess_task, load, open_table, read_options


def settings(**given: Any) -> DataSettings:
    return DataSettings.model_validate(given)


@pytest.mark.parametrize(
    "make, target, task",
    [(prices, "Close", "forecast"), (gestures, "kind", "classify"), (levels, "level", "regress")],
)
def test_the_task_is_guessed_from_the_target(make: Any, target: str, task: str, tmp_path: Path) -> None:
    given = settings(path=str(make(tmp_path / "data.csv")), target=target)
    name, note = guess_task(open_table(given), given)
    assert name == task and note.code == "took_task" and f"'{task}'" in note.en and f"“{task}”" in note.zh


@pytest.mark.parametrize("column", ["row", "case"])
def test_a_few_whole_numbers_a_sequence_are_labels(column: str, tmp_path: Path) -> None:
    if column == "row":
        rows = [(f"s{at}", t, t * at % 5, at % 3) for at in range(12) for t in range(6)]
        table = read(write(tmp_path / "data.csv", ("id", "t", "a", "y"), rows))
    else:
        table = read((np.arange(48.0).reshape(12, 4), np.arange(12) % 3))
    assert guess_task(table, settings(target="y"))[0] == "classify"


def test_a_number_that_changes_within_a_series_is_forecast(tmp_path: Path) -> None:
    """Even where it changes rarely: a price that rests for days."""
    rows = [(day, 10 + at // 8) for at, day in enumerate(np.datetime64("2024-01-01") + np.arange(80))]
    table = read(write(tmp_path / "data.csv", ("date", "price"), rows))
    assert guess_task(table, settings(target="price"))[0] == "forecast"


@pytest.mark.parametrize("by", ["group", "auto"])
def test_no_group_stands_in_two_parts(by: str) -> None:
    groups = np.repeat(np.arange(10), 4)
    table = read((np.random.default_rng(0).normal(size=(40, 6)), np.tile(["a", "b"], 20), groups))
    found = load(table, settings(split={"by": by, "valid": 0.2}), "classify")
    members = {name: {groups[s] for s, _, _ in part.spans} for name, part in found.parts.items()}
    assert set(members) == {"train", "valid", "test"} and sum(map(len, members.values())) == 10
    assert set.union(*members.values()) == set(range(10))


def test_an_engine_stands_in_one_part(tmp_path: Path) -> None:
    given = settings(path=str(engines(tmp_path / "e.csv")), target="rul")
    found = load(open_table(given), given, "failure")
    members = [s for part in found.parts.values() for s, _, _ in part.spans]
    assert sorted(members) == list(range(16))


def test_a_later_file_of_the_same_series_continues_it(tmp_path: Path) -> None:
    lines = prices(tmp_path / "all.csv").read_text().splitlines()
    early, late = tmp_path / "early.csv", tmp_path / "late.csv"
    early.write_text("\n".join(lines[:101]) + "\n")
    late.write_text("\n".join([lines[0], *lines[101:]]) + "\n")
    given = settings(path=str(early), test=str(late), target="Close")
    test = load(open_table(given), given, "forecast").parts["test"]
    assert len(test.series.values) == 120 and test.spans == [(0, 100, 120)]
    again = given.model_copy(update={"test": str(early)})
    assert load(open_table(again), again, "forecast").parts["test"].spans == [(0, 0, 100)]


def test_what_was_handed_over_is_taken_as_it_is() -> None:
    table = Table({"y": np.arange(5.0)}, "given")
    assert open_table(settings(path="no such file"), table) is table
    with pytest.raises(ConfigError, match=r"data\.path"):
        open_table(settings())


def test_options_of_reading_are_plain_data() -> None:
    given = settings(wide=True, target="kind", static="city", categorical="code", options={"cache": Path("here")})
    expected = {"categorical": ["code"], "wide": True, "labels": ["kind", "city"], "cache": "here"}
    assert read_options(given) == expected
    assert read_options(settings()) == {}


def test_a_file_without_numbers_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.csv", ("date", "y"), [(f"2024-01-0{day}", "") for day in range(1, 9)])
    with pytest.raises((DataError, ConfigError), match="y"):
        given = settings(path=str(path), target="y")
        load(open_table(given), given, "forecast")
