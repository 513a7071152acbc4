"""Real data through both doors: a file and arrays give one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled import Classifier
from unrolled.prepare.read import read


def arrays(path: Path) -> tuple[list[Any], Any]:
    table = read(path)
    assert table.starts is not None
    values = np.stack(list(table.columns.values()), axis=1)
    return np.split(values, table.starts[1:-1]), np.array(next(iter(table.case_columns.values())).tolist())


@pytest.mark.shared
def test_vowels_of_many_lengths(shared_data: Path) -> None:
    train, test = (shared_data / "ucr_uea/JapaneseVowels" / f"JapaneseVowels_{part}.ts" for part in ("TRAIN", "TEST"))
    model = Classifier([{"gru": {"size": 16}}], epochs=8, batch_size=16, learning_rate=0.01, random_state=0)
    (X, y), (other, truth) = arrays(train), arrays(test)
    by_arrays = model.fit(X, y)
    predicted, score = by_arrays.predict(other), by_arrays.score(other, truth)
    assert by_arrays.n_features_in_ == 12
    by_file = model.fit(train)
    np.testing.assert_array_equal(by_file.predict(test), predicted)
    assert by_file.score(test) == pytest.approx(score)
    assert score > 0.9
