"""Two files of different rates: each row gets what the other file last said, and nothing from later."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unrolled.core.errors import ConfigError, DataError, UnrolledError
from unrolled.prepare.read import read


def hour(at: int) -> datetime:
    return datetime(2024, 1, 1 + at // 24, at % 24)


def files(folder: Path, fast: dict[str, Any], slow: dict[str, Any]) -> tuple[Path, Path]:
    pl.DataFrame(fast).write_csv(folder / "fast.csv")
    pl.DataFrame(slow).write_csv(folder / "slow.csv")
    return folder / "fast.csv", folder / "slow.csv"


def test_it_is_polars_asof_join_within_series(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    fast, slow = (
        pl.DataFrame(
            {
                "machine": random.choice(["a", "b", "c"][:kinds], count),
                "time": [hour(at) for at in random.integers(0, 300, count).tolist()],
                name: random.normal(size=count).round(4),
                f"{name}_kind": random.choice(["x", "y"], count),
            }
        ).unique(["machine", "time"])
        for kinds, count, name in ((3, 200, "speed"), (2, 40, "wear"))
    )
    paths = files(tmp_path, fast.to_dict(), slow.to_dict())
    found = read(paths[0], beside=paths[1])
    expected = fast.with_row_index().sort("time").join_asof(slow.sort("time"), on="time", by="machine").sort("index")
    np.testing.assert_array_equal(found.columns["wear"], expected["wear"].to_numpy())
    assert found.columns["wear_kind"].tolist() == expected["wear_kind"].to_list()
    assert list(found.columns) == ["machine", "time", "speed", "speed_kind", "wear", "wear_kind"]
    said = next(note for note in found.notes if note.code == "put_beside")
    assert f"{expected['wear'].null_count()} rows" in said.en


def test_numbers_can_be_the_time_and_columns_be_chosen(tmp_path: Path) -> None:
    fast, slow = files(
        tmp_path, {"t": [0.0, 1.0, 2.5, 9.0], "a": [1, 2, 3, 4]}, {"t": [1.0, 2.6], "b": [5, 6], "c": [7, 8]}
    )
    found = read(fast, beside=slow, on="t", columns=["t", "b"])
    assert list(found.columns) == ["t", "b"]
    np.testing.assert_array_equal(found.columns["b"], [np.nan, 5, 5, 6])


@pytest.mark.parametrize(
    ("fast", "slow", "on", "kind", "said"),
    [
        ({"t": [1.0], "a": [1]}, {"t": [1.0], "b": [1]}, None, ConfigError, "no column of time stamps in common"),
        ({"t": [1.0], "a": [1]}, {"t": [1.0], "b": [1]}, "s", ConfigError, "fast.csv has no column 's'"),
        ({"t": [1.0], "a": [1]}, {"t": [hour(1)], "b": [1]}, "t", DataError, "not of one kind"),
        ({"t": [hour(1)], "a": [1]}, {"t": [hour(1)], "a": [1]}, None, DataError, "no column that fast.csv lacks"),
        ({"t": [1.0, 2.0], "a": [1, 2]}, {"t": [1.0, None], "b": [1, 2]}, "t", DataError, "slow.csv, row 3"),
    ],
)
def test_what_cannot_stand_beside(
    tmp_path: Path, fast: Any, slow: Any, on: str | None, kind: type[UnrolledError], said: str
) -> None:
    paths = files(tmp_path, fast, slow)
    with pytest.raises(kind, match=said):
        read(paths[0], beside=paths[1], on=on)
