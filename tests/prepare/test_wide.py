from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.build import build
from unrolled.prepare.schema import infer
from unrolled.prepare.table import Table
from unrolled.prepare.wide import rows_as_series

_NAN = float("nan")


def _table(**changed: Any) -> Table:
    columns: dict[str, Any] = {
        "V1": np.array(["H1", "H2", "H3"], dtype=object),
        "V2": np.array([1.0, 4.0, 6.0]),
        "V3": np.array([2.0, _NAN, 7.0]),
        "V4": np.array([3.0, 5.0, _NAN]),
    }
    return Table({**columns, **changed}, "wide.csv", first_row=2)


def test_every_row_becomes_a_series_and_the_padding_goes() -> None:
    table = rows_as_series(_table())
    assert table.starts is not None and table.starts.tolist() == [0, 3, 6, 8]
    assert table.case_ids == ("H1", "H2", "H3")
    np.testing.assert_array_equal(table.columns["value"], [1, 2, 3, 4, _NAN, 5, 6, 7])
    assert [note.code for note in table.notes] == ["rows_as_series"]
    series = build(table, infer(table, task="forecast")[0])
    assert series.ids == ("H1", "H2", "H3")


def test_labels_stay_with_their_row() -> None:
    table = rows_as_series(_table(V1=np.array([1.0, 2.0, 1.0])), labels=["V1"])
    assert table.case_ids is None and table.hints.target == ("V1",)
    schema, _ = infer(table, task="classify")
    assert build(table, schema).cases[:, 0].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"V3": np.array(["a", "b", "a"], dtype=object)}, "'V3' hold no numbers"),
        ({name: np.array([1.0, _NAN, 2.0]) for name in ("V2", "V3", "V4")}, "row 3: the row holds no value"),
    ],
)
def test_rows_that_are_no_series(changed: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        rows_as_series(_table(**changed))


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match="no column 'V9'"):
        rows_as_series(_table(), labels=["V9"])
