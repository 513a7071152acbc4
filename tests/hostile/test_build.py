"""Tables that cannot be used as they are: each ends in one sentence that names the place and the mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import ConfigError, DataError, UnrolledError
from unrolled.prepare.build import build
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import infer
from unrolled.prepare.table import Hints, Table

_RANDOM = np.random.default_rng(0)


def _text(*cells: str | None) -> Any:
    return np.array([*cells, None], dtype=object)[:-1]


def _days(*days: int) -> Any:
    return (np.datetime64("2024-01-01") + np.array(days, dtype=np.int64)).astype("datetime64[ns]")


def _table(count: int = 30, **changed: Any) -> Table:
    columns = {"Date": _days(*range(count)), "a": _RANDOM.normal(size=count), "y": _RANDOM.normal(size=count)}
    return Table({**columns, **changed}, "data.csv", first_row=2)


def _set(table: Table, name: str, row: int, value: Any) -> Table:
    table.columns[name][row] = value
    return table


def _cases(labels: Any) -> Table:
    count = len(labels)
    return Table(
        {"x": _RANDOM.normal(size=4 * count)},
        "cases.ts",
        starts=np.arange(0, 4 * count + 1, 4),
        case_columns={"label": labels},
        hints=Hints(target=("label",)),
    )


@pytest.mark.parametrize(
    ("table", "task", "words"),
    [
        (Table({"a": np.zeros(0)}, "data.csv"), "forecast", "data.csv: there are no rows"),
        (Table({}, "data.csv"), "forecast", "data.csv: there are no rows"),
        (_table(y=np.full(30, np.nan)), "forecast", "column 'y': the target has no value at all"),
        (_table(y=np.full(30, 7.0)), "forecast", "column 'y': the target is 7 everywhere"),
        (_table(y=np.full(30, 7.0)), "regress", "column 'y': the target is 7 everywhere"),
        (_table(y=_text(*"pq" * 15)), "forecast", "column 'y': the target is text \\('p', ...\\)"),
        (_table(y=_text(*"p" * 30)), "classify", "column 'y': there is one class only: 'p'"),
        (_table(y=_days(*range(30))), "forecast", "column 'y': time stamps cannot be the target"),
        (_set(_table(), "y", 3, np.inf), "forecast", "row 5, column 'y': the value is infinite \\(inf\\)"),
        (_set(_table(), "a", 0, -np.inf), "forecast", "row 2, column 'a': the value is infinite \\(-inf\\)"),
        (_set(_table(), "a", 9, 1e300), "forecast", "row 11, column 'a': the value is too large \\(1e\\+300\\)"),
        (
            _set(_table(), "Date", 7, np.datetime64("NaT")),
            "forecast",
            "row 9, column 'Date'.*1 time stamps are missing",
        ),
        (_set(_table(), "Date", 8, _days(2)[0]), "forecast", "rows 4 and 10 have the same time 2024-01-03"),
    ],
)
def test_data_that_cannot_be_used(table: Table, task: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        build(table, infer(table, task=task, target="y" if "y" in table.columns else None)[0])
    assert caught.value.where.startswith("data.csv")
    assert caught.value.mend


def test_one_class_or_no_class_among_sequences() -> None:
    with pytest.raises(DataError, match="one class only: '1'"):
        infer(_cases(np.ones(3)), task="classify")
    with pytest.raises(DataError, match="no value at all"):
        infer(_cases(_text(None, None)), task="classify")


def test_a_quantity_is_no_class() -> None:
    with pytest.raises(ConfigError, match="'label' has 200 different numbers: this is a quantity"):
        infer(_cases(_RANDOM.normal(size=200)), task="classify")


def test_a_label_of_sequences_cannot_be_forecast() -> None:
    with pytest.raises(DataError, match="one value a row"):
        infer(_cases(np.arange(3.0)), task="forecast")


def test_an_empty_column_is_left_out_and_does_no_harm() -> None:
    table = _table(empty=np.full(30, np.nan), flat=np.full(30, 2.0))
    schema, notes = infer(table, task="forecast", target="y")
    assert {"dropped_empty", "dropped_constant"} <= {note.code for note in notes}
    assert [column.name for column in build(table, schema).columns] == ["y", "a"]


def test_the_same_file_newest_first() -> None:
    table = _table()
    turned = Table({name: cells[::-1] for name, cells in table.columns.items()}, "data.csv")
    schema, _ = infer(table, task="forecast", target="y")
    np.testing.assert_array_equal(build(table, schema).values, build(turned, schema).values)


def test_no_column_can_be_the_target() -> None:
    with pytest.raises(ConfigError, match="no column can be the target"):
        infer(Table({"Date": _days(1, 2), "memo": _text("a", "b")}, "f"), task="forecast")


def test_the_named_time_column_is_no_time() -> None:
    table = _table(memo=_text(*"pq" * 15))
    with pytest.raises(DataError, match="column 'memo': this is not a column of time stamps"):
        infer(table, task="forecast", target="y", time="memo")


def test_the_name_of_a_series_is_missing() -> None:
    table = _table(shop=_text(*(None if at == 4 else "x" for at in range(30))))
    with pytest.raises(DataError, match="row 6, column 'shop': the name of the series is missing"):
        infer(table, task="forecast", target="y", group="shop")


def test_repeats_inside_one_of_several_series_name_it() -> None:
    table = Table({"g": _text(*"aaabbb"), "t": _days(1, 2, 3, 1, 2, 2), "v": np.arange(6.0)}, "data.csv", first_row=2)
    with pytest.raises(DataError, match="rows 6 and 7 of series 'b' have the same time"):
        infer(table, task="forecast", target="v", group="g")


def test_an_unknown_label_at_evaluation_is_named_and_prediction_goes_on() -> None:
    train = _cases(_text("cat", "dog", "cat", "dog"))
    schema, _ = infer(train, task="classify")
    series = build(train, schema)
    preprocessor = Preprocessor(schema).fit(series, [(s, 4 * s, 4 * s + 4) for s in range(4)])
    test = build(_cases(_text("dog", "cow", None)), schema)
    samples = Samples(test.starts[:-1], test.starts[1:], np.arange(3))
    for truth in (preprocessor.truth, preprocessor.arrays):
        with pytest.raises(DataError, match="does not know the label 'cow'") as caught:
            truth(test, samples)
        assert "'cat', 'dog'" in caught.value.mend and "column 'label'" in caught.value.where
    assert preprocessor.arrays(test, samples, truth=False).x.shape == (3, 4, 1)
    known = samples[np.array([0, 2])]
    np.testing.assert_array_equal(preprocessor.truth(test, known)[:, 0, 0], [1, np.nan])


def test_an_unknown_one_of_several_labels_is_named() -> None:
    train = _cases(_text("a|b", "b", "a", ""))
    schema, _ = infer(train, task="classify")
    preprocessor = Preprocessor(schema).fit(build(train, schema), [(s, 4 * s, 4 * s + 4) for s in range(4)])
    test = build(_cases(_text("a", "b|zebra")), schema)
    samples = Samples(test.starts[:-1], test.starts[1:], np.arange(2))
    with pytest.raises(DataError, match="does not know the label 'zebra'") as caught:
        preprocessor.truth(test, samples)
    assert "'a', 'b'" in caught.value.mend
    assert preprocessor.truth(test, samples[:1]).tolist() == [[[1, 0]]]


def test_one_class_in_the_training_part_and_a_class_absent_from_it() -> None:
    table = _cases(_text("a", "a", "b", "c"))
    schema, _ = infer(table, task="classify")
    series = build(table, schema)
    with pytest.raises(DataError, match="the training part has one class only"):
        Preprocessor(schema).fit(series, [(0, 0, 4), (1, 4, 8)])
    preprocessor = Preprocessor(schema).fit(series, [(0, 0, 4), (2, 8, 12)])
    assert [note.code for note in preprocessor.notes] == ["class_absent"]
    assert "'c'" in preprocessor.notes[0].en
    with pytest.raises(DataError, match="training part is empty"):
        Preprocessor(schema).fit(series, [(0, 4, 4)])


def test_random_tables_end_in_a_series_or_in_a_sentence() -> None:
    random = np.random.default_rng(7)
    made = 0
    for _ in range(300):
        count = int(random.integers(0, 12))
        kinds: list[Callable[[int], Any]] = [
            lambda n: random.normal(size=n),
            lambda n: np.where(random.random(n) < 0.3, np.nan, random.integers(0, 3, n)).astype(np.float64),
            lambda n: np.full(n, random.choice([np.nan, np.inf, 1.0])),
            lambda n: random.choice(np.array(["a", "b|c", None, "7"], dtype=object), n),
            lambda n: _days(*random.integers(0, 20, n).tolist()),
            lambda n: np.full(n, np.datetime64("NaT"), dtype="datetime64[ns]"),
        ]
        columns = {
            name: kinds[int(random.integers(len(kinds)))](count)
            for name in ("Date", "id", "y", "x", "label")[: int(random.integers(1, 6))]
        }
        table = Table(columns, "data.csv")
        task = str(random.choice(["forecast", "classify", "regress", "failure"]))
        try:
            series = build(table, infer(table, task=task)[0])
        except UnrolledError as error:
            assert str(error)
            continue
        made += 1
        assert series.values.shape == (series.starts[-1], len(series.row_columns))
        assert not np.isinf(series.values).any()
    assert made > 20
