import math

from tests.report.runs import curves

from unrolled.report.curves import History, training
from unrolled.report.words import Words

WORDS = Words("en")


def test_one_chart_a_quantity_loss_first() -> None:
    charts = training([History("a", curves(), 31)], WORDS)
    assert [chart.title for chart in charts] == [
        "Loss",
        "RMSE",
        "Gradient norm",
        "Clipped steps (share)",
        "Learning rate",
    ]
    loss = charts[0].option["series"]
    assert [one["name"] for one in loss] == ["training", "validation"]
    assert loss[0]["data"][0] == [1.0, float(f"{curves()[0]['train_loss']:.6g}")]
    assert loss[0]["markLine"]["data"] == [{"xAxis": 31}]


def test_no_mark_where_the_best_epoch_is_not_drawn() -> None:
    (chart, *_) = training([History("a", curves(3), 9)], WORDS)
    assert "markLine" not in chart.option["series"][0]


def test_without_validation_and_with_gaps() -> None:
    rows = ({"epoch": 1.0, "train_loss": math.nan}, {"epoch": 2.0, "train_loss": 0.5, "valid_loss": 0.7})
    (chart,) = training([History("a", rows, 0)], WORDS)
    assert [one["data"] for one in chart.option["series"]] == [[[1.0, None], [2.0, 0.5]], [[1.0, None], [2.0, 0.7]]]


def test_a_quantity_without_one_finite_value_has_no_chart() -> None:
    assert training([History("a", ({"train_loss": math.nan},), 1)], WORDS) == ()
    assert training([History("a", (), 0)], WORDS) == ()


def test_rows_without_an_epoch_are_counted() -> None:
    (chart,) = training([History("a", ({"lr": 1.0}, {"lr": 0.5}), 1)], WORDS)
    assert chart.option["series"][0]["data"] == [[1.0, 1.0], [2.0, 0.5]]


def test_a_wide_span_of_positive_values_is_logarithmic() -> None:
    (chart,) = training([History("a", ({"lr": 1.0}, {"lr": 1e-4}), 1)], WORDS)
    assert chart.option["yAxis"]["type"] == "log" and "logarithmic" in chart.title


def test_runs_over_each_other_keep_their_colour() -> None:
    loss = training([History("a", curves(), 1), History("b", curves(5), 1)], WORDS)[0].option["series"]
    assert [one["name"] for one in loss] == ["a · training", "a · validation", "b · training", "b · validation"]
    colors = [one["lineStyle"]["color"] for one in loss]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    assert [one["lineStyle"]["type"] for one in loss] == ["dashed", "solid"] * 2
