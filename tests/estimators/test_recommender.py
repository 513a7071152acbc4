"""The recommender as an estimator: sessions in memory and in tables."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unrolled import Recommender
from unrolled.core.errors import ConfigError, DataError

SMALL: dict[str, Any] = {"net": [{"gru": {"size": 16}}, {"items": {}}], "epochs": 8, "batch_size": 8}
SMALL |= {"learning_rate": 0.03, "random_state": 0}


def sessions(count: int, seed: int = 0) -> list[list[int]]:
    """Nine items, each of which is mostly followed by the item after the next."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        item, own = int(random.integers(9)), []
        for _ in range(int(random.integers(2, 9))):
            own.append(500 + item)
            item = (item + 2) % 9 if random.random() < 0.9 else int(random.integers(9))
        found.append(own)
    return found


@pytest.fixture(scope="module")
def fitted() -> Recommender:
    return Recommender(**SMALL).fit(sessions(120))


def test_the_next_item_in_its_own_type(fitted: Recommender, tmp_path: Path) -> None:
    later = sessions(60, seed=1)
    said = fitted.predict([session[:-1] for session in later])
    assert said.dtype.kind == "i" and sorted(fitted.items_) == list(range(500, 509))
    assert np.mean(said == [session[-1] for session in later]) > 0.6
    best = fitted.recommend(later, 3)
    assert best.shape == (60, 3) and (best[:, 0] == fitted.predict(later)).all()
    assert fitted.recommend(later).shape == (60, 9)
    assert fitted.score(later) > 0.8
    fitted.save(tmp_path / "m")
    for again in (Recommender.load(tmp_path / "m"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(again.recommend(later), fitted.recommend(later))
    assert fitted.predict([[77]]).shape == (1,)  # an item that training has not seen


def test_the_score_is_a_recall(fitted: Recommender) -> None:
    later = sessions(30, seed=2)
    asked = [(session[:at], session[at]) for session in later for at in range(1, len(session))]
    best = fitted.recommend([before for before, _ in asked], 5)
    assert fitted.score(later) == pytest.approx(
        np.mean([item in own for (_, item), own in zip(asked, best, strict=True)])
    )


def test_words_in_a_table() -> None:
    own = sessions(80)
    frame = pl.DataFrame(
        {
            "visit": [f"v{at}" for at, session in enumerate(own) for _ in session],
            "page": [f"página {item}" for session in own for item in session],
        }
    )
    model = Recommender(**SMALL, settings={"data": {"group": "visit"}}).fit(frame, "page")
    assert model.predict(frame).shape == (80,) and model.items_[0].startswith("página ")
    assert model.predict_table(frame).columns == ["id", "time", "rank", "page", "probability"]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], None, "there is no session"),
        (["abc"], None, "no such file"),
        ([[1, 2], []], None, "session 1: it is no list of items"),
        ([[1, 2], [[1], [2]]], None, "session 1: it is no list of items"),
        ([[1, None], [1, 2]], None, "session 0: it is no list of items"),
        ([[1], [2], [3]], None, "nothing follows anything"),
        ([[1, 2]] * 4, [3] * 4, "Leave it out"),
        (7, None, "there is no session"),
    ],
)
def test_what_it_cannot_learn_from(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recommender(**{**SMALL, "epochs": 1}).fit(X, y)


def test_what_it_cannot_answer(fitted: Recommender) -> None:
    with pytest.raises(ConfigError, match="an answer lists 9 items"):
        fitted.recommend([[501]], 10)
    with pytest.raises(DataError, match="no list of items"):
        fitted.predict([501, 502])
