"""What all drawings share: the sizes of a sheet, its colours, and texts on it."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.report.charts import Chart, Option
from unrolled.report.markup import Child, Markup, element

COLORS = {
    "var(--model)": "#0072b2",
    "var(--second)": "#c65a00",
    "var(--third)": "#00805c",
    "var(--fourth)": "#b0578b",
    "var(--fifth)": "#8a7a00",
    "var(--truth)": "#32383f",
    "var(--soft)": "#59636e",
    "var(--card)": "#ffffff",
}
INK, SOFT, LINE = "#1b1f24", "#59636e", "#e2e3de"
WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 56, 46
LETTER = 6.2
"""Width of a letter at 11 pixels, on average."""


def sheet(chart: Chart, parts: Sequence[Child]) -> Markup:
    """A white sheet with the title of a chart."""
    return element(
        "svg",
        element("title", chart.title),
        element("rect", width="100%", height="100%", fill="#ffffff"),
        text(LEFT, 20, chart.title, "start", INK, 13),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        font_family="sans-serif",
        font_size="11",
    )


def text(x: float, y: float, words: str, anchor: str, fill: str, size: int = 11) -> Markup:
    """Words at a place."""
    return element("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, fill=fill, font_size=size)


def width_of(words: str) -> float:
    """Pixels that words take at 11 pixels; a Chinese sign is as wide as two letters."""
    return LETTER * sum(2 if ord(letter) > 255 else 1 for letter in words)


def axis_names(option: Option) -> list[Child]:
    """The names of both axes, where they have any."""
    across, upright = option["xAxis"].get("name", ""), option["yAxis"].get("name", "")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    named: list[Child] = [text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, "middle", SOFT)] if across else []
    if upright:
        named.append(
            element("g", text(0, 0, upright, "middle", SOFT), transform=f"translate(14 {middle:.0f}) rotate(-90)")
        )
    return named
