"""Predictions for new files, by a bundle alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.workflow.small import gestures, job, prices, write

from unrolled.core.bundle import Bundle
from unrolled.core.errors import DataError
from unrolled.workflow.predict import predict


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forecast")
    job("forecast", folder, out="run")
    return folder


def cells(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()]


def test_times_continue_and_numbers_are_in_the_units_of_the_file(home: Path) -> None:
    found = predict(home / "run", home / "forecast.csv")
    assert found.times is not None
    assert [str(time)[:10] for time in found.times[0]] == ["2024-04-30", "2024-05-01", "2024-05-02"]
    value = found.answer.value[0, :, 0]
    assert (np.abs(value - 100) < 30).all()
    assert found.answer.quantiles is not None
    assert (found.answer.quantiles[0, :, 0, 0] < value).all() and (found.answer.quantiles[0, :, 0, -1] > value).all()
    table = found.table()
    assert table.columns["step"].tolist() == [1, 2, 3] and table.columns["Close"].tolist() == value.tolist()


def test_the_order_of_columns_and_further_ones_change_nothing(home: Path, tmp_path: Path) -> None:
    whole = predict(home / "run", home / "forecast.csv")
    header, *rows = cells(home / "forecast.csv")
    mixed = write(tmp_path / "mixed.csv", ["Note", *header[::-1]], [["x", *row[::-1]] for row in rows])
    found = predict(home / "run", mixed)
    np.testing.assert_array_equal(found.answer.value, whole.answer.value)
    assert "extra_columns" in {note.code for note in found.notes}


def test_only_the_window_before_the_end_counts(home: Path, tmp_path: Path) -> None:
    header, *rows = cells(home / "forecast.csv")
    whole = predict(home / "run", home / "forecast.csv").answer.value
    short = predict(home / "run", write(tmp_path / "short.csv", header, rows[-8:])).answer.value
    np.testing.assert_allclose(short, whole, rtol=1e-5)
    with pytest.raises(DataError, match=r"shorter\.csv: the model looks back on 8 rows, and the longest series has 7"):
        predict(home / "run", write(tmp_path / "shorter.csv", header, rows[-7:]))


def test_missing_columns_are_named(home: Path, tmp_path: Path) -> None:
    header, *rows = cells(home / "forecast.csv")
    path = write(tmp_path / "less.csv", header[:3:2], [row[:3:2] for row in rows])
    with pytest.raises(DataError, match=r"less\.csv: the model needs 'Open', 'Volume', which this file does not have"):
        predict(home / "run", path)


def test_no_target_is_needed_but_as_the_past_of_a_forecast(home: Path, tmp_path: Path) -> None:
    header, *rows = cells(home / "forecast.csv")
    path = write(tmp_path / "bare.csv", [header[0], header[1], header[3]], [[r[0], r[1], r[3]] for r in rows])
    with pytest.raises(DataError, match="the model needs 'Close'"):
        predict(home / "run", path)
    trained = job("classify", tmp_path)
    full = predict(trained.bundle, tmp_path / "classify.csv")
    header, *rows = cells(tmp_path / "classify.csv")
    bare = predict(trained.bundle, write(tmp_path / "bare.csv", header[:3], [row[:3] for row in rows]))
    np.testing.assert_array_equal(bare.answer.value, full.answer.value)
    assert "no_target_column" in {note.code for note in bare.notes}


def test_every_window_or_some(home: Path) -> None:
    all_of_them = predict(home / "run", home / "forecast.csv", which="all").answer.value
    some = predict(home / "run", home / "forecast.csv", which="all", stride=10).answer.value
    assert len(all_of_them) == 120 - 8 + 1
    np.testing.assert_allclose(some, all_of_them[::10], rtol=1e-6)


_WITHOUT_TORCH = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "lightning_fabric", "polars", "sklearn", "pandas"}:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)

sys.meta_path.insert(0, Blocked())
from unrolled.workflow.predict import predict
from unrolled.prepare.write import to_csv
print(to_csv(predict(sys.argv[1], sys.argv[2]).table()), end="")
"""


@pytest.mark.parametrize("task", ["forecast", "classify"])
def test_a_bundle_predicts_where_torch_cannot_be_imported(task: str, home: Path, tmp_path: Path) -> None:
    from unrolled.prepare.write import to_csv

    if task == "classify":
        job("classify", tmp_path, out="run")
        home = tmp_path
    given = (gestures if task == "classify" else prices)(tmp_path / "new.csv")
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, str(home / "run"), str(given)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == to_csv(predict(home / "run", given).table())


def test_bundles_in_memory_and_in_files_answer_alike(home: Path) -> None:
    bundle = Bundle.read(home / "run" / "model.unrolled")
    one, other = (predict(given, home / "forecast.csv") for given in (bundle, home / "run" / "model.unrolled"))
    np.testing.assert_array_equal(one.answer.value, other.answer.value)
    assert json.dumps(bundle.manifest.metrics)
