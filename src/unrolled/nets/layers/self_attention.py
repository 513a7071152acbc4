"""Each step looks at the others: full, local, with priors, and two kinds whose cost is linear in T.

Vaswani et al. 2017, arXiv 1706.03762; Linformer (Wang et al. 2020, arXiv 2006.04768); Performer (Choromanski et al.
2021, arXiv 2009.14794); ALiBi (Press et al. 2022, arXiv 2108.12409); relative positions (Shaw et al. 2018, arXiv
1803.02155).

Letters: B batch, T time, D columns, N heads, E columns of a head, S slots, F random features.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Attentive, Layer, LayerSpec, Rate, Size, need_sequence
from unrolled.nets.layers.attention import NEEDS_ALL, divisible
from unrolled.nets.ops import time


class SelfAttentionSpec(LayerSpec):
    """Attention of every step on every step, or on fewer.

    ``kind``: "full"; "projected" keeps ``slots`` learned sums of all steps (Linformer; sequences of up to ``longest``
    steps); "random_features" is the Performer with ``features`` of them. For "full" ``window`` sets how far a step
    looks, ``recency`` lets it prefer near steps, ``relative`` learns a number for each distance up to this one.
    ``causal`` looks back only. ``residual`` adds the input and norms before.
    """

    name: ClassVar[str] = "self_attention"

    kind: Literal["full", "projected", "random_features"] = "full"
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    causal: bool = False
    window: Annotated[int, Field(ge=1, le=100_000)] | None = None
    recency: bool = False
    relative: Annotated[int, Field(ge=1, le=4096)] | None = None
    slots: Size = 32
    longest: Annotated[int, Field(ge=1, le=1_000_000)] = 1024
    features: Size = 64
    residual: bool = True
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return SelfAttention(self, shape)


class SelfAttention(Attentive):
    """``(B, T, D)`` to the same."""

    def __init__(self, spec: SelfAttentionSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "self_attention")
        _agree(spec)
        size = shape.size
        divisible(size, spec.heads)
        self.spec = spec
        self.norm = nn.LayerNorm(size) if spec.residual else None
        self.query, self.key, self.value, self.out = (nn.Linear(size, size) for _ in range(4))
        self.relative = nn.Parameter(torch.zeros(spec.heads, 2 * spec.relative + 1)) if spec.relative else None
        projected = spec.kind == "projected"
        self.slots = nn.Parameter(torch.randn(spec.slots, spec.longest) / spec.longest**0.5) if projected else None
        self.features: Tensor | None
        random = spec.kind == "random_features"
        self.register_buffer("features", _orthogonal(spec.features, size // spec.heads) if random else None)
        self.shape = replace(shape.mixed(size), added=shape.backwards and spec.causal)

    def forward(self, flow: Flow) -> Flow:
        spec = self.spec
        q, k, v = self._asked(flow)
        y = ops.linear(self._attend(q, k, v, flow.lengths), weight=self.out.weight, bias=self.out.bias)
        y = ops.dropout(y, spec.dropout, self.training)
        return flow.changed(ops.merge(flow.x, y, kind="sum") if spec.residual else y)

    def attention(self, flow: Flow, steps: slice) -> Tensor:
        """Of slots the weight of each step in what is read of them, which may be below 0; as of ``Attentive``."""
        spec = self.spec
        q, k, _ = self._asked(flow)
        if self.features is not None:
            return ops.random_weights(
                q, k, flow.lengths, steps, features=self.features, heads=spec.heads, causal=spec.causal
            )
        if self.slots is not None:
            slots = ops.project_time(k, flow.lengths, weight=self.slots)
            inside = torch.ones_like(k[:, :, :1]) if flow.lengths is None else time.mask(flow.lengths, k)[..., None]
            return self._weights(q, slots, None, steps) @ (self.slots[:, : k.shape[1]] * inside.mT)[:, None]
        return self._weights(q, k, flow.lengths, steps)

    def _weights(self, q: Tensor, k: Tensor, lengths: Tensor | None, steps: slice) -> Tensor:
        return ops.self_weights(q, k, lengths, steps, relative=self.relative, **self._priors)

    @property
    def _priors(self) -> dict[str, Any]:
        spec = self.spec
        return {
            "heads": spec.heads,
            "causal": spec.causal,
            "window": spec.window or 0,
            "recency": spec.recency,
        }

    def _asked(self, flow: Flow) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values ``(B, T, D)``."""
        norm = self.norm
        x = flow.x if norm is None else ops.layer_norm(flow.x, weight=norm.weight, bias=norm.bias, eps=norm.eps)
        q, k, v = (ops.linear(x, weight=map.weight, bias=map.bias) for map in (self.query, self.key, self.value))
        return q, k, v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, lengths: Tensor | None) -> Tensor:
        spec = self.spec
        if self.features is not None:
            return ops.random_attend(q, k, v, lengths, features=self.features, heads=spec.heads, causal=spec.causal)
        if self.slots is not None:
            k, v = (ops.project_time(each, lengths, weight=self.slots) for each in (k, v))
            lengths = None
        return ops.self_attend(q, k, v, lengths, relative=self.relative, **self._priors)

    def obstacle(self) -> Note | None:
        return NEEDS_ALL


def _agree(spec: SelfAttentionSpec) -> None:
    """Refuse options that the kind cannot honour."""
    priors = {"window": spec.window, "recency": spec.recency, "relative": spec.relative}
    given = [name for name, value in priors.items() if value]
    if spec.kind != "full" and given:
        raise ConfigError(
            f"{given[0]} needs every pair of steps, and kind {spec.kind!r} has none", mend="use kind: full"
        )
    if spec.kind == "projected" and spec.causal:
        raise ConfigError("its slots see all steps, so it cannot be causal", mend="use kind: random_features")


def _orthogonal(rows: int, size: int) -> Tensor:
    """``(F, E)``: blocks of orthogonal directions with the lengths of Gaussian ones (Choromanski et al. 2021, 2.4)."""
    blocks = [torch.linalg.qr(torch.randn(size, size))[0].T for _ in range(-(-rows // size))]
    lengths: Tensor = torch.linalg.vector_norm(torch.randn(rows, size), dim=1, keepdim=True)
    return torch.cat(blocks)[:rows] * lengths
