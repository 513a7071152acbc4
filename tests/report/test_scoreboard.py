import math

from hypothesis import given
from hypothesis import strategies as st
from tests.report.runs import classify_run, failure_run, forecast_run

from unrolled.core.records import Evaluation, Metric, Scores, Verdict
from unrolled.report.scoreboard import best_baseline, caution, detail, row_of, scoreboard
from unrolled.report.words import Words

WORDS = Words("en")


def single(value: float, name: str = "a", better: str = "lower") -> Scores:
    return Scores(name=name, metrics=(Metric.model_validate({"name": "m", "value": value, "better": better}),))


def judged(model: Scores, *baselines: Scores) -> Evaluation:
    verdict = Verdict(level="fair", code="test", en="so", zh="so")
    return Evaluation(task="forecast", part="test", count=3, model=model, baselines=baselines, verdict=verdict)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=6), st.sampled_from(["lower", "higher"]))
def test_the_best_are_marked_where_there_is_a_choice(values: list[float], better: str) -> None:
    cells = row_of("m", [single(value, better=better) for value in values])
    finite = sorted(value for value in values if not math.isnan(value))
    best = None if len(finite) < 2 else finite[0] if better == "lower" else finite[-1]
    assert [cell.best for cell in cells] == [best is not None and value == best for value in values]


def test_a_figure_that_should_be_as_promised_has_no_arrow_and_no_winner() -> None:
    everyone = [single(value, better="nominal") for value in (0.99, 0.9)]
    (row,) = scoreboard(everyone, WORDS)
    assert row.name == "m" and [cell.best for cell in row.cells] == [False, False]


def test_a_measure_that_a_baseline_lacks_is_a_dash() -> None:
    evaluation = forecast_run().evaluation
    rows = scoreboard((evaluation.model, *evaluation.baselines), WORDS)
    assert [row.name for row in rows] == ["RMSE ↓", "MAE ↓", "MASE ↓", "sMAPE ↓", "CRPS ↓"]
    assert [cell.text for cell in rows[-1].cells] == ["1.710", "—", "—", "—"]
    assert [cell.best for cell in rows[1].cells] == [False, True, False, False]


def test_measures_of_single_classes_stand_apart() -> None:
    evaluation = classify_run().evaluation
    extra = tuple(Metric(name=name, value=0.5) for name in ("f1:V", "recall:V", "f1:a:b"))
    model = evaluation.model.model_copy(update={"metrics": evaluation.model.metrics + extra})
    assert len(scoreboard((model,), WORDS)) == 3
    names, rows = detail(model, WORDS)
    assert names == ("F1", "Recall")
    assert [(row.name, [cell.text for cell in row.cells]) for row in rows] == [
        ("V", ["0.5000", "0.5000"]),
        ("a:b", ["0.5000", "—"]),
    ]


def test_a_baseline_that_wins_is_named() -> None:
    assert caution(failure_run().evaluation, WORDS) == (
        "On Average precision, the baseline “Logistic regression” does better than this model (0.8300 against 0.8100)."
    )
    assert caution(forecast_run().evaluation, WORDS) is None


def test_an_equal_baseline_does_not_win() -> None:
    assert caution(judged(single(2.0), single(2.0, "persistence")), WORDS) is None


def test_a_model_without_a_figure_is_called_that() -> None:
    nan = judged(single(math.nan), single(1.0, "persistence"))
    assert caution(nan, WORDS) == "m of the model is not a number, so the model cannot be compared."
    assert caution(judged(single(1.0)), WORDS) == "No baseline was computed."
    assert caution(judged(Scores(name="model", metrics=())), WORDS) is None


def test_the_best_baseline_ignores_nan() -> None:
    found = best_baseline(judged(single(2.0), single(math.nan, "b"), single(5.0, "c"), single(4.0, "d")))
    assert found is not None and found[0].name == "d"
    assert best_baseline(judged(single(2.0), single(math.nan, "b"))) is None
