"""Where steps look: the weights of self-attention, and of a decoder on what its encoder gave.

Letters: B sequences of a layer, N heads, Q steps that look, T steps looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.core.diagnosis import Finding
from unrolled.core.records import HeatPicture
from unrolled.data import Batch
from unrolled.diagnose.attribution import outside_training
from unrolled.diagnose.heat import Edges, Values, edges, names, summed
from unrolled.diagnose.recording import place_of
from unrolled.diagnose.wording import finding
from unrolled.nets.body import Body
from unrolled.nets.flow import Flow
from unrolled.nets.layer import Attentive
from unrolled.nets.layers.decoder import Decoder

_AT_ONCE = 128  # steps whose weights on all others are held
_FLAT = 0.99  # steps of equal weight that would spread as widely, over the steps that may be seen

Name = Callable[[int], str]
"""Of a step, from 0."""


@dataclass
class AttentionMap:
    """Mean weights of one layer over sequences and heads.

    Attributes:
        place: the layer.
        ahead: the steps that look are those of the horizon, and those looked at count from the end.
        rows, columns: where stretches of both axes begin.
        spread: of each look, the steps of equal weight that would spread as widely, over those it may see.
        distance: of each look, the mean number of steps to what it looks at.
    """

    place: str
    ahead: bool
    rows: Edges
    columns: Edges
    spread: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sums = np.zeros((len(self.rows) - 1, len(self.columns) - 1))
        self._counts = np.zeros(len(self.rows) - 1)

    @property
    def shares(self) -> Values:
        """For each stretch of rows the weight on each stretch of columns; of self-attention a row adds up to 1."""
        return self._sums / np.maximum(self._counts, 1)[:, None]

    def add(self, weights: Tensor, start: int) -> None:
        """Weights ``(N, Q, T)`` of one sequence, of the steps from ``start`` on."""
        found = weights.detach().double().numpy()
        size = np.abs(found) / np.maximum(np.abs(found).sum(-1, keepdims=True), 1e-30)
        seen = (found != 0).sum(-1)
        entropy = -(size * np.log(np.maximum(size, 1e-30))).sum(-1)
        self.spread += (np.exp(entropy) / np.maximum(seen, 1))[seen > 1].tolist()
        steps = np.arange(found.shape[2])
        away = steps if self.ahead else np.abs(steps - np.arange(start, start + found.shape[1])[:, None])
        self.distance += (size * away).sum(-1).reshape(-1).tolist()
        rows = np.searchsorted(self.rows, np.arange(start, start + found.shape[1]), side="right") - 1
        np.add.at(self._sums, rows, summed(found.mean(0), self.columns))
        np.add.at(self._counts, rows, 1)

    def picture(self, row: Name | None = None, column: Name | None = None) -> HeatPicture:
        """As a heat map, with the names of the steps that look and of those looked at; numbers from 1 otherwise."""
        return HeatPicture(
            name="decoder_attention_map" if self.ahead else "attention_map",
            x_label="lag" if self.ahead and column is None else "looked_at",
            y_label="step_ahead" if self.ahead else "looks",
            value_label="weight",
            x=names(self.columns, column or (str if self.ahead else _from_one)),
            y=names(self.rows, row or _from_one),
            values=tuple(map(tuple, self.shares.tolist())),
            signed=bool((self.shares < 0).any()),
        )


def attention_maps(net: Body, rows: Sequence[Batch]) -> tuple[AttentionMap, ...]:
    """The mean map of each layer with weights between steps, in the order in which they run.

    Args:
        net: left as it was.
        rows: single rows.
    """
    found: dict[str, list[tuple[Attentive, Flow]]] = {}
    for row in rows:
        with outside_training(net), _watched(net) as flows, torch.no_grad():
            net.layers(net.arriving(row.x, row.lengths, row.static, row.known))
        for place, layer, flow in flows:
            found.setdefault(place, []).append((layer, flow))
    return tuple(_mapped(place, looks) for place, looks in found.items())


def attention(net: Body, rows: Sequence[Batch]) -> Iterator[Finding]:
    """The verdict on each layer, with its map."""
    for one in attention_maps(net, rows):
        share, distance = float(np.mean(one.spread or [1.0])), float(np.mean(one.distance))
        flat = bool(one.spread) and share > _FLAT
        kind = "decoder_looks" if one.ahead else "steps_look"
        yield finding(
            f"{kind}_alike" if flat else kind,
            "watch" if flat else "fine",
            probe="attention",
            place=one.place,
            figures={"share": share, "distance": distance},
            pictures=[one.picture()],
        )


def _mapped(place: str, looks: Sequence[tuple[Attentive, Flow]]) -> AttentionMap:
    layer = looks[0][0]
    longest = max(length for _, flow in looks for length in _lengths(flow))
    ahead = layer.outputs.steps if isinstance(layer, Decoder) else 0
    found = AttentionMap(place, bool(ahead), edges(ahead or longest), edges(longest))
    for _, flow in looks:
        for start in range(0, ahead or flow.x.shape[1], _AT_ONCE):
            with torch.no_grad():
                weights = layer.attention(flow, slice(start, start + _AT_ONCE))
            for own, length in zip(weights, _lengths(flow), strict=True):
                if ahead:
                    found.add(own[..., :length].flip(-1), start)
                elif length > start:
                    found.add(own[:, : length - start, :length], start)
    return found


def _lengths(flow: Flow) -> list[int]:
    """True ones."""
    return [flow.x.shape[1]] * len(flow.x) if flow.lengths is None else [int(length) for length in flow.lengths]


@contextmanager
def _watched(net: nn.Module) -> Iterator[list[tuple[str, Attentive, Flow]]]:
    """What arrives at each layer with weights, while the net runs."""
    flows: list[tuple[str, Attentive, Flow]] = []

    def watch(place: str) -> Callable[[nn.Module, tuple[Flow, ...]], None]:
        def look(layer: nn.Module, given: tuple[Flow, ...]) -> None:
            assert isinstance(layer, Attentive)
            flows.append((place, layer, given[0]))

        return look

    layers = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, Attentive)]
    hooks = [
        layer.register_forward_pre_hook(watch(place_of(name)))
        for name, layer in layers
        if not isinstance(layer, Decoder) or layer.score is not None
    ]
    try:
        yield flows
    finally:
        for hook in hooks:
            hook.remove()


def _from_one(step: int) -> str:
    return str(step + 1)
