"""The order in which a Keras model calls its layers, and the torch module that does the same."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from unrolled.core.errors import ConfigError, DataError
from unrolled.nets.keras.archive import Arrays
from unrolled.nets.keras.build import MERGING, Source, build

Key = tuple[str, int]
"""A value: the layer that computes it, and at which of its calls."""

_MASK_OPS = ("Any", "LogicalOr", "NotEqual")
_MODELS = ("Functional", "Model", "Sequential")
_OPERATIONS = ("keras.ops", "keras.src.ops")
_HARMLESS = (None, True, False)


@dataclass(frozen=True)
class Call:
    """One call of a layer."""

    layer: str
    inputs: tuple[Key, ...]
    output: Key


@dataclass(frozen=True)
class Graph:
    """The layers of a model by name, their calls in order, and which values go in and come out."""

    layers: dict[str, Source]
    calls: tuple[Call, ...]
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]


class KerasModule(nn.Module):
    """A Keras model in torch: called with its inputs in their order, it gives its output, or a tuple of them."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._calls, self._inputs, self._outputs = graph.calls, graph.inputs, graph.outputs
        self._merging = {name: source.operation for name, source in graph.layers.items() if source.kind in MERGING}
        names = list(dict.fromkeys(call.layer for call in graph.calls))
        self._index = {name: index for index, name in enumerate(names)}
        self.layers = nn.ModuleList(build(graph.layers[name]) for name in names)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Run the model.

        Raises:
            ConfigError: another number of inputs than the model has.
        """
        if len(inputs) != len(self._inputs):
            raise ConfigError(f"the model has {len(self._inputs)} inputs, {len(inputs)} were given", where="inputs")
        values: dict[Key, Any] = {key: (x, None) for key, x in zip(self._inputs, inputs, strict=True)}
        for call in self._calls:
            layer = self.layers[self._index[call.layer]]
            if call.layer in self._merging:
                xs, masks = zip(*(values[key] for key in call.inputs), strict=True)
                known = [None] * len(xs) if self._merging[call.layer] else list(masks)
                values[call.output] = layer(list(xs), known)
            else:
                values[call.output] = layer(*values[call.inputs[0]])
        results = tuple(values[key][0] for key in self._outputs)
        return results if len(results) > 1 else results[0]


def graph(config: dict[str, Any], arrays: Arrays) -> Graph:
    """Read a model's configuration.

    Raises:
        ConfigError: a layer, or how it is called, is not taken.
        DataError: the configuration is not one of Keras 3.
    """
    try:
        kind, entries = config["class_name"], config["config"]["layers"]
        layers, names = _layers(entries, arrays)
        if kind == "Sequential":
            return _sequential(layers, names)
        if kind == "Functional":
            return _functional(config["config"], entries, layers)
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise DataError(f"its configuration is not one of Keras 3 ({error!r})", where="config.json") from error
    raise ConfigError(
        f"a {str(kind)[:60]} model is not taken", where="config.json", mend="Sequential and functional are"
    )


def _layers(entries: list[dict[str, Any]], arrays: Arrays) -> tuple[dict[str, Source], list[str]]:
    layers: dict[str, Source] = {}
    counts: Counter[str] = Counter()
    for entry in entries:
        kind, config = str(entry["class_name"]), entry["config"]
        snake = _snake_case(kind)
        prefix = f"layers/{snake}" + (f"_{counts[snake]}" if counts[snake] else "")
        name = str(entry.get("name", config["name"]))
        module = str(entry.get("module", "keras"))
        source = Source(kind, config, arrays, prefix, module.startswith(_OPERATIONS))
        if not module.startswith("keras") and kind != "InputLayer":
            raise ConfigError("it is a class of its maker's own", where=source.where)
        if kind in _MODELS:
            raise ConfigError("a model inside a model is not taken", where=source.where, mend="build it of its layers")
        if kind in _MASK_OPS:  # operations are not counted among the layers
            layers[name] = source
            continue
        counts[snake] += 1
        layers[name] = source
    return layers, list(layers)


def _sequential(layers: dict[str, Source], names: list[str]) -> Graph:
    value: Key = ("input", 0)
    calls = []
    for name in names:
        if layers[name].kind != "InputLayer":
            calls.append(Call(name, (value,), (name, 0)))
            value = (name, 0)
    return Graph(layers, tuple(calls), (("input", 0),), (value,))


def _functional(config: dict[str, Any], entries: list[dict[str, Any]], layers: dict[str, Source]) -> Graph:
    """Calls in an order in which every input is computed before it is used."""
    nodes = {str(entry["name"]): entry["inbound_nodes"] for entry in entries}
    inputs, outputs = _keys(config["input_layers"]), _keys(config["output_layers"])
    calls: dict[Key, Call] = {}
    pending = list(reversed(outputs))
    while pending:
        key = pending[-1]
        if key in calls or key in inputs:
            pending.pop()
            continue
        needed = _arguments(nodes[key[0]][key[1]], layers[key[0]], layers)
        missing = [value for value in needed if value not in calls and value not in inputs]
        if any(value in pending for value in missing):
            raise DataError("its layers call each other in a circle", where="config.json")
        pending += missing
        if not missing:
            calls[key] = Call(key[0], needed, key)
    return Graph(layers, tuple(calls.values()), inputs, outputs)


def _arguments(node: dict[str, Any], source: Source, layers: dict[str, Source]) -> tuple[Key, ...]:
    """The values that one call is given; masks follow from the layers that make them."""
    for name, value in node["kwargs"].items():
        if name == "mask" and all(layers[key[0]].kind in _MASK_OPS for key in _tensors(value)):
            continue
        if value not in _HARMLESS:
            raise ConfigError(f"it is called with {name!r}", where=source.where)
    args = node["args"]
    values = _tensors(args)
    merging = source.kind in MERGING
    pair = merging and source.operation and len(args) == len(values) == 2  # such as a + b
    if not pair and (len(args) != 1 or not values or (len(values) > 1 and not merging)):
        raise ConfigError(f"it is called with {len(args)} arguments and {len(values)} tensors", where=source.where)
    return tuple(values)


def _tensors(value: Any) -> list[Key]:
    """All tensors in an argument."""
    if isinstance(value, list):
        return [key for part in value for key in _tensors(part)]
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, node, index = value["config"]["keras_history"]
        if index != 0:
            raise ConfigError("a layer with several outputs is not taken", where=f"Keras layer {str(name)[:60]!r}")
        return [(str(name), int(node))]
    return []


def _keys(entries: Any) -> tuple[Key, ...]:
    """One ``[name, call, index]``, or a list of them."""
    if isinstance(entries, dict):
        raise ConfigError("inputs or outputs by name are not taken", where="config.json", mend="make them lists")
    if isinstance(entries[0], str):
        entries = [entries]
    return tuple((str(name), int(node)) for name, node, _ in entries)


def _snake_case(name: str) -> str:
    """The name of a class as Keras writes it in weight files."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
