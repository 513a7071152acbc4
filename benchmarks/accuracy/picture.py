"""A picture of the courses of many trainings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.accuracy.curves import EVERY

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
_SIZE, _MARGIN = (640, 360), (60, 20, 150, 40)


def picture(title: str, courses: Mapping[str, Sequence[Sequence[float]]], level: tuple[str, float]) -> str:
    """SVG of losses (logarithmic) against batches; a colour a net, a line a seed, dashed where one knows nothing.

    ``courses`` has the losses after 0, ``EVERY``, ... batches.
    """
    left, top, right, bottom = _MARGIN
    width, height = _SIZE[0] - left - right, _SIZE[1] - top - bottom
    every = [losses for several in courses.values() for losses in several]
    longest = EVERY * max(len(losses) - 1 for losses in every)
    high = math.ceil(math.log10(max(level[1], max(map(max, every)))) * 2) / 2
    low = math.floor(math.log10(max(1e-6, min(map(min, every)))))

    def at(batch: float, loss: float) -> str:
        share = (high - math.log10(max(loss, 10**low))) / (high - low)
        return f"{left + width * batch / longest:.1f},{top + height * share:.1f}"

    def text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#333333") -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'

    parts = [text(left, 14, title)]
    for power in range(low, math.floor(high) + 1):
        x, y = map(float, at(0, 10.0**power).split(","))
        parts += [f'<path d="M{x},{y} h{width}" stroke="#dddddd"/>', text(left - 6, y + 4, f"1e{power}", "end")]
    parts += [text(left + width * k / 4, top + height + 18, f"{longest * k // 4}", "middle") for k in range(5)]
    parts.append(text(left + width / 2, top + height + 34, "batches", "middle"))
    parts.append(
        f'<polyline points="{at(0, level[1])} {at(longest, level[1])}" {_line("#888888")} stroke-dasharray="5"/>'
    )
    parts.append(text(left + width + 8, float(at(0, level[1]).split(",")[1]) + 4, level[0], colour="#888888"))
    for place, (name, several) in enumerate(courses.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        parts.append(text(left + width + 8, top + height - 16 * (len(courses) - 1 - place), name, colour=colour))
        for losses in several:
            points = " ".join(at(EVERY * point, loss) for point, loss in enumerate(losses))
            parts.append(f'<polyline points="{points}" {_line(colour)}/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE[0]} {_SIZE[1]}" width="{_SIZE[0]}"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="11">', paper, *parts, "</svg>\n"])


def _line(colour: str) -> str:
    return f'fill="none" stroke="{colour}" stroke-width="1.5"'
