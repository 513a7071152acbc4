"""Charts as SVG files: the same descriptions that the page draws, for papers and slides.

Drawn in the light colours of the page, on white. Lines, bars and points on two axes; an axis is one of values or of
categories, plain or logarithmic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from unrolled.report.charts import Chart, Option
from unrolled.report.markup import Child, Markup, element
from unrolled.report.svg_heat import heat_drawing
from unrolled.report.svg_marks import (
    BOTTOM,
    COLORS,
    HEIGHT,
    INK,
    LEFT,
    LETTER,
    LINE,
    RIGHT,
    SOFT,
    TOP,
    WIDTH,
    axis_names,
    sheet,
    text,
    width_of,
)

_TICKS = 5

Scale = Callable[[float], float]
"""A value of an axis to pixels."""


def drawing(chart: Chart) -> str:
    """A chart as the text of an SVG file."""
    option = chart.option
    if "cells" in option:
        return heat_drawing(chart)
    points = [_points(one, option) for one in option["series"]]
    across = [x for series in points for x, _ in series]
    along = [y for series in points for _, y in series if y is not None]
    x, x_ticks = _axis(option["xAxis"], across, LEFT, WIDTH - RIGHT)
    y, y_ticks = _axis(option["yAxis"], along, HEIGHT - BOTTOM, TOP, upright=True)
    parts: list[Child] = [
        *_legend(option["series"]),
        *(_grid(y(value), label) for value, label in y_ticks),
        *(text(x(value), HEIGHT - BOTTOM + 16, label, "middle", SOFT) for value, label in x_ticks),
        *axis_names(option),
    ]
    for one, series in zip(option["series"], points, strict=True):
        parts += _series(one, series, x, y, len(across))
    return sheet(chart, parts)


def _points(series: Option, option: Option) -> list[tuple[float, float | None]]:
    """(x, y) of a series; on an axis of categories x is the number of the category."""
    found = []
    for at, value in enumerate(series["data"]):
        pair = value if isinstance(value, list | tuple) else (at, value)
        if pair[0] is not None:
            found.append((float(pair[0]), None if pair[1] is None else float(pair[1])))
    return found


def _axis(
    axis: Option, values: Sequence[float], begin: float, end: float, *, upright: bool = False
) -> tuple[Scale, list[tuple[float, str]]]:
    """Where values lie, and what is written beside the axis."""
    if axis.get("type") == "category":
        labels = list(axis["data"])
        each = (end - begin) / max(len(labels), 1)
        longest = max((len(label) for label in labels), default=1) * LETTER
        step = 1 if upright else max(1, math.ceil((longest + 10) / abs(each)))
        ticks = [(float(at), str(labels[at])) for at in range(0, len(labels), step)]
        return lambda value: begin + (value + 0.5) * each, ticks
    if axis.get("type") == "log":
        first = math.floor(math.log10(min(values)))
        last = max(first + 1, math.ceil(math.log10(max(values))))
        ticks = [(10.0**power, f"1e{power}") for power in range(first, last + 1)]
        return lambda value: begin + (end - begin) * (math.log10(value) - first) / (last - first), ticks
    low, high = min(values, default=0.0), max(values, default=1.0)
    low = float(axis["min"]) if isinstance(axis.get("min"), int | float) else low
    high = float(axis["max"]) if isinstance(axis.get("max"), int | float) else high
    if upright and not axis.get("scale"):
        low, high = min(low, 0.0), max(high, 0.0)
    places = _round_ticks(low, high)
    if upright:
        low, high = min(low, places[0]), max(high, places[-1])
    span = high - low or 1.0
    shown = [(value, f"{value:.4g}") for value in places if low <= value <= high]
    return lambda value: begin + (end - begin) * (value - low) / span, shown


def _round_ticks(low: float, high: float) -> list[float]:
    """Round numbers around a range."""
    if high <= low:
        return [low, low + (abs(low) or 1.0)]
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)
    return [step * at for at in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _series(one: Option, points: Sequence[tuple[float, float | None]], x: Scale, y: Scale, count: int) -> list[Child]:
    color = _color(one)
    if one["type"] == "scatter":
        return [_dot(x(at), y(value), 3, color) for at, value in points if value is not None]
    if one["type"] == "bar":
        width = 0.75 * (WIDTH - LEFT - RIGHT) / max(count, 1)
        zero = y(0.0)
        return [
            element("rect", x=f"{x(at) - width / 2:.1f}", y=f"{min(y(value), zero):.1f}", width=f"{width:.1f}",
                    height=f"{abs(y(value) - zero):.1f}", fill=color)
            for at, value in points if value is not None
        ]  # fmt: skip
    dashed = "5" if one.get("lineStyle", {}).get("type") == "dashed" else None
    parts: list[Child] = [
        element("polyline", points=" ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in piece), fill="none",
                stroke=color, stroke_width="2", stroke_dasharray=dashed)
        for piece in _pieces(points)
    ]  # fmt: skip
    if one.get("showSymbol"):
        parts += [_dot(x(at), y(value), 2.5, color) for at, value in points if value is not None]
    return parts


def _pieces(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """A line between its gaps."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((at, value))
    return [piece for piece in pieces if piece]


def _legend(series: Sequence[Option]) -> list[Child]:
    if len(series) < 2:
        return []
    parts: list[Child] = []
    at = float(LEFT)
    for one in series:
        parts.append(element("rect", x=f"{at:.0f}", y=32, width=14, height=4, fill=_color(one)))
        parts.append(text(at + 19, 38, one["name"], "start", INK))
        at += 36 + width_of(one["name"])
    return parts


def _grid(y: float, label: str) -> Markup:
    line = element("path", d=f"M{LEFT},{y:.1f} H{WIDTH - RIGHT}", stroke=LINE)
    return element("g", line, text(LEFT - 6, y + 4, label, "end", SOFT))


def _dot(x: float, y: float, radius: float, fill: str) -> Markup:
    return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{radius:g}", fill=fill)


def _color(series: Option) -> str:
    style: dict[str, Any] = series.get("itemStyle", {})
    return COLORS.get(style.get("color", ""), "#0072b2")
