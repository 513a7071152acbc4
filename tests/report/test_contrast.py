import math

import pytest
from tests.report.runs import classify_run, forecast_run, scores

from unrolled.core.errors import ConfigError
from unrolled.core.records import Run
from unrolled.report import contrast
from unrolled.report.words import Words

WORDS = Words("en")


def other(rmse: float, name: str = "other", **changes: object) -> Run:
    run = forecast_run()
    evaluation = run.evaluation.model_copy(update={"model": scores("model", rmse=rmse)})
    facts = run.facts.model_copy(update={"name": name})
    return run.model_copy(update={"evaluation": evaluation, "facts": facts} | changes)


def test_disjoint_intervals_support_the_better_run() -> None:
    assert contrast.standing([forecast_run(), other(2.0)], WORDS) == (
        "“other” is better: RMSE 2.000 against 3.298 of “steady-lark”; the intervals do not overlap."
    )


def test_overlapping_intervals_do_not() -> None:
    sentence = contrast.standing([forecast_run(), other(3.2)], WORDS)
    assert sentence.startswith("“other” is ahead") and "may be chance" in sentence


def test_higher_is_better_where_it_is() -> None:
    good, better = classify_run(), classify_run()
    model = scores("model", accuracy=0.95, macro_f1=0.7)
    better = better.model_copy(update={"evaluation": better.evaluation.model_copy(update={"model": model})})
    assert contrast.standing([good, better], WORDS).startswith("“steady-lark (2)” is ahead: Accuracy 0.9500 against")


def test_of_three_runs_the_best_two_are_compared() -> None:
    sentence = contrast.standing([forecast_run(), other(9.0, "c"), other(1.0, "b")], WORDS)
    assert sentence.startswith("“b” is better") and "“steady-lark”" in sentence


def test_without_intervals_nobody_can_tell() -> None:
    bare = other(2.0)
    metric = bare.evaluation.model["rmse"].model_copy(update={"low": None, "high": None})
    model = bare.evaluation.model.model_copy(update={"metrics": (metric,)})
    bare = bare.model_copy(update={"evaluation": bare.evaluation.model_copy(update={"model": model})})
    assert "nobody can tell" in contrast.standing([forecast_run(), bare], WORDS)


def test_equal_and_incomparable_runs() -> None:
    assert contrast.standing([forecast_run(), forecast_run()], WORDS) == "The runs are equal on RMSE: 3.298."
    assert "cannot be ranked" in contrast.standing([forecast_run(), other(math.nan)], WORDS)
    assert "different tasks" in contrast.standing([forecast_run(), classify_run()], WORDS)


def test_cautions_name_what_differs() -> None:
    run = forecast_run()
    assert contrast.cautions([run, run], WORDS) == ()
    data = run.data.model_copy(update={"fingerprint": "another"})
    part = run.evaluation.model_copy(update={"part": "valid"})
    found = contrast.cautions([run, run.model_copy(update={"data": data, "evaluation": part})], WORDS)
    assert [sentence.split(",")[0] for sentence in found] == [
        "The runs saw different data (fingerprints differ)",
        "The runs were measured on different parts of the data",
    ]


def test_only_settings_that_differ_are_listed() -> None:
    run = forecast_run()
    changed = run.config | {"train": run.config["train"] | {"learning_rate": 0.01, "schedule": "cosine"}, "extra": {}}
    rows = contrast.settings([run, run.model_copy(update={"config": changed})])
    assert rows == (
        ("train.learning_rate", "0.001", "0.01"),
        ("train.schedule", "—", "cosine"),
        ("extra", "—", "{}"),
    )


def test_one_run_is_no_comparison() -> None:
    with pytest.raises(ConfigError, match="at least two"):
        contrast.standing([forecast_run()], WORDS)
