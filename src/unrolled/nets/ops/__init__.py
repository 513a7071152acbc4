"""The operations of a plan, in torch: the vocabulary in which layers are written.

Each has the name and the arguments of its NumPy counterpart in ``program.ops``, where its meaning is written down.
Called with symbols instead of tensors, it notes itself down in the plan.
"""

from unrolled.nets.ops.attention import (
    mix,
    multiply,
    positions,
    project_time,
    random_attend,
    random_weights,
    self_attend,
    self_weights,
)
from unrolled.nets.ops.augment import scaling, time_warp
from unrolled.nets.ops.dense import activation, batch_norm, dropout, embedding, layer_norm, linear, noise
from unrolled.nets.ops.exits import first_sure
from unrolled.nets.ops.frames import conv2d, places
from unrolled.nets.ops.layout import (
    columns,
    fold_channels,
    group,
    marked_pieces,
    merge,
    patch,
    pieces,
    repeat,
    reshape,
    reverse,
    slice_axis,
    spread,
    tile,
    unflatten,
    unfold_channels,
)
from unrolled.nets.ops.memory import memory
from unrolled.nets.ops.missing import decay
from unrolled.nets.ops.pace import hold, thin
from unrolled.nets.ops.pair import compare, join_sides, split_sides, swap_sides
from unrolled.nets.ops.ponder import ponder
from unrolled.nets.ops.recurrent import recurrent
from unrolled.nets.ops.sparse import delta, top_k
from unrolled.nets.ops.time import attend, conv1d, end_in_blank, pool
from unrolled.nets.ops.window import window_denorm, window_norm

__all__ = [
    "activation",
    "attend",
    "batch_norm",
    "columns",
    "compare",
    "conv1d",
    "conv2d",
    "decay",
    "delta",
    "dropout",
    "embedding",
    "end_in_blank",
    "first_sure",
    "fold_channels",
    "group",
    "hold",
    "join_sides",
    "layer_norm",
    "linear",
    "marked_pieces",
    "memory",
    "merge",
    "mix",
    "multiply",
    "noise",
    "patch",
    "pieces",
    "places",
    "ponder",
    "pool",
    "positions",
    "project_time",
    "random_attend",
    "random_weights",
    "recurrent",
    "repeat",
    "reshape",
    "reverse",
    "scaling",
    "self_attend",
    "self_weights",
    "slice_axis",
    "split_sides",
    "spread",
    "swap_sides",
    "thin",
    "tile",
    "time_warp",
    "top_k",
    "unflatten",
    "unfold_channels",
    "window_denorm",
    "window_norm",
]
