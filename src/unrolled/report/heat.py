"""Heat maps as JSON: a figure for each pair of a row and a column, as a field of colours.

The charts library that the page carries has no heat map, so the cells are points of a cloud: ``cells`` says how they
are coloured, and the page makes each as large as its place.
"""

from __future__ import annotations

from unrolled.core.records import HeatPicture
from unrolled.report.charts import Chart, Option, figure, outside_labels
from unrolled.report.format import plain
from unrolled.report.words import Words

LOW, MIDDLE, HIGH = "var(--second)", "var(--card)", "var(--model)"
"""Of a signed map the lowest, 0 and the highest; of others the last two are the lowest and the highest."""

_NAMED = 20  # rows whose names stand beside each other


def heat(picture: HeatPicture, words: Words) -> Chart:
    """A field of colours with its scale beside it."""
    low, high = bounds(picture)
    cells = [
        [column, row, figure(value)]
        for row, values in enumerate(picture.values)
        for column, value in enumerate(values)
        if figure(value) is not None
    ]
    option: Option = {
        "animation": False,
        "grid": {"left": 4, "right": 20, "top": 12, "bottom": 4} | outside_labels(),
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": _axis(words.name(picture.x_label), picture.x, 26),
        "yAxis": _axis(words.name(picture.y_label), picture.y, 40) | {"inverse": True, "axisLabel": _every(picture.y)},
        "cells": {
            "min": figure(low),
            "max": figure(high),
            "color": [LOW, MIDDLE, HIGH] if picture.signed else [MIDDLE, HIGH],
        },
        "series": [{"type": "scatter", "name": words.name(picture.value_label), "symbol": "rect", "data": cells}],
    }
    title = words.name(picture.name)
    title = f"{title} · {picture.place}" if picture.place else title
    told = words("heat_alt", title=title, rows=len(picture.y), columns=len(picture.x))
    return Chart(title, option, told, words("heat_help") if picture.signed else "", wide=True)


def bounds(picture: HeatPicture) -> tuple[float, float]:
    """The figures at both ends of the colours; equally far from 0 where 0 is their middle."""
    found = [number for values in picture.values for value in values if (number := figure(value)) is not None]
    low, high = min(found, default=0.0), max(found, default=0.0)
    if picture.signed:
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    low = min(low, 0.0) if high > 0 else low
    return (low, high) if high > low else (low, low + 1.0)


def _axis(name: str, labels: tuple[str, ...], gap: int) -> Option:
    return {
        "type": "category",
        "data": [plain(label) for label in labels],
        "name": plain(name),
        "nameLocation": "middle",
        "nameGap": gap,
        "axisTick": {"show": False},
    }


def _every(labels: tuple[str, ...]) -> Option:
    """Which rows are named; the browser leaves out columns by itself."""
    return {"interval": max(0, -(-len(labels) // _NAMED) - 1)}
