"""Heat maps as SVG: a cell for each figure, and the scale of the colours beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unrolled.report.charts import Chart, Option
from unrolled.report.markup import Child, Markup, element
from unrolled.report.svg_marks import (
    BOTTOM,
    COLORS,
    HEIGHT,
    LETTER,
    SOFT,
    TOP,
    WIDTH,
    axis_names,
    sheet,
    text,
    width_of,
)

_LABELS = 130  # pixels, the most that names of rows take
_SCALE = 84  # pixels for the scale on the right
_STEPS = 24  # of the scale


def heat_drawing(chart: Chart) -> str:
    """A chart with one series of cells as the text of an SVG file."""
    option = chart.option
    columns, rows = option["xAxis"]["data"], option["yAxis"]["data"]
    left = 34 + min(_LABELS, max(map(width_of, rows), default=0.0))
    wide = (WIDTH - _SCALE - left) / max(len(columns), 1)
    high = (HEIGHT - BOTTOM - TOP) / max(len(rows), 1)
    (series,), scale = option["series"], option["cells"]
    cells = [
        _cell(left + column * wide, TOP + row * high, wide, high, color(value, scale))
        for column, row, value in series["data"]
    ]
    every = max(1, math.ceil(12 / high))
    across = max(1, math.ceil((max(map(width_of, columns), default=0.0) + 10) / wide))
    labels: list[Child] = [
        text(left - 6, TOP + (at + 0.5) * high + 4, _short(rows[at]), "end", SOFT) for at in range(0, len(rows), every)
    ]
    labels += [
        text(left + (at + 0.5) * wide, HEIGHT - BOTTOM + 16, columns[at], "middle", SOFT)
        for at in range(0, len(columns), across)
    ]
    return sheet(chart, [*cells, *labels, *_scale(scale), *axis_names(option)])


def color(value: float, scale: Option) -> str:
    """Of a figure, between the colours of a scale, as ``#rrggbb``."""
    stops = [COLORS[name] for name in scale["color"]]
    share = (value - scale["min"]) / ((scale["max"] - scale["min"]) or 1.0) * (len(stops) - 1)
    at = min(max(int(share), 0), len(stops) - 2)
    part = min(max(share - at, 0.0), 1.0)
    mixed = (
        round(low + part * (high - low))
        for low, high in zip(_channels(stops[at]), _channels(stops[at + 1]), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(code: str) -> Sequence[int]:
    return [int(code[at : at + 2], 16) for at in (1, 3, 5)]


def _cell(x: float, y: float, width: float, height: float, fill: str) -> Markup:
    # a little larger than the place: neighbours of one colour then show no line between them
    return element(
        "rect", x=f"{x:.2f}", y=f"{y:.2f}", width=f"{width + 0.3:.2f}", height=f"{height + 0.3:.2f}", fill=fill
    )


def _scale(scale: Option) -> list[Child]:
    low, high = scale["min"], scale["max"]
    each = (HEIGHT - BOTTOM - TOP) / _STEPS
    at = WIDTH - _SCALE + 14
    found: list[Child] = [
        _cell(at, TOP + step * each, 12, each, color(high - (step + 0.5) / _STEPS * (high - low), scale))
        for step in range(_STEPS)
    ]
    for value, y in ((high, TOP + 9), (low, HEIGHT - BOTTOM)):
        found.append(text(at + 17, y, f"{value:.3g}", "start", SOFT))
    return found


def _short(words: str) -> str:
    """A name of a row that fits beside it."""
    most = int(_LABELS / LETTER)
    return words if width_of(words) <= _LABELS else f"{words[: most - 1]}…"
