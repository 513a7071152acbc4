"""The kinds of layers that a net spec can name; every registered cell is one too."""

from __future__ import annotations

from unrolled.cells import cells
from unrolled.nets.layer import LayerSpec
from unrolled.nets.layers.align import AlignSpec
from unrolled.nets.layers.attention import AttentionSpec
from unrolled.nets.layers.augment import AugmentSpec
from unrolled.nets.layers.bidirectional import BidirectionalSpec
from unrolled.nets.layers.bottleneck import BottleneckSpec
from unrolled.nets.layers.conv import ConvSpec
from unrolled.nets.layers.decay import DecaySpec
from unrolled.nets.layers.decoder import DecoderSpec
from unrolled.nets.layers.dense import DenseSpec, PositionsSpec
from unrolled.nets.layers.dropout import DropoutSpec, NoiseSpec
from unrolled.nets.layers.early_exit import EarlyExitSpec
from unrolled.nets.layers.frames import FramesSpec
from unrolled.nets.layers.head import LinearSpec
from unrolled.nets.layers.items import ItemsSpec
from unrolled.nets.layers.layer_fusion import LayerFusionSpec
from unrolled.nets.layers.layer_norm import LayerNormSpec
from unrolled.nets.layers.memory import MemorySpec
from unrolled.nets.layers.parallel import ParallelSpec
from unrolled.nets.layers.patch import PatchSpec
from unrolled.nets.layers.per_channel import PerChannelSpec
from unrolled.nets.layers.pieces import PiecesSpec
from unrolled.nets.layers.ponder import PonderSpec
from unrolled.nets.layers.pool import PoolSpec
from unrolled.nets.layers.residual import ResidualSpec
from unrolled.nets.layers.segment_decoder import SegmentDecoderSpec
from unrolled.nets.layers.self_attention import SelfAttentionSpec
from unrolled.nets.layers.siamese import ScoreSpec, SiameseSpec
from unrolled.nets.layers.slow import SlowSpec
from unrolled.nets.layers.sparse import DeltaSpec, TopKSpec
from unrolled.nets.layers.stack import recurrent_spec
from unrolled.nets.layers.window_norm import WindowNormSpec

_KINDS: tuple[type[LayerSpec], ...] = (
    AlignSpec,
    AttentionSpec,
    AugmentSpec,
    BidirectionalSpec,
    BottleneckSpec,
    ConvSpec,
    DecaySpec,
    DecoderSpec,
    DeltaSpec,
    DenseSpec,
    DropoutSpec,
    EarlyExitSpec,
    FramesSpec,
    ItemsSpec,
    LayerFusionSpec,
    LayerNormSpec,
    LinearSpec,
    MemorySpec,
    NoiseSpec,
    ParallelSpec,
    PatchSpec,
    PerChannelSpec,
    PiecesSpec,
    PonderSpec,
    PoolSpec,
    PositionsSpec,
    ResidualSpec,
    ScoreSpec,
    SegmentDecoderSpec,
    SelfAttentionSpec,
    SiameseSpec,
    SlowSpec,
    TopKSpec,
    WindowNormSpec,
)


def layer_kinds() -> dict[str, type[LayerSpec]]:
    """Name to options of every layer there is."""
    return {name: recurrent_spec(name) for name in cells()} | {kind.name: kind for kind in _KINDS}


__all__ = ["layer_kinds"]
