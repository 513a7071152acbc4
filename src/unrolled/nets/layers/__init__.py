"""The kinds of layers that a net spec can name; every registered cell is one too."""

from __future__ import annotations

from unrolled.cells import cells
from unrolled.nets.layer import LayerSpec
from unrolled.nets.layers.attention import AttentionSpec
from unrolled.nets.layers.conv import ConvSpec
from unrolled.nets.layers.dropout import DropoutSpec, NoiseSpec
from unrolled.nets.layers.head import LinearSpec
from unrolled.nets.layers.layer_norm import LayerNormSpec
from unrolled.nets.layers.patch import PatchSpec
from unrolled.nets.layers.per_channel import PerChannelSpec
from unrolled.nets.layers.pool import PoolSpec
from unrolled.nets.layers.segment_decoder import SegmentDecoderSpec
from unrolled.nets.layers.stack import recurrent_spec
from unrolled.nets.layers.window_norm import WindowNormSpec

_KINDS: tuple[type[LayerSpec], ...] = (
    AttentionSpec,
    ConvSpec,
    DropoutSpec,
    LayerNormSpec,
    LinearSpec,
    NoiseSpec,
    PatchSpec,
    PerChannelSpec,
    PoolSpec,
    SegmentDecoderSpec,
    WindowNormSpec,
)


def layer_kinds() -> dict[str, type[LayerSpec]]:
    """Name to options of every layer there is."""
    return {name: recurrent_spec(name) for name in cells()} | {kind.name: kind for kind in _KINDS}


__all__ = ["layer_kinds"]
