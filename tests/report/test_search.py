"""A search as a page and in the terminal: what it shows is what the record holds."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from tests.report.reading import Page
from tests.report.runs import metric

from unrolled.core.records import Language, Note
from unrolled.core.search import AxisFacts, SearchRecord, Tried
from unrolled.core.trial import Trial
from unrolled.report import search, search_charts, search_screen
from unrolled.report.charts import Chart
from unrolled.report.words import Words

WORDS = Words("en")
AXES = (
    AxisFacts(path="net.0", options=("gru", "lstm")),
    AxisFacts(path="net.0(gru).gru.size", options=(8, 16)),
    AxisFacts(path="train.learning_rate", low=1e-4, high=1e-2, log=True),
)


def _tried(number: int, accuracy: float, values: dict[str, Any], **facts: Any) -> Tried:
    figure = metric("accuracy", accuracy, better="higher")
    measured = {"metric": figure, "bytes": 1000 * (number + 1), "predict_us": 90.0}
    trial = Trial(name=str(number), **{"state": "done", "stopped": "epochs", **measured, **facts})
    return Tried(number=number, values=values, trial=trial)


def _record(**changes: Any) -> SearchRecord:
    tried = (
        _tried(0, 0.7, {"net.0": "gru", "net.0(gru).gru.size": 16, "train.learning_rate": 1e-3}),
        _tried(1, 0.9, {"net.0": "lstm", "train.learning_rate": 1e-2}),
        _tried(2, 0.8, {"net.0": "lstm", "train.learning_rate": 1e-4}, state="pruned", stopped="pruned"),
        _tried(3, 0.0, {"net.0": "lstm", "train.learning_rate": 1e-4}, state="failed", metric=None, reason="diverged",
               error="the loss is nan <b>"),
    )  # fmt: skip
    known: dict[str, Any] = {
        "name": "s",
        "settings": {"method": "tpe"},
        "axes": AXES,
        "tried": tried,
        "importance": {"net.0": 0.2, "train.learning_rate": 0.8},
        "frontier": (0, 1),
        "best": 1,
        "command": "unrolled train --config s/best.yaml",
        "notes": (Note(code="n", en="a note", zh="说明"),),
    }
    return SearchRecord(**{**known, **changes})


def _series(chart: Chart) -> dict[str, Any]:
    return {one["name"]: one["data"] for one in chart.option["series"]}


def test_the_history_has_every_figure_and_the_best_so_far() -> None:
    series = _series(search_charts.history(_record(), WORDS))
    assert series["Best so far"] == [[0.0, 0.7], [1.0, 0.9], [2.0, 0.9]]
    assert series["done"] == [[0, 0.7], [1, 0.9]] and series["stopped early"] == [[2, 0.8]]


def test_importance_has_the_largest_on_top() -> None:
    option = search_charts.importance(_record(), WORDS).option
    assert option["yAxis"]["data"] == ["net.0", "train.learning_rate"] and option["series"][0]["data"] == [0.2, 0.8]


def test_the_frontier_is_marked() -> None:
    record = _record(frontier=(1,))
    series = _series(search_charts.frontier(record, WORDS))
    assert [point["value"] for point in series["What nothing beats"]] == [[2000, 0.9]]
    assert [point["value"] for point in series["All trials"]] == [[1000, 0.7]]


def test_parallel_lines_run_through_the_values_of_a_trial() -> None:
    chart = search_charts.parallel(_record(), WORDS)
    assert chart.option["xAxis"]["data"] == ["net.0", "net.0(gru).gru.size", "train.learning_rate", "Accuracy"]
    lines = [one["data"] for one in chart.option["series"] if one["type"] == "line"]
    best, worst = lines[-1], lines[0]
    assert best == [0.75, None, 1.0, 1.0] and worst == [0.25, 0.75, 0.5, 0.0]
    ticks = {point["name"]: point["value"] for point in chart.option["series"][-1]["data"]}
    assert ticks["gru"] == [0, 0.25] and ticks["16"] == [1, 0.75] and ticks["0.9000"] == [3, 1.0]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_the_whole_record(language: Language) -> None:
    source = search.render(_record(), language)
    assert len(Page(source).options) == 4
    words = Words(language)
    for said in (words.name("diverged"), "best.yaml", _record().notes[0].text(language), "&lt;b&gt;"):
        assert said in source
    assert search.standing(_record(), words) in source


def test_a_search_without_a_figure_has_a_page_too() -> None:
    record = _record(tried=_record().tried[3:], best=None, frontier=(), importance={}, command="")
    source = search.render(record)
    assert "No trial gave a figure (1 ended)" in source and Page(source).options == []
    nothing = search.render(_record(tried=(), best=None, frontier=(), importance={}, command=""))
    assert "No trial has ended yet." in nothing and WORDS("all_trials") not in nothing


def test_one_trial_is_not_the_best_of_many() -> None:
    record = _record(tried=_record().tried[:1], best=_record().tried[0].number)
    assert search.standing(record, WORDS).startswith("The one trial that ended")


def test_trials_are_counted_in_whole_numbers() -> None:
    assert search_charts.history(_record(), WORDS).option["xAxis"]["minInterval"] == 1


def test_where_every_trial_was_cut_short_no_empty_frontier_is_shown() -> None:
    record = _record(frontier=())
    title = WORDS("frontier")
    assert title in search.render(_record()) and title not in search.render(record)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(search_screen.outcome(record))
    assert title not in console.export_text()


def test_the_terminal_tells_each_trial_and_the_outcome() -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    for one in _record().tried:
        console.print(search_screen.ended(one))
    console.print(search_screen.outcome(_record()))
    told = console.export_text()
    assert "diverged" in told and "the loss is nan <b>" in told and "· a note" in told
    assert "The best of 4 trials is number 1: Accuracy 0.9000 (0.8460 – 0.9540) on the validation part." in told
