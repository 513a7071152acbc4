import json
import math

import pytest
from tests.report.runs import forecast_pictures

from unrolled.core.records import CurvePicture, ForecastPicture, ResidualPicture, ScatterPicture
from unrolled.report import charts
from unrolled.report.words import Words

WORDS = Words("en")


def picture(**changes: object) -> ForecastPicture:
    fields = {
        "target": "y",
        "series": "s",
        "time": ("1", "2", "3"),
        "truth": (1.0, None, 3.0),
        "forecast": (1.5, 2.5, 2.0),
    }
    return ForecastPicture.model_validate(fields | changes)


def test_a_forecast_shows_what_the_record_holds() -> None:
    option = charts.forecast(picture(), WORDS, 100).option
    assert {one["name"]: one["data"] for one in option["series"]} == {
        "Truth": [1.0, None, 3.0],
        "Forecast": [1.5, 2.5, 2.0],
    }
    assert option["xAxis"]["data"] == ["1", "2", "3"]


def test_the_band_is_the_lower_end_and_the_width_above_it() -> None:
    option = charts.forecast(picture(low=(-1.0, 2.0, None), high=(2.0, 3.0, 4.0)), WORDS, 100).option
    low, band = option["series"][:2]
    assert (low["id"], low["data"], band["id"], band["data"]) == ("low", [-1.0, 2.0, None], "band", [3.0, 1.0, None])
    assert low["stack"] == band["stack"] and band["stackStrategy"] == "all"
    assert option["legend"]["data"] == ["Interval", "Truth", "Forecast"]


def test_a_long_forecast_is_cut_at_its_start_and_says_so() -> None:
    chart = charts.forecast(picture(), WORDS, 2)
    assert chart.option["xAxis"]["data"] == ["2", "3"]
    assert chart.note == "The last 2 of 3 time steps."


def test_a_slider_comes_with_many_steps() -> None:
    assert "dataZoom" in charts.forecast(ForecastPicture.model_validate(forecast_pictures()[0]), WORDS, 500).option
    assert "dataZoom" not in charts.forecast(picture(), WORDS, 500).option


@pytest.mark.parametrize(
    ("times", "short"),
    [
        (["2024-01-01T00:00:00", "2024-01-02T00:00:00"], ["2024-01-01", "2024-01-02"]),
        (["2024-01-01T00:00:00.000000000", "2024-01-01T01:30:00.000000000"], ["2024-01-01 00:00", "2024-01-01 01:30"]),
        (["2024-01-01 00:00:01", "2024-01-01 00:00:02"], ["2024-01-01 00:00:01", "2024-01-01 00:00:02"]),
        (["2024-01-01", "2024-01-01T06:00:00"], ["2024-01-01", "2024-01-01 06:00"]),
        (["10:00", "11:00"], ["10:00", "11:00"]),
        ([], []),
    ],
)
def test_times_lose_only_what_says_nothing(times: list[str], short: list[str]) -> None:
    assert charts.short_times(times) == short


def test_residuals_of_one_step_are_a_histogram_only() -> None:
    one = ResidualPicture(target="y", step_error=(1.0,), edges=(-1.0, 0.0, 1.0), counts=(3, 4))
    (histogram,) = charts.residual(one, WORDS)
    assert histogram.option["series"][0]["data"] == [3, 4]
    assert histogram.option["xAxis"]["data"] == ["−1.00 – 0", "0 – 1.00"]
    assert histogram.option["yAxis"]["scale"] is False
    many = one.model_copy(update={"step_error": (1.0, 2.0, math.nan)})
    assert charts.residual(many, WORDS)[0].option["series"][0]["data"] == [1.0, 2.0, None]


def test_a_scatter_has_the_line_of_perfection_and_is_thinned_evenly() -> None:
    values = tuple(float(at) for at in range(10_000))
    chart = charts.scatter(ScatterPicture(target="y", truth=values, predicted=values), WORDS)
    cloud, line = chart.option["series"]
    assert cloud["data"][:2] == [(0.0, 0.0), (3.0, 3.0)]
    assert line["data"] == [[0.0, 0.0], [9999.0, 9999.0]]
    assert chart.note == "One point in 3, of 10,000."


def test_probabilities_get_axes_from_0_to_1_and_calibration_its_ideal() -> None:
    fields = {"name": "calibration", "x_label": "probability", "y_label": "share", "x": (0.1, 0.9)}
    chart = charts.curve(CurvePicture.model_validate(fields | {"lines": {"model": (0.2, math.nan)}}), WORDS)
    assert [one["name"] for one in chart.option["series"]] == ["Model", "Ideal"]
    assert (chart.option["yAxis"]["min"], chart.option["yAxis"]["max"]) == (0, 1)
    wide = charts.curve(CurvePicture.model_validate(fields | {"name": "gain", "lines": {"a": (2.0, 3.0)}}), WORDS)
    assert "max" not in wide.option["yAxis"] and len(wide.option["series"]) == 1


def test_options_are_json_and_colours_are_variables() -> None:
    for found in forecast_pictures():
        made = charts.forecast(found, WORDS, 99) if found.kind == "forecast" else charts.residual(found, WORDS)[0]  # type: ignore[arg-type]
        text = json.dumps(made.option, allow_nan=False)
        assert "var(--model)" in text and "#" not in text


@pytest.mark.parametrize(("value", "kept"), [(1.23456789, 1.23457), (math.inf, None), (math.nan, None), (None, None)])
def test_figures_keep_six_digits(value: float | None, kept: float | None) -> None:
    assert charts.figure(value) == kept
