"""Charts of a search: history, importance, parallel coordinates, frontier."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unrolled.core.records import Metric
from unrolled.core.search import AxisFacts, SearchRecord, Tried, Value
from unrolled.core.trial import State, cost
from unrolled.report.charts import PALETTE, Chart, Option, alt, cartesian, figure, figures, line
from unrolled.report.format import number, plain, size
from unrolled.report.words import Words

STATES: dict[State, str] = {
    "done": "var(--model)",
    "pruned": "var(--fourth)",
    "failed": "var(--second)",
    "interrupted": "var(--soft)",
}
_LINES = 300  # of the parallel coordinates; more are a carpet
_BANDS = 4  # shares of the trials, from the best to the worst


def measured(record: SearchRecord) -> list[tuple[Tried, Metric]]:
    """The trials that have a figure, with it."""
    return [(one, one.trial.metric) for one in record.tried if one.trial.metric is not None]


def history(record: SearchRecord, words: Words) -> Chart:
    """The figure of each trial in order, and the best so far."""
    found = measured(record)
    best, so_far = math.inf, []
    for one, metric in found:
        if one.trial.whole:
            best = min(best, cost(metric))
        so_far.append((float(one.number), _signed(best, metric)))
    series = [line(words("best_so_far"), so_far, "var(--truth)") | {"step": "end", "showSymbol": False}]
    for state, color in STATES.items():
        points = [[one.number, figure(metric.value)] for one, metric in found if one.trial.state == state]
        if points:
            series.append(_cloud(words.name(state), points, color))
    option = cartesian(_named("trial", words) | {"minInterval": 1}, series)
    title = words("named", name=words("search_history"), value=words.name(found[0][1].name))
    return Chart(title, option, alt(title, series, len(found), words), wide=True)


def importance(record: SearchRecord, words: Words) -> Chart:
    """How much of the differences each value explains, the largest on top."""
    ordered = sorted(record.importance.items(), key=lambda pair: pair[1])
    bars: Option = {
        "type": "bar",
        "name": words("importance"),
        "data": figures(share for _, share in ordered),
        "itemStyle": {"color": "var(--model)", "borderRadius": [0, 2, 2, 0]},
    }
    option = cartesian({"type": "value", "min": 0, "max": 1}, [bars])
    option["yAxis"] = {"type": "category", "data": [plain(path) for path, _ in ordered]}
    title = words("importance")
    return Chart(title, option, alt(title, [bars], len(ordered), words), words("importance_help"))


def frontier(record: SearchRecord, words: Words) -> Chart:
    """Figure against size of the bundle; what nothing beats is marked."""
    found = [(one, metric) for one, metric in measured(record) if one.trial.whole and one.trial.bytes is not None]
    series = []
    for name, color, inside in (("all_trials", "var(--soft)", False), ("frontier", "var(--model)", True)):
        points = [
            {"name": _label(one, words), "value": [one.trial.bytes, figure(metric.value)]}
            for one, metric in found
            if (one.number in record.frontier) == inside
        ]
        if points:
            series.append(_cloud(words(name), points, color))
    axis: Option = {
        "type": "value",
        "scale": True,
        "name": words("size_in_bytes"),
        "nameLocation": "middle",
        "nameGap": 26,
    }
    option = cartesian(axis, series, trigger="item")
    option["tooltip"]["formatter"] = "{b}"
    title = words("frontier")
    return Chart(title, option, alt(title, series, len(found), words), words("frontier_help"))


def parallel(record: SearchRecord, words: Words) -> Chart:
    """A line a trial through the values that it had, and its figure on the last axis; the best are drawn on top."""
    found = sorted(measured(record), key=lambda pair: cost(pair[1]))[:_LINES]
    costs = [cost(metric) for _, metric in found]
    axes = [axis for axis in record.axes if any(axis.path in one.values for one, _ in found)]
    series: list[Option] = []
    for rank in reversed(range(len(found))):
        one, metric = found[rank]
        band = rank * _BANDS // len(found)
        heights = [_height(axis, one.values[axis.path]) if axis.path in one.values else None for axis in axes]
        drawn = line(words("band", which=band + 1, of=_BANDS), [*heights, _share(cost(metric), costs)], PALETTE[band])
        drawn |= {"showSymbol": False, "connectNulls": False, "tooltip": {"formatter": _label(one, words)}}
        drawn["lineStyle"] |= {"width": 2 if band == 0 else 1, "opacity": 0.9 if band == 0 else 0.45}
        series.append(drawn)
    series.append(_ticks(axes, found, costs))
    names = [*(plain(axis.path) for axis in axes), words.name(found[0][1].name)]
    option = cartesian({"type": "category", "data": names, "boundaryGap": True}, series, trigger="item")
    option["yAxis"] = {"type": "value", "show": False, "min": -0.05, "max": 1.05}
    if "legend" in option:  # once for each band, not for each line
        option["legend"]["data"] = list(dict.fromkeys(reversed([one["name"] for one in series if one["name"]])))
    title = words("parallel")
    return Chart(title, option, words("chart_alt", title=title, lines=words("list").join(names),
                                      points=f"{len(found):,}"), words("parallel_help"), wide=True)  # fmt: skip


def _ticks(axes: Sequence[AxisFacts], found: Sequence[tuple[Tried, Metric]], costs: Sequence[float]) -> Option:
    """What the heights mean: options, or the ends of a range; of the last axis its best and worst figure."""
    points = []
    for at, axis in enumerate(axes):
        for value in axis.options or (axis.low, axis.high):
            points.append({"name": text(value), "value": [at, _height(axis, value)]})
    for metric in (found[0][1], found[-1][1]):
        points.append({"name": number(metric.value), "value": [len(axes), _share(cost(metric), costs)]})
    label = {"show": True, "formatter": "{b}", "position": "right", "color": "var(--ink)"}
    return {
        "type": "scatter",
        "name": "",
        "id": "low",  # not a line of its own, see charts.alt
        "data": points,
        "symbolSize": 5,
        "itemStyle": {"color": "var(--soft)"},
        "label": label,
        "silent": True,
        "z": 5,
    }


def text(value: Value) -> str:
    """A chosen value as people read it."""
    return number(value, 3) if isinstance(value, float) else plain(str(value))


def _height(axis: AxisFacts, value: Value) -> float:
    """Where a value stands on its axis, from 0 to 1."""
    if axis.options:
        at = next(at for at, option in enumerate(axis.options) if option == value and type(option) is type(value))
        return (at + 0.5) / len(axis.options)
    assert isinstance(value, int | float)
    low, high, point = axis.low, axis.high, float(value)
    if axis.log:
        low, high, point = math.log(low), math.log(high), math.log(point)
    return (point - low) / (high - low)


def _share(value: float, costs: Sequence[float]) -> float:
    """Where a cost stands among the others, the best on top."""
    low, high = min(costs), max(costs)
    return 1.0 if high == low else (high - value) / (high - low)


def _signed(best: float, metric: Metric) -> float:
    return -best if metric.better == "higher" else best


def _named(key: str, words: Words) -> Option:
    """An axis of numbers with its name."""
    return {"type": "value", "scale": True, "name": words(key), "nameLocation": "middle", "nameGap": 26}


def _cloud(name: str, points: Sequence[object], color: str) -> Option:
    return {
        "type": "scatter",
        "name": name,
        "data": list(points),
        "symbolSize": 8,
        "itemStyle": {"color": color, "opacity": 0.75},
    }


def _label(one: Tried, words: Words) -> str:
    """A trial in one line."""
    metric = one.trial.metric
    parts = [words("trial_number", number=one.number)]
    if metric is not None:
        parts.append(f"{words.name(metric.name)} {number(metric.value)}")
    if one.trial.bytes is not None:
        parts.append(size(one.trial.bytes))
    parts += [f"{plain(path)} {text(value)}" for path, value in one.values.items()]
    return " · ".join(parts)
