"""What an architecture search says of its two methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.workflow.small import gestures

from unrolled.core.errors import ConfigError
from unrolled.core.records import Metric
from unrolled.core.search import Tried
from unrolled.core.trial import Trial
from unrolled.workflow.enas import _paid
from unrolled.workflow.search import search
from unrolled.workflow.searched_layer import SearchedLayer


def _tried(by: str, value: float, low: float, high: float, stopped: str = "epochs") -> Tried:
    metric = Metric(name="accuracy", value=value, better="higher", low=low, high=high)
    return Tried(number=0, values={"found by": by}, trial=Trial(name=by, state="done", metric=metric, stopped=stopped))


@pytest.mark.parametrize(
    ("chance", "en", "zh"),
    [
        ((0.6, 0.5, 0.7), "it paid.", "有收益。"),
        ((0.85, 0.75, 0.95), "it made no sure difference.", "没有确定的差别。"),
        ((0.99, 0.98, 1.0), "it did not pay.", "没有收益。"),
    ],
)
def test_whether_the_controller_paid_is_said_in_both_languages(
    chance: tuple[float, float, float], en: str, zh: str
) -> None:
    (note,) = _paid([_tried("enas", 0.9, 0.85, 0.95), _tried("random", *chance)], 20)
    assert note.en.startswith("In 20 s each, the controller's best has accuracy 0.9, the best of random")
    assert note.en.endswith(en)
    assert note.zh.startswith("各用 20 秒，控制器的最佳结果为准确率 0.9，随机结构") and note.zh.endswith(zh)


def test_one_that_was_cut_short_is_compared_only_where_nothing_is_whole() -> None:
    whole, short = _tried("enas", 0.5, 0.4, 0.6), _tried("enas", 0.9, 0.85, 0.95, stopped="budget")
    chance = _tried("random", 0.5, 0.4, 0.6)
    assert "0.5, the best" in _paid([short, whole, chance], 1)[0].en
    assert "0.9, the best" in _paid([short, chance], 1)[0].en
    assert _paid([short], 1) == ()


def test_both_methods_try_every_wiring_once_where_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrolled.workflow.enas._EXPLORE", 0.02)
    plan: dict[str, Any] = {
        "data": {"path": str(gestures(tmp_path / "g.csv")), "target": "kind", "split": {"valid": 0.25}},
        "net": [{"enas": {"nodes": 1, "size": {"choice": [2]}}}],
        "train": {"epochs": 3, "batch_size": 16, "patience": None},
        "search": {"method": "enas", "seconds": 60.0},
    }
    record = search(plan, folder=tmp_path / "s").record
    for by in ("enas", "random"):
        tried = [one for one in record.tried if one.values["found by"] == by]
        assert len({one.values["cell"] for one in tried}) == len(tried) == 4  # there are no more
        assert all(one.trial.epochs == 3 and one.trial.whole for one in tried)  # with nothing else to do
    assert [one.number for one in record.tried] == list(range(8))


def test_widths_are_named_once() -> None:
    assert SearchedLayer.of([{"enas": {"size": {"choice": [4, 8, 4]}}}]).widths == (4, 8)
    with pytest.raises(ConfigError, match="not a choice of whole numbers"):
        SearchedLayer.of([{"enas": {"size": {"choice": []}}}])
