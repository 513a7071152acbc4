"""From the chain of layers of a Keras model to our net spec with weights, where the spec can say it.

Letters: D inputs, H hidden, C channels, V values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

from torch import Tensor, nn

from unrolled.cells import GRU, LSTM, RNN, GRUBefore, RNNRelu
from unrolled.core.errors import ConfigError
from unrolled.nets.keras.build import Source
from unrolled.nets.keras.graph import Graph, KerasModule
from unrolled.nets.keras.layers import Convolution, Embedding, GlobalPooling, Masking, Plain
from unrolled.nets.keras.recurrent import BothWays, OneWay
from unrolled.nets.layers.columns import embedding_size
from unrolled.nets.net import Net
from unrolled.nets.recurrent import Recurrent
from unrolled.program.ops.types import Activation
from unrolled.program.shapes import Inputs, Outputs

_CELLS = (GRU, GRUBefore, LSTM, RNN, RNNRelu)
_ACTIVATIONS = set(get_args(Activation)) - {"gelu"}  # ours approximates it
_MERGES = {"concat": "concat", "sum": "sum", "ave": "mean"}
_FINAL = ("linear", "softmax", "sigmoid")


@dataclass
class _Draft:
    """A net that is being written: layers of the spec, and their weights by ``state_dict`` name."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    inputs: Inputs | None = None
    pooled: bool = False
    hidden: list[int] = field(default_factory=list)
    activations: list[str] = field(default_factory=list)

    def add(self, name: str, options: dict[str, Any], **weights: Tensor | None) -> None:
        prefix = f"layers.{len(self.layers)}."
        self.layers.append({name: options})
        for key, tensor in weights.items():
            if tensor is not None:
                self.weights[prefix + key.replace("__", ".")] = tensor.detach()


def to_net(graph: Graph, module: KerasModule, outputs: Outputs | None) -> tuple[Net, str]:
    """The same model as a net, and the activation after its last layer, which a net leaves to its task.

    Raises:
        ConfigError: a net spec cannot say this model; the message names the layer.
    """
    draft = _Draft()
    for source, layer in _chain(graph, module):
        if draft.pooled:
            _vector(draft, source, layer)
        else:
            _sequence(draft, source, layer)
    if not draft.hidden or draft.inputs is None:
        raise ConfigError("the model does not end in Dense layers on one vector a sequence", where="the last layer")
    *inner, final = draft.activations
    if final not in _FINAL or len(set(inner)) > 1 or not _ACTIVATIONS.issuperset(inner):
        raise ConfigError(f"the activations {draft.activations} do not fit a linear head", where="the Dense layers")
    *hidden, last = draft.hidden
    head: dict[str, Any] = {"hidden": hidden} | ({"activation": inner[0]} if inner else {})
    draft.layers.append({"linear": head})
    outputs = outputs or Outputs(values=last)
    if outputs.size != last:
        raise ConfigError(f"the model gives {last} numbers, outputs ask for {outputs.size}", where="outputs")
    net = Net(draft.layers, draft.inputs, outputs)
    net.load_state_dict(draft.weights)
    return net.eval(), final


def _chain(graph: Graph, module: KerasModule) -> Iterator[tuple[Source, nn.Module]]:
    """Layers in their order; a spec has no branches."""
    expected = graph.inputs
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ConfigError("a spec has one input and one output", where="the model")
    for call, layer in zip(graph.calls, module.layers, strict=False):
        if call.inputs != expected:
            raise ConfigError("a spec has no branches", where=graph.layers[call.layer].where)
        expected = (call.output,)
        yield graph.layers[call.layer], layer
    if len(graph.calls) != len(module.layers):
        raise ConfigError("a spec calls each layer once", where="the model")


def _sequence(draft: _Draft, source: Source, layer: nn.Module) -> None:
    """A layer that reads steps."""
    if isinstance(layer, Embedding):
        _embedding(draft, source, layer)
    elif isinstance(layer, OneWay | BothWays):
        _recurrent(draft, source, layer)
    elif isinstance(layer, Convolution):
        _convolution(draft, source, layer)
    elif isinstance(layer, GlobalPooling) and not layer.keep:
        draft.add("pool", {"kind": layer.kind})
        draft.pooled = True
    elif isinstance(layer, Plain) and isinstance(layer.module, nn.Dropout):
        draft.add("dropout", {"rate": layer.module.p})
    elif not isinstance(layer, Masking):  # a net is told the true lengths
        raise _unsaid(source)


def _vector(draft: _Draft, source: Source, layer: nn.Module) -> None:
    """A layer after pooling: the Dense layers become the head."""
    if not isinstance(layer, Plain):
        raise _unsaid(source)
    if isinstance(layer.module, nn.Linear):
        prefix = f"layers.{len(draft.layers)}.trunk.{len(draft.hidden)}."
        bias = layer.module.bias
        draft.weights[prefix + "weight"] = layer.module.weight.detach()
        draft.weights[prefix + "bias"] = (
            layer.module.weight.new_zeros(layer.module.out_features) if bias is None else bias.detach()
        )
        draft.hidden.append(layer.module.out_features)
        draft.activations.append(layer.activation)
    elif isinstance(layer.module, nn.Dropout) and not draft.hidden:
        draft.add("dropout", {"rate": layer.module.p})
    elif isinstance(layer.module, nn.Identity) and draft.hidden and draft.activations[-1] == "linear":
        draft.activations[-1] = layer.activation
    else:
        raise _unsaid(source)


def _recurrent(draft: _Draft, source: Source, layer: OneWay | BothWays) -> None:
    ways = [layer] if isinstance(layer, OneWay) else [layer.forwards, layer.backwards]
    cells = {way.rnn.cell for way in ways}
    merge = _MERGES.get(layer.merge) if isinstance(layer, BothWays) else "concat"
    directions = [way.backwards for way in ways] == [False, True][: len(ways)]
    sequences = {way.sequences for way in ways}
    known = len(cells) == 1 and type(ways[0].rnn.cell) in _CELLS
    if not known or not directions or merge is None or len(sequences) > 1 or len({w.rnn.hidden_size for w in ways}) > 1:
        raise _unsaid(source)
    draft.inputs = draft.inputs or Inputs(numbers=ways[0].rnn.input_size)
    options: dict[str, Any] = {"size": ways[0].rnn.hidden_size, "bias": ways[0].rnn.bias}
    if len(ways) > 1:
        options |= {"bidirectional": True, "merge": merge}
    draft.add(ways[0].rnn.cell.name, options, **_parameters(way.rnn for way in ways))
    if not ways[0].sequences:
        if merge != "concat":
            raise _unsaid(source)
        draft.add("pool", {"kind": "last"})
        draft.pooled = True


def _parameters(rnns: Iterator[Recurrent]) -> dict[str, Tensor]:
    return {
        f"rnn__{name}_l0{end}": weight
        for rnn, end in zip(rnns, ("", "_reverse"), strict=False)
        for name, weight in rnn.weights()[0].items()
    }


def _convolution(draft: _Draft, source: Source, layer: Convolution) -> None:
    channels, size, kernel = layer.weight.shape
    options = layer.options
    activation = None if options["activation"] == "linear" else options["activation"]
    plain = options["dilation"] == options["groups"] == 1 and (options["stride"] == 1 or layer.padding == "causal")
    if not plain or layer.padding == "valid" or (activation and activation not in _ACTIVATIONS):
        raise _unsaid(source)
    draft.inputs = draft.inputs or Inputs(numbers=size)
    draft.add(
        "conv",
        {
            "channels": channels,
            "kernel": kernel,
            "stride": options["stride"],
            "padding": layer.padding,
            "norm": None,
            "activation": activation,
        },
        conv__weight=layer.weight,
        conv__bias=layer.weight.new_zeros(channels) if layer.bias is None else layer.bias,
    )


def _embedding(draft: _Draft, source: Source, layer: Embedding) -> None:
    """Only as the first layer, on one column of codes, and of the width that nets give to so many categories."""
    rows, width = layer.weight.shape
    if draft.inputs is not None or draft.layers or rows < 2 or embedding_size(rows - 1) != width:
        raise _unsaid(source)
    draft.inputs = Inputs(numbers=0, categories=(rows - 1,))
    draft.weights["x.embeddings.0.weight"] = layer.weight.detach()


def _unsaid(source: Source) -> ConfigError:
    return ConfigError("a net spec cannot say this layer", where=source.where)
