"""One measure of several models as dots on lines, each with its bootstrap interval; plain HTML, no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from unrolled.core.records import Metric
from unrolled.report.charts import PALETTE
from unrolled.report.format import interval, number
from unrolled.report.markup import Markup, element
from unrolled.report.words import Words

_DIRECTIONS = {
    "lower": "lower_is_better",
    "higher": "higher_is_better",
    "nominal": "nominal_is_better",
}
_MARGIN = 3.0  # per cent of the track left free on either side


def ranges(items: Sequence[tuple[str, Metric | None]], highlighted: int | None, words: Words) -> Markup | None:
    """Named measures under each other; None where there are not two different finite values to compare.

    Args:
        items: shown name and measure; those that are missing or not finite are left out.
        highlighted: position of the one that stands out; None gives each its own colour, as in the charts.
        words: the language.
    """
    drawn = [
        _Dot(name, metric, *_ends(metric), _color(index, highlighted), index == highlighted)
        for index, (name, metric) in enumerate(items)
        if metric is not None and math.isfinite(metric.value)
    ]
    lowest = min((dot.low for dot in drawn), default=0.0)
    highest = max((dot.high for dot in drawn), default=0.0)
    if len(drawn) < 2 or lowest == highest:
        return None
    first = drawn[0].metric
    title = element("p", f"{words.name(first.name)} · {words(_DIRECTIONS[first.better])}", class_="help")
    return element("div", title, *(_row(dot, lowest, highest) for dot in drawn), class_="ranges")


class _Dot(NamedTuple):
    name: str
    metric: Metric
    low: float
    high: float
    color: str
    stands_out: bool


def _row(dot: _Dot, lowest: float, highest: float) -> Markup:
    low, value, high = (
        _MARGIN + (100 - 2 * _MARGIN) * (end - lowest) / (highest - lowest)
        for end in (dot.low, dot.metric.value, dot.high)
    )
    track = element(
        "span",
        element("i", style=f"left:{low:.2f}%;width:{high - low:.2f}%"),
        element("b", style=f"left:{value:.2f}%"),
        class_="track",
        style=f"--dot:{dot.color}",
        aria_hidden="true",
    )
    parts = element("span", dot.name), track, element("span", number(dot.metric.value))
    return element("div", *parts, class_="range model" if dot.stands_out else "range")


def _color(index: int, highlighted: int | None) -> str:
    if highlighted is None:
        return PALETTE[index % len(PALETTE)]
    return PALETTE[0] if index == highlighted else "var(--soft)"


def _ends(metric: Metric) -> tuple[float, float]:
    """The interval, or the value itself where there is none."""
    if not interval(metric) or metric.low is None or metric.high is None:
        return metric.value, metric.value
    return min(metric.low, metric.value), max(metric.high, metric.value)
