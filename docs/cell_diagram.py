"""The picture of a cell, drawn from its program in columns (after Sugiyama, Tagawa & Toda 1981)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import mean
from typing import Any

from unrolled.program import Node, Program

_Place = tuple[str, int]
"""A box, or the way of its arrows, and a column."""

_BOX, _COLUMN, _ROW = (100, 28), 140, 40
_SIGNS = {"add": "· + ·", "sub": "· − ·", "mul": "· × ·", "div": "· / ·", "neg": "− ·", "positive": "[· > 0]"}
_NAMES = {"sigmoid": "σ", "product": "R"}
_FILL = {"leaf": "#eef0f2", "value": "#dbe8f7", "output": "#d9efdc"}


def diagram(program: Program) -> str:
    """A picture of what is computed from what: inputs and old state left, new state green."""
    boxes, arrows = graph(program)
    columns = _columns(boxes, arrows)
    links = _links(columns, arrows)
    rows = _rows(columns, links)
    height = _ROW * max(map(len, rows)) + 16
    width = _COLUMN * (len(rows) - 1) + _BOX[0] + 24
    at = {
        place: (12 + _COLUMN * column, height / 2 + _ROW * (index - (len(places) - 1) / 2))
        for column, places in enumerate(rows)
        for index, place in enumerate(places)
    }
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="13" text-anchor="middle">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *(_arrow(*at[tail], *at[head], lane=tail[1] > columns[tail[0]]) for tail, head in links),
            *(_box(*at[name, columns[name]], kind, sign, text) for name, (kind, sign, text) in boxes.items()),
            "</svg>\n",
        ]
    )


def _links(columns: dict[str, int], arrows: list[tuple[str, str]]) -> list[tuple[_Place, _Place]]:
    """Arrows cut into steps of one column; those from one box share their way."""
    links: dict[tuple[_Place, _Place], None] = {}
    for tail, head in arrows:
        way = [(tail, column) for column in range(columns[tail], columns[head])] + [(head, columns[head])]
        links |= dict.fromkeys(pairwise(way))
    return list(links)


def _rows(columns: dict[str, int], links: list[tuple[_Place, _Place]]) -> list[list[_Place]]:
    """What stands in each column, from top to bottom: near to what it comes from."""
    rows: list[list[_Place]] = [[] for _ in range(max(columns.values()) + 1)]
    for place in [(name, column) for name, column in columns.items()] + [head for _, head in links]:
        if place not in rows[place[1]]:
            rows[place[1]].append(place)
    for left, right in pairwise(rows):
        height = {place: index - (len(left) - 1) / 2 for index, place in enumerate(left)}
        right.sort(key=lambda place: mean(height[tail] for tail, head in links if head == place))
    return rows


def graph(program: Program) -> tuple[dict[str, tuple[str, str, str]], list[tuple[str, str]]]:
    """Boxes (kind, sign, text) by name, and arrows between them: leaves, what the equations name, the new state."""
    outputs = {place: name for name, place in program.outputs}
    boxes, arrows, names = {}, [], dict[int, str]()
    for place, node in enumerate(program.nodes):
        if node.op in ("input", "state", "noise"):
            names[place] = "x" if node.op == "input" else f"old {node.name}"
            text = ("x", "t") if node.op == "input" else (node.name, "t" if node.op == "noise" else "t−1")
            boxes[names[place]] = ("leaf", "", _text(*text))
        elif place in outputs or (node.name and node.op not in ("vector", "product")):
            names[place] = outputs.get(place, node.name)
            kind, sign = (
                "output" if place in outputs else "value",
                _SIGNS.get(node.op, f"{_NAMES.get(node.op, node.op)}(·)"),
            )
            boxes[names[place]] = (kind, sign, _text(names[place], "t"))
            arrows += [(tail, names[place]) for tail in dict.fromkeys(_before(program, node, names))]
    return boxes, arrows


def _before(program: Program, node: Node, names: dict[int, str]) -> Iterator[str]:
    """The boxes that a node is computed from."""
    for arg in node.args:
        if arg in names:
            yield names[arg]
        else:
            yield from _before(program, program.nodes[arg], names)


def _columns(boxes: dict[str, Any], arrows: list[tuple[str, str]]) -> dict[str, int]:
    """Each box one column right of the last that it is computed from; arrows come in order of evaluation."""
    columns = dict.fromkeys(boxes, 0)
    for tail, head in arrows:
        columns[head] = max(columns[head], columns[tail] + 1)
    return columns


def _text(name: str, time: str) -> str:
    stem, _, below = name.partition("_")
    stem += "\u0303" * name.endswith("_")
    under = f"{below},{time}" if below else time
    return f'<tspan font-style="italic">{stem}</tspan><tspan dy="4" font-size="9">{under}</tspan>'


def _box(x: float, y: float, kind: str, sign: str, text: str) -> str:
    width, height = _BOX
    shown = f'{text}<tspan dy="-4"> = {sign}</tspan>' if sign else text
    return (
        f'<rect x="{x:g}" y="{y - height / 2:g}" width="{width}" height="{height}" rx="6" fill="{_FILL[kind]}" '
        f'stroke="#8a929b"/><text x="{x + width / 2:g}" y="{y + 4:g}" fill="#1d2329">{shown}</text>'
    )


def _arrow(x: float, y: float, to_x: float, to_y: float, lane: bool) -> str:
    """From the right side of a box, or through a lane between boxes, to the left of the next."""
    start, middle = x + _BOX[0], (x + _BOX[0] + to_x) / 2
    before = f"M{x:g} {y:g}H{start:g}" if lane else f"M{start:g} {y:g}"
    curve = f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"
    return f'<path d="{before}{curve}" fill="none" stroke="#8a929b"/>'
