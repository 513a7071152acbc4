"""The operations of a plan, in NumPy: one function each, and its signature is the operation's contract.

Positional-only arguments (and ``*xs``) are values computed before, positional-or-keyword arguments (and
``**weights``) are tensors of the weight file, keyword-only arguments are options with their bounds. Values beyond
a sequence's length are undefined: an operation that looks across time masks them itself.

Letters: B batch, T time, D inputs, H hidden or horizon, M targets, V values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unrolled.program.ops.attention import mix, multiply, positions, project_time, random_attend, self_attend
from unrolled.program.ops.dense import activation, batch_norm, embedding, layer_norm, linear
from unrolled.program.ops.exits import first_sure
from unrolled.program.ops.frames import conv2d, places
from unrolled.program.ops.layout import (
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
from unrolled.program.ops.memory import memory
from unrolled.program.ops.missing import decay
from unrolled.program.ops.pace import hold, thin
from unrolled.program.ops.pair import compare, join_sides, split_sides, swap_sides
from unrolled.program.ops.ponder import ponder
from unrolled.program.ops.sparse import delta, top_k
from unrolled.program.ops.time import attend, conv1d, end_in_blank, pool, recurrent
from unrolled.program.ops.window import window_denorm, window_norm

OPS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        activation,
        attend,
        batch_norm,
        columns,
        compare,
        conv1d,
        conv2d,
        decay,
        delta,
        embedding,
        end_in_blank,
        first_sure,
        fold_channels,
        group,
        hold,
        join_sides,
        layer_norm,
        linear,
        marked_pieces,
        memory,
        merge,
        mix,
        multiply,
        patch,
        pieces,
        places,
        ponder,
        pool,
        positions,
        project_time,
        random_attend,
        recurrent,
        repeat,
        reshape,
        reverse,
        self_attend,
        slice_axis,
        spread,
        thin,
        split_sides,
        swap_sides,
        tile,
        top_k,
        unflatten,
        unfold_channels,
        window_denorm,
        window_norm,
    )
}

CARRIED: dict[str, int] = {"decay": 2, "delta": 1, "hold": 1, "memory": 1, "ponder": 3, "thin": 2}
"""Operations that take a state after the sequence and return it after this many sequences."""

__all__ = ["CARRIED", "OPS"]
