"""The operations of a plan, in torch: the vocabulary in which layers are written.

Each has the name and the arguments of its NumPy counterpart in ``program.ops``, where its meaning is written down.
Called with symbols instead of tensors, it notes itself down in the plan.
"""

from unrolled.nets.ops.dense import activation, batch_norm, dropout, embedding, layer_norm, linear, noise
from unrolled.nets.ops.layout import (
    fold_channels,
    merge,
    patch,
    repeat,
    reshape,
    slice_axis,
    tile,
    unfold_channels,
)
from unrolled.nets.ops.recurrent import recurrent
from unrolled.nets.ops.time import attend, conv1d, pool
from unrolled.nets.ops.window import window_denorm, window_norm

__all__ = [
    "activation",
    "attend",
    "batch_norm",
    "conv1d",
    "dropout",
    "embedding",
    "fold_channels",
    "layer_norm",
    "linear",
    "merge",
    "noise",
    "patch",
    "pool",
    "recurrent",
    "repeat",
    "reshape",
    "slice_axis",
    "tile",
    "unfold_channels",
    "window_denorm",
    "window_norm",
]
