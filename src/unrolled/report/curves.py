"""Training curves, of one run or of several over each other: one chart a quantity."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from unrolled.report.charts import PALETTE, Chart, Option, alt, cartesian, line
from unrolled.report.words import Words

_PART = re.compile(r"(train|valid|test)[_/. ](.+)")
_NOT_DRAWN = re.compile("epoch|steps?|seconds|alarm_.*")
_PART_COLORS = {"train": "var(--second)", "test": "var(--third)"}
_LOG_RATIO = 100  # positive values that span more than this are drawn on a logarithmic scale


@dataclass(frozen=True)
class History:
    """The curves of one run (rows as in ``metrics.jsonl``) and the epoch whose weights were kept."""

    name: str
    rows: tuple[dict[str, float], ...]
    best_epoch: int


def training(histories: Sequence[History], words: Words) -> tuple[Chart, ...]:
    """Loss first, then the measures, gradient norm, clip rate and learning rate, as the rows have them."""
    quantities = dict.fromkeys(
        _split(key)[1] for history in histories for row in history.rows for key in row if not _NOT_DRAWN.fullmatch(key)
    )
    ordered = sorted(quantities, key=lambda quantity: quantity != "loss")
    charts = [_chart(quantity, histories, words) for quantity in ordered]
    return tuple(chart for chart in charts if chart is not None)


def _chart(quantity: str, histories: Sequence[History], words: Words) -> Chart | None:
    series = [
        _line(key, history, index, len(histories) > 1, words)
        for index, history in enumerate(histories)
        for key in dict.fromkeys(key for row in history.rows for key in row)
        if not _NOT_DRAWN.fullmatch(key) and _split(key)[1] == quantity
    ]
    values = [value for one in series for _, value in one["data"] if value is not None]
    if not values:
        return None
    axis = {"type": "value", "minInterval": 1, "min": "dataMin", "max": "dataMax", "name": words("epoch")}
    option = cartesian(axis | {"nameLocation": "middle", "nameGap": 26}, series)
    title = words.name(quantity)
    if min(values) > 0 and max(values) / min(values) > _LOG_RATIO:
        option["yAxis"] |= {"type": "log"}
        title += f" ({words('log_scale')})"
    if len(histories) == 1:
        _mark_best(series, histories[0].best_epoch, words)
    points = max(len(one["data"]) for one in series)
    return Chart(title, option, alt(title, series, points, words), wide=quantity == "loss")


def _line(key: str, history: History, index: int, several: bool, words: Words) -> Option:
    part, quantity = _split(key)
    points = [(row.get("epoch", float(at + 1)), row.get(key)) for at, row in enumerate(history.rows)]
    label = words.name(part) if part else words.name(quantity)
    if not several:
        return line(label, points, _PART_COLORS.get(part, PALETTE[0]))
    name = f"{history.name} · {words.name(part)}" if part else history.name
    return line(name, points, PALETTE[index % len(PALETTE)], "dashed" if part == "train" else "solid")


def _mark_best(series: list[Option], epoch: int, words: Words) -> None:
    drawn = [at for at, value in series[0]["data"] if value is not None and math.isfinite(value)]
    if not drawn or not min(drawn) <= epoch <= max(drawn):
        return
    series[0]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "data": [{"xAxis": epoch}],
        "lineStyle": {"color": "var(--soft)", "type": "dotted"},
        "label": {
            "formatter": words("best_epoch"),
            "color": "var(--soft)",
            "position": "end",
            "distance": 3,
            "fontSize": 10,
        },
    }


def _split(key: str) -> tuple[str, str]:
    """("valid", "rmse") for ``valid_rmse``; ("", "lr") for ``lr``."""
    match = _PART.fullmatch(key)
    return (match[1], match[2]) if match else ("", key)
