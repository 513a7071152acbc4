import pytest
from tests.report.reading import Page
from tests.report.runs import classify_run, curves, forecast_run

from unrolled.core.errors import ConfigError
from unrolled.report import comparison


def test_runs_stand_side_by_side() -> None:
    run = forecast_run()
    config = run.config | {"train": run.config["train"] | {"learning_rate": 0.01}}
    facts = run.facts.model_copy(update={"name": "quick-fox", "epochs": 12})
    data = run.data.model_copy(update={"fingerprint": "another"})
    second = run.model_copy(update={"config": config, "facts": facts, "data": data, "curves": curves(12)})
    page = Page(comparison.render([run, second]))
    for text in ("train.learning_rate", "0.01", "The runs are equal on RMSE", "fingerprints differ", "quick-fox"):
        assert text in page.text
    assert "train.epochs" not in page.text
    assert [one["name"] for one in page.options[0]["series"]] == [
        "steady-lark · training",
        "steady-lark · validation",
        "quick-fox · training",
        "quick-fox · validation",
    ]


def test_runs_of_different_tasks_are_shown_but_not_ranked() -> None:
    page = Page(comparison.render([forecast_run(), classify_run()], "zh"))
    assert "各次训练的任务不同" in page.text


def test_three_runs_of_one_name_are_numbered() -> None:
    page = Page(comparison.render([forecast_run()] * 3))
    assert "steady-lark (1)" in page.text and "steady-lark (3)" in page.text
    assert "All settings are the same." in page.text


def test_one_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least two"):
        comparison.render([forecast_run()])
