"""Charts as JSON: one function a kind of picture, each returning an option object of Apache ECharts 6.

Colours are names of CSS variables (``var(--model)``), resolved in the browser, so that light and dark need
one description. Numbers keep six significant digits; what is not finite becomes null, a gap in the line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.core.records import (
    BarPicture,
    CurvePicture,
    ForecastPicture,
    ResidualPicture,
    ScatterPicture,
    ScorePicture,
)
from unrolled.report.format import number, plain
from unrolled.report.words import Words

Option = dict[str, Any]
Point = tuple[float | None, float | None]

PALETTE = ("var(--model)", "var(--second)", "var(--third)", "var(--fourth)", "var(--fifth)")

_SCATTER_POINTS = 4000
_CURVE_POINTS = 2000
_PARTS = {"contribution", "weight"}  # parts of a whole that many steps share: each is small, and no probability
_DOTS = 40  # a line of at most so many points shows each of them
_ZOOM = 200  # a line of more steps gets a slider


@dataclass(frozen=True)
class Chart:
    """An option object with what people need around it; ``wide`` takes the whole width of the page."""

    title: str
    option: Option
    alt: str
    note: str = ""
    wide: bool = False


def forecast(picture: ForecastPicture, words: Words, limit: int) -> Chart:
    """Truth, forecast and interval over time, the last ``limit`` steps."""
    total = len(picture.time)
    low, high = picture.low[-limit:], picture.high[-limit:]
    lines = [
        *(_band(low, high, words("interval")) if low and high else ()),
        line(words("truth"), picture.truth[-limit:], "var(--truth)"),
        line(words("forecast"), picture.forecast[-limit:], "var(--model)"),
    ]
    times = [plain(time) for time in short_times(picture.time[-limit:])]
    option = cartesian({"type": "category", "data": times, "boundaryGap": False}, lines)
    option["grid"]["right"] = 48  # half of the last time stamp
    if len(times) > _ZOOM:
        option["dataZoom"] = [{"type": "slider", "height": 22, "bottom": 4}]
        option["grid"]["bottom"] = 36
    name = f"{picture.target} · {picture.series}" if picture.series else picture.target
    title = words("forecast_title", target=name)
    note = words("last_points", shown=f"{limit:,}", total=f"{total:,}") if total > limit else ""
    return Chart(title, option, alt(title, lines, len(times), words), note, wide=True)


def residual(picture: ResidualPicture, words: Words) -> tuple[Chart, ...]:
    """Error by step ahead (where there is more than one step) and the histogram of errors."""
    title = words("residual_title", target=picture.target)
    charts = []
    if len(picture.step_error) > 1:
        steps = [str(step + 1) for step in range(len(picture.step_error))]
        drawn = [bars(words("step_error"), picture.step_error, "var(--model)")]
        axis = {"type": "category", "data": steps, **_named(words("step_ahead"))}
        charts.append((words("step_error"), cartesian(axis, drawn), drawn, len(steps)))
    if picture.counts:
        ranges = [
            words("range_to", low=number(low, 3), high=number(high, 3))
            for low, high in zip(picture.edges, picture.edges[1:], strict=False)
        ]
        drawn = [bars(words("count"), picture.counts, "var(--model)", gap="4%")]
        axis = {"type": "category", "data": ranges, **_named(words("error"))}
        charts.append((words("error_histogram"), cartesian(axis, drawn), drawn, len(ranges)))
    return tuple(
        Chart(f"{title} · {subtitle}", option, alt(subtitle, drawn, points, words))
        for subtitle, option, drawn, points in charts
    )


def scatter(picture: ScatterPicture, words: Words) -> Chart:
    """Predicted against true values, with the line on which both are equal."""
    step = _stride(len(picture.truth), _SCATTER_POINTS)
    points = list(zip(figures(picture.truth[::step]), figures(picture.predicted[::step]), strict=True))
    ends = [value for point in points for value in point if value is not None]
    cloud: Option = {
        "type": "scatter",
        "name": words("predicted"),
        "data": points,
        "symbolSize": 6,
        "itemStyle": {"color": "var(--model)", "opacity": 0.55},
    }
    series = [cloud]
    if ends:
        series.append(_reference(words("perfect"), min(ends), max(ends)))
    option = cartesian({"type": "value", "scale": True, **_named(words("truth"))}, series, trigger="item")
    title = words("scatter_title", target=picture.target)
    return Chart(title, option, alt(title, series, len(points), words), _thinned(step, picture.truth, words))


def curve(picture: CurvePicture, words: Words) -> Chart:
    """Named lines over one axis; probabilities get axes from 0 to 1, calibration its ideal line."""
    step = _stride(len(picture.x), _CURVE_POINTS)
    series: list[Option] = [
        line(words.name(name), zip(picture.x[::step], values[::step], strict=True), color)
        for (name, values), color in zip(picture.lines.items(), _colors(len(picture.lines)), strict=True)
    ]
    if picture.name.startswith("calibration") and "ideal" not in picture.lines:
        series.append(_reference(words.name("ideal"), 0.0, 1.0))
    option = cartesian({"type": "value", "scale": True, **_named(words.name(picture.x_label))}, series)
    for axis, values in (("xAxis", picture.x), ("yAxis", [v for line in picture.lines.values() for v in line])):
        if picture.y_label not in _PARTS and all(0 <= value <= 1 for value in values if math.isfinite(value)):
            option[axis] |= {"min": 0, "max": 1}
    option["yAxis"] |= _named(words.name(picture.y_label), gap=40)
    title = words.name(picture.name)
    return Chart(title, option, alt(title, series, len(picture.x), words), _thinned(step, picture.x, words))


def bar(picture: BarPicture, words: Words) -> Chart:
    """A bar for each name."""
    drawn = [bars(words.name(picture.y_label), picture.values, "var(--model)")]
    option = cartesian({"type": "category", "data": [plain(label) for label in picture.labels]}, drawn)
    title = words.name(picture.name)
    return Chart(title, option, alt(title, drawn, len(picture.labels), words))


def score(picture: ScorePicture, words: Words) -> Chart:
    """Anomaly scores, the threshold, the alarms above it, and where something unusual is known to be."""
    limit = picture.threshold
    alarms = [value if value > limit else None for value in picture.score]
    missed = [
        value if unusual and value <= limit else None
        for value, unusual in zip(picture.score, picture.label, strict=True)
    ]
    lines = [
        line(words("score"), picture.score, "var(--model)"),
        line(words.name("threshold"), [limit] * len(picture.score), "var(--soft)", "dashed") | {"showSymbol": False},
        _marks(words("alarms"), alarms, "var(--second)"),
        *([_marks(words("missed"), missed, "var(--third)")] if any(value is not None for value in missed) else []),
    ]
    option = cartesian({"type": "category", "data": [plain(at) for at in short_times(picture.time)]}, lines)
    if len(picture.time) > _ZOOM:
        option["dataZoom"] = [{"type": "slider", "height": 22, "bottom": 4}]
        option["grid"]["bottom"] = 36
    title = words("score_of", series=picture.series) if picture.series else words("score_title")
    return Chart(title, option, alt(title, lines, len(picture.time), words), words("score_help"), wide=True)


def cartesian(x_axis: Option, series: list[Option], *, trigger: str = "axis") -> Option:
    """Two axes, a legend where there is more than one line, and a tooltip."""
    names = [one["name"] for one in series if one.get("id") != "low"]
    option: Option = {
        "animation": False,
        "grid": {"left": 4, "right": 20, "top": 40 if len(names) > 1 else 24, "bottom": 4} | outside_labels(),
        "tooltip": {"trigger": trigger, "confine": True},
        "xAxis": x_axis,
        "yAxis": {"type": "value", "scale": series[0]["type"] != "bar"},  # bars stand on zero
        "series": series,
    }
    if len(names) > 1:
        option["legend"] = {"type": "scroll", "left": 0, "top": 0, "data": names}
    return option


def outside_labels() -> Option:
    """Of a grid: labels and names keep inside the margins."""
    return {"outerBoundsMode": "same", "outerBoundsContain": "all"}


def line(name: str, values: Iterable[float | None] | Iterable[Point], color: str, dash: str = "solid") -> Option:
    """A line of values, or of (x, y) points."""
    data = [figures(value) if isinstance(value, tuple) else figure(value) for value in values]
    return {
        "type": "line",
        "name": plain(name),
        "data": data,
        "showSymbol": len(data) <= _DOTS,
        "symbol": "circle",
        "symbolSize": 5,
        "lineStyle": {"width": 2, "type": dash, "color": color},
        "itemStyle": {"color": color},
    }


def alt(title: str, series: Sequence[Option], points: int, words: Words) -> str:
    """What a chart shows, for those who cannot see it."""
    names = words("list").join(one["name"] for one in series if one.get("id") != "low")
    return words("chart_alt", title=title, lines=names, points=f"{points:,}")


def figures(values: Iterable[float | None]) -> list[float | None]:
    """Numbers as JSON can hold them."""
    return [figure(value) for value in values]


def figure(value: float | None) -> float | None:
    """Six significant digits; None for what is not finite."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def short_times(times: Sequence[str]) -> list[str]:
    """ISO time stamps without the seconds, or the hours, that all of them have at zero."""
    short = [time.replace("T", " ", 1) if time[4:5] == "-" and time[10:11] == "T" else time for time in times]
    for tail in (".000000000", ":00", " 00:00"):
        stamps = [time for time in short if time[4:5] == "-" and len(time) > 10]
        if all(time.endswith(tail) for time in stamps):
            short = [time.removesuffix(tail) if time[4:5] == "-" else time for time in short]
    return short


def _band(low: Sequence[float | None], high: Sequence[float | None], name: str) -> tuple[Option, Option]:
    # ECharts fills between two lines only when the upper one is stacked on the lower one, as a difference.
    width = [None if a is None or b is None else figure(b - a) for a, b in zip(low, high, strict=True)]
    base: Option = {
        "type": "line",
        "stack": "band",
        "stackStrategy": "all",
        "showSymbol": False,
        "lineStyle": {"opacity": 0},
        "silent": True,
    }
    area = {"color": "var(--model)", "opacity": 0.18}
    floor = base | {"id": "low", "name": "", "data": figures(low)}
    band = base | {"id": "band", "name": name, "data": width, "areaStyle": area}
    return floor, band | {"itemStyle": {"color": "var(--model)", "opacity": 0.35}}


def _marks(name: str, values: Sequence[float | None], color: str) -> Option:
    """Points where there is a value, on an axis of categories."""
    points = [[at, figure(value)] for at, value in enumerate(values) if value is not None]
    return {"type": "scatter", "name": name, "data": points, "symbolSize": 6, "itemStyle": {"color": color}}


def bars(name: str, values: Sequence[float], color: str, gap: str = "25%") -> Option:
    """One bar a category."""
    style = {"color": color, "borderRadius": [2, 2, 0, 0]}
    return {"type": "bar", "name": name, "data": figures(values), "itemStyle": style, "barCategoryGap": gap}


def _reference(name: str, low: float, high: float) -> Option:
    return line(name, ((low, low), (high, high)), "var(--soft)", "dashed") | {"showSymbol": False, "silent": True}


def _named(name: str, gap: int = 26) -> Option:
    return {"name": plain(name), "nameLocation": "middle", "nameGap": gap}


def _colors(count: int) -> list[str]:
    return [PALETTE[index % len(PALETTE)] for index in range(count)]


def _stride(total: int, limit: int) -> int:
    return max(1, math.ceil(total / limit))


def _thinned(step: int, values: Sequence[float], words: Words) -> str:
    return words("every_point", step=step, total=f"{len(values):,}") if step > 1 else ""
