"""Numbers, sizes, times and foreign text as people read them; the same in HTML and in the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from unrolled.core.records import Language, Metric

MISSING = "—"


def number(value: float | None, digits: int = 4) -> str:
    """A figure with so many significant digits; missing and NaN are a dash."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -4 <= exponent < 9:
        text = f"{value:.{digits - 1}e}"
    else:
        text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return text.replace("-", "−") if text.startswith("-") else text


def interval(metric: Metric) -> str:
    """The bootstrap interval, or nothing where none was computed."""
    if metric.low is None or metric.high is None or math.isnan(metric.low) or math.isnan(metric.high):
        return ""
    return f"{number(metric.low)} – {number(metric.high)}"


def percent(share: float) -> str:
    """A share between 0 and 1."""
    return f"{100 * share:.1f} %" if share else "0 %"


def size(count: int) -> str:
    """Bytes in decimal units."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{number(value, 3)} {units[0]}"


def duration(seconds: float, language: Language = "en") -> str:
    """Seconds as hours, minutes and seconds, the two largest of them."""
    hour, minute, second = ("小时", "分", "秒") if language == "zh" else ("h", "min", "s")
    if not math.isfinite(seconds):
        return MISSING
    if seconds < 60:
        return f"{number(seconds, 3)} {second}"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} {minute} {rest} {second}"
    return f"{minutes // 60} {hour} {minutes % 60} {minute}"


def moment(created: str) -> str:
    """An ISO 8601 time stamp (UTC) to the minute; anything else as it is."""
    try:
        return f"{datetime.fromisoformat(created):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return created


def plain(text: str) -> str:
    """Foreign text without what could steer a terminal, turn the line around or break the encoding."""
    return _HARMFUL.sub("�", text)


def simple(value: Any) -> Any:
    """Settings of any type as what YAML and JSON can write: dicts, lists, numbers and strings."""
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {plain(str(key)): simple(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [simple(one) for one in value]
        case _:
            return plain(str(value))


# Control characters except tab and line feed, lone surrogates, and the marks that override the direction of text.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
