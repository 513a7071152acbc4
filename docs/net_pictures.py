"""Draw every preset, and the architectures that need more than one, from their specs: ``python docs/net_pictures.py``.

``tests/docs/test_net_pictures.py`` checks that the pictures are what the specs say, and that docs/nets.md shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from unrolled.nets import NetSpec
from unrolled.nets.layer import LayerSpec
from unrolled.nets.presets import presets

FOLDER = Path(__file__).parent / "nets"
_GAP, _PAD, _LINE, _LETTER = 26, 10, 15, 6.6
_FILL = {"body": "#dbe8f7", "pool": "#f5ecd7", "head": "#d9efdc", "end": "#eef0f2"}
_SHOWN = ("cell", "size", "channels", "kind", "length", "every", "most")
"""Options that say what a layer is, told even where they have their default."""

_PLAIN = str.maketrans("", "", "[]")

ARCHITECTURES: dict[str, list[Any]] = {
    "streams": [
        {
            "parallel": {
                "branches": [
                    [{"conv": {"padding": "causal"}}, {"gru": {"size": 32}}],
                    [{"slow": {"every": 60, "layers": [{"gru": {"size": 16}}]}}],
                ],
                "columns": [["acceleration"], ["temperature"]],
                "merge": "gated",
            }
        },
        {"pool": {"kind": "last"}},
    ],
    "separable": [
        {"conv": {"channels": 32, "kernel": 9, "stride": 2, "separable": True}},
        {"gru": {"size": 64}},
    ],
    "policy": [{"dense": {"size": 64, "activation": "tanh"}}, {"gru": {"size": 64}}, "linear"],
}


@dataclass(frozen=True)
class Drawing:
    """Something of a size that draws itself with its left upper corner at a place; arrows meet its middle."""

    width: float
    height: float
    at: Callable[[float, float], list[str]]


def picture(layers: tuple[LayerSpec, ...]) -> str:
    """The layers from left to right, those inside others in their frame."""
    whole = _row([_box("x", [], "end"), *map(_layer, layers), _box("answer", [], "end")])
    width, height = round(whole.width + 2 * _PAD), round(whole.height + 2 * _PAD)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="12" text-anchor="middle">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *whole.at(_PAD, _PAD),
            "</svg>\n",
        ]
    )


def _layer(spec: LayerSpec) -> Drawing:
    if not spec.inner:
        return _box(spec.name, _options(spec), spec.part)
    (name,) = spec.inner
    inner = getattr(spec, name)
    if isinstance(inner[0], LayerSpec):
        return _frame(" ".join([spec.name, *_options(spec)]), _row([_layer(each) for each in inner]))
    columns = [", ".join(map(str, own)) for own in getattr(spec, "columns", None) or [()] * len(inner)]
    branches = [
        _row([*([_box(own, [], "end")] if own else []), *map(_layer, branch)])
        for own, branch in zip(columns, inner, strict=True)
    ]
    return _frame(" ".join([spec.name, *_options(spec)]), _stack(branches))


def _options(spec: LayerSpec) -> list[str]:
    """What was chosen, and what the layer cannot be understood without."""
    given = spec.model_dump(mode="json", exclude_defaults=True)
    told = {name: value for name, value in spec.model_dump(mode="json").items() if name in given or name in _SHOWN}
    shown = {name: value for name, value in told.items() if name not in (*spec.inner, "columns") and value is not None}
    return [name if value is True else f"{name} {value}".translate(_PLAIN) for name, value in shown.items()]


def _box(name: str, lines: list[str], kind: str) -> Drawing:
    width = _LETTER * max(map(len, [name, *lines])) + 2 * _PAD
    height = _LINE * (1 + len(lines)) + _PAD

    def at(x: float, y: float) -> list[str]:
        texts = [_text(x + width / 2, y + _LINE * (1 + k), line, k == 0) for k, line in enumerate([name, *lines])]
        return [_rectangle(x, y, width, height, _FILL[kind]), *texts]

    return Drawing(width, height, at)


def _frame(title: str, inside: Drawing) -> Drawing:
    width = max(inside.width, _LETTER * len(title)) + 2 * _PAD
    height = inside.height + 2 * (_PAD + _LINE)  # as much below as above, so that arrows meet the middle of both

    def at(x: float, y: float) -> list[str]:
        return [
            _rectangle(x, y, width, height, "#f8f9fb", dashed=True),
            _text(x + width / 2, y + _LINE, title, True),
            *inside.at(x + (width - inside.width) / 2, y + _PAD + _LINE),
        ]

    return Drawing(width, height, at)


def _row(parts: list[Drawing]) -> Drawing:
    """One after the other, with arrows between."""
    width = sum(part.width for part in parts) + _GAP * (len(parts) - 1)
    height = max(part.height for part in parts)

    def at(x: float, y: float) -> list[str]:
        drawn = []
        for number, part in enumerate(parts):
            drawn += part.at(x, y + (height - part.height) / 2)
            x += part.width
            if number < len(parts) - 1:
                drawn.append(_arrow(x, y + height / 2))
            x += _GAP
        return drawn

    return Drawing(width, height, at)


def _stack(parts: list[Drawing]) -> Drawing:
    """One below the other."""
    width = max(part.width for part in parts)
    height = sum(part.height for part in parts) + _PAD * (len(parts) - 1)

    def at(x: float, y: float) -> list[str]:
        drawn = []
        for part in parts:
            drawn += part.at(x, y)
            y += part.height + _PAD
        return drawn

    return Drawing(width, height, at)


def _rectangle(x: float, y: float, width: float, height: float, fill: str, *, dashed: bool = False) -> str:
    line = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="4" fill="{fill}" '
        f'stroke="#8a94a0"{line}/>'
    )


def _text(x: float, y: float, text: str, strong: bool) -> str:
    weight = ' font-weight="bold"' if strong else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{weight}>{escape(text)}</text>'


def _arrow(x: float, y: float) -> str:
    end = x + _GAP - 2
    return (
        f'<path d="M{x + 2:.0f} {y:.0f} H{end:.0f} M{end - 5:.0f} {y - 4:.0f} L{end:.0f} {y:.0f} '
        f'L{end - 5:.0f} {y + 4:.0f}" fill="none" stroke="#555f69"/>'
    )


def written() -> dict[str, str]:
    """Every picture by the name of its file."""
    specs = {entry.name: entry.layers() for entry in presets()} | ARCHITECTURES
    return {f"{name}.svg": picture(NetSpec.parse(spec).layers) for name, spec in specs.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, content in written().items():
        (FOLDER / file).write_text(content, encoding="utf-8")
