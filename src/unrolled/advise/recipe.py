"""From what rules answer to a net: the recurrent part of the task's own net, exchanged.

Rules speak of the recurrent part (which cell, how many layers, attention or not). What stands around it (convolutions,
the measure of a window's level, the head) is that of the task's own net, which was chosen by measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrolled.cells import cells
from unrolled.nets.presets import preset

Layers = list[Any]
Kinds = tuple[tuple[str, ...], tuple[str, ...]]

_DEEP, _STRONG, _LIGHT = 4, 0.4, 0.1  # layers; rates of dropout
_HEADS = ("linear", "segment_decoder", "decoder")


@dataclass(frozen=True)
class Recipe:
    """Answers to the questions that a net can be built from; "" leaves what the task's own net has."""

    cell: str = ""
    depth: str = ""
    attention: str = ""
    pooling: str = ""
    regularisation: str = ""
    convolution: str = ""
    direction: str = ""
    streams: str = ""
    hybrid: str = ""

    @classmethod
    def of(cls, answers: Mapping[str, str]) -> Recipe:
        """Those of the answers that build a net."""
        return cls(**{name: answers[name] for name in cls.__dataclass_fields__ if name in answers})

    @property
    def name(self) -> str:
        """In a few words, such as ``lstm-deep-attention``."""
        parts = [self.cell, self.depth if self.depth not in ("", "one") else ""]
        parts += ["attention" if self.attention == "yes" else "", "hybrid" if self.hybrid == "yes" else ""]
        parts += [f"{self.pooling}-pool" if self.pooling else "", "streams" if self.streams else ""]
        return "-".join(part for part in parts if part) or "own"


def build(recipe: Recipe, own: Layers, kinds: Kinds = ((), ()), *, every: bool = False) -> Layers:
    """The layers.

    Args:
        recipe: what is asked.
        own: the task's own net.
        kinds: names of the numeric and of the categorical columns, for two streams.
        every: each step has its own answer, so that nothing may pool over the steps.
    """
    if recipe.cell == "gru_d":
        return preset("gru-d").layers(size=_width(own))
    layers = [_swapped(entry, recipe) for entry in own]
    layers = [layer for part in layers for layer in (part if isinstance(part, list) else [part])]
    forward = recipe.direction == "forward" or (every and not _two_way(own))
    if recipe.hybrid == "yes":
        layers = _hybrid(layers, forward)
    if recipe.streams == "two" and all(kinds):
        layers = _two_streams(layers, kinds)
    if forward:
        layers = [{"pool": {"kind": "last"}} if _name(entry) == "pool" else entry for entry in layers]
    elif recipe.attention == "yes" and not every:
        layers = _attending(layers)
    elif recipe.pooling:
        layers = [{"pool": {"kind": recipe.pooling}} if _name(entry) == "pool" else entry for entry in layers]
    return _regularised(layers, recipe.regularisation)


def cnn(own: Layers, *, every: bool = False, forward: bool = False) -> Layers:
    """A net without recurrence, of the width of the task's own: three convolutions (Wang et al. 2017, FCN).

    It looks ahead where the task's own net does, unless it is to run ``forward`` only.
    """
    width = _width(own)
    front = [entry for entry in own if _name(entry) == "window_norm"]
    causal = bool(front) or forward or (every and not _two_way(own))
    padding = "causal" if causal else "same"
    body = [{"conv": {"channels": width, "kernel": kernel, "padding": padding}} for kernel in (8, 5, 3)]
    pool = [] if every else [{"pool": {"kind": "last" if causal else "mean"}}]
    return [*front, *body, *pool, {"linear": {}}]


def narrower(layers: Any, factor: float) -> Any:
    """The layers with all sizes and channels multiplied, at least 4."""
    if isinstance(layers, Mapping):
        return {
            key: max(4, round(value * factor)) if key in ("size", "channels") and isinstance(value, int)
            else narrower(value, factor)
            for key, value in layers.items()
        }  # fmt: skip
    return [narrower(entry, factor) for entry in layers] if isinstance(layers, list) else layers


def _swapped(entry: Any, recipe: Recipe) -> Any:
    """An entry with its recurrent layer exchanged, at any depth; a list where several layers take its place."""
    name = _name(entry)
    options = dict(entry[name] or {}) if isinstance(entry, Mapping) else {}
    if name in cells():
        return _body(name, options, recipe)
    if name == "conv" and recipe.convolution == "separable":
        options["separable"] = True
    if name == "conv" and recipe.direction == "forward":
        options["padding"] = "causal"
    if name == "segment_decoder" and recipe.depth in ("two", "deep"):
        options["shared"] = False
    if name in ("siamese", "residual") and "layers" in options:
        inner = [_swapped(one, recipe) for one in options["layers"]]
        options["layers"] = [layer for part in inner for layer in (part if isinstance(part, list) else [part])]
    return {name: options}


def _body(name: str, options: dict[str, Any], recipe: Recipe) -> Layers:
    options = {key: value for key, value in options.items() if key in ("size", "bidirectional", "dropout", "layers")}
    cell = recipe.cell or name
    if recipe.direction == "forward":
        options.pop("bidirectional", None)
    if recipe.depth == "deep":
        return [{"residual": {"layers": [{cell: options}], "repeat": _DEEP}}, {"layer_norm": {}}]
    if recipe.depth == "two":
        options["layers"] = 2
    return [{cell: options}]


def _hybrid(layers: Layers, forward: bool) -> Layers:
    """A convolution before the recurrent part, where nothing stands there yet that reads several steps at once."""
    names = [_name(entry) for entry in layers]
    at = next((place for place, name in enumerate(names) if name in cells() or name == "residual"), None)
    if at is None or {"conv", "patch"} & set(names):
        return layers
    padding = "causal" if forward or "window_norm" in names else "same"
    front: Layers = [{"conv": {"channels": _width(layers), "kernel": 5, "padding": padding}}]
    return [*layers[:at], *front, *layers[at:]]


def _attending(layers: Layers) -> Layers:
    """Additive attention in the place of pooling, before the head; a decoder attends by itself."""
    names = [_name(entry) for entry in layers]
    attention = {"attention": {"kind": "additive"}}
    if "segment_decoder" in names:
        kept = [entry for entry in layers if _name(entry) not in ("per_channel", "patch", "segment_decoder")]
        return [*kept, {"decoder": {"attention": "bahdanau"}}]
    if "pool" in names:
        return [attention if name == "pool" else entry for name, entry in zip(names, layers, strict=True)]
    at = next((place for place, name in enumerate(names) if name in _HEADS), len(layers))
    return [*layers[:at], attention, *layers[at:]]


def _two_streams(layers: Layers, kinds: Kinds) -> Layers:
    """A recurrent layer for each kind of columns, gated together, in the place of all layers before the pooling."""
    body = next((entry for entry in layers if _name(entry) in cells()), {"gru": {"size": _width(layers)}})
    rest = [entry for entry in layers if _name(entry) in ("dropout", "pool", "linear")]
    return [{"parallel": {"branches": [[body], [body]], "columns": [list(kinds[0]), list(kinds[1])], "merge": "gated"}},
            *rest]  # fmt: skip


def _regularised(layers: Layers, how: str) -> Layers:
    """Dropout of 0.4 (strong) or 0.1 (light) where the net has one, else before its head."""
    if not how:
        return layers
    rate = _STRONG if how == "strong" else _LIGHT
    if not any(_name(entry) == "dropout" for entry in layers):
        if how == "light" or _name(layers[-1]) != "linear":
            return layers
        return [*layers[:-1], {"dropout": {"rate": rate}}, layers[-1]]
    return [{"dropout": {**(entry["dropout"] or {}), "rate": rate}} if _name(entry) == "dropout" else entry
            for entry in layers]  # fmt: skip


def _two_way(layers: Any) -> bool:
    """A recurrent layer reads from both ends, at any depth."""
    if isinstance(layers, Mapping):
        return bool(layers.get("bidirectional")) or any(map(_two_way, layers.values()))
    return isinstance(layers, list) and any(map(_two_way, layers))


def _width(layers: Layers) -> int:
    sizes = [
        entry[name].get("size") for entry in layers if isinstance(entry, Mapping) and (name := _name(entry)) in cells()
    ]
    return int(next((size for size in sizes if size), 64))


def _name(entry: Any) -> str:
    return entry if isinstance(entry, str) else str(next(iter(entry)))
