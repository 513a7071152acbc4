"""Attention between steps, in torch; its meaning is written in ``program.ops.attention``.

Letters: B batch, T time, D columns, N heads, E columns of a head, F random features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from unrolled.nets.ops.time import inside_only, mask
from unrolled.nets.trace import op
from unrolled.program.ops.attention import slopes

_CHUNK = 128
"""Steps of a causal sum taken at once: enough for fast products, few enough for a small triangle."""


@op()
def self_attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lengths: Tensor | None,
    /,
    relative: Tensor | None = None,
    *,
    heads: int,
    causal: bool,
    window: int,
    recency: bool,
) -> Tensor:
    inside = None
    if lengths is not None:
        k, v, inside = inside_only(k, lengths), inside_only(v, lengths), mask(lengths, k)
    queries, keys, values = (_heads(each, heads) for each in (q, k, v))
    outputs = []
    for query, key, value, start, first in _pieces(queries, keys, values, window):
        weights = _weights(
            query, key, inside, relative, start=start, first=first, causal=causal, window=window, recency=recency
        )
        outputs.append(weights @ value)
    return _together(outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2))


def self_weights(
    q: Tensor,
    k: Tensor,
    lengths: Tensor | None,
    steps: slice,
    *,
    relative: Tensor | None,
    heads: int,
    causal: bool,
    window: int,
    recency: bool,
) -> Tensor:
    """``(B, N, Q, S)``: the weights that :func:`self_attend` gives, of the steps ``steps`` of q."""
    inside = None if lengths is None else mask(lengths, k)
    k = k if lengths is None else inside_only(k, lengths)
    query, key = _heads(q, heads)[:, :, steps], _heads(k, heads)
    start = steps.indices(q.shape[1])[0]
    return _weights(query, key, inside, relative, start=start, first=0, causal=causal, window=window, recency=recency)


def _weights(
    query: Tensor,
    key: Tensor,
    inside: Tensor | None,
    relative: Tensor | None,
    *,
    start: int,
    first: int,
    causal: bool,
    window: int,
    recency: bool,
) -> Tensor:
    """``(B, N, Q, K)`` of queries from the step ``start`` on and keys from the step ``first`` on."""
    rows = torch.arange(start, start + query.shape[2], device=query.device)
    columns = torch.arange(first, first + key.shape[2], device=query.device)
    distance = columns - rows[:, None]
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    scores = _prior(scores, distance, relative, recency)
    hidden = _hidden(distance, None if inside is None else inside[:, columns], causal, window)
    if hidden is not None:
        scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
    return torch.softmax(scores, dim=-1)


def _pieces(
    queries: Tensor, keys: Tensor, values: Tensor, window: int
) -> Iterator[tuple[Tensor, Tensor, Tensor, int, int]]:
    """Stretches of queries with the keys and values around them, and where both begin; one stretch without a window.

    With a window a stretch sees only its neighbours, so that the cost grows with T. Split and joined again, not
    sliced: the gradient of a slice is as long as the whole.
    """
    size = max(window, _CHUNK)
    if not window or keys.shape[2] <= size:
        yield queries, keys, values, 0, 0
        return
    own, theirs, said = (torch.split(each, size, dim=2) for each in (queries, keys, values))
    for at, query in enumerate(own):
        near = slice(max(0, at - 1), at + 2)
        yield query, torch.cat(theirs[near], 2), torch.cat(said[near], 2), at * size, near.start * size


def _prior(scores: Tensor, distance: Tensor, relative: Tensor | None, recency: bool) -> Tensor:
    """Scores ``(B, N, Q, K)`` with what the distance of two steps adds to them."""
    if recency:
        slope = torch.as_tensor(slopes(scores.shape[1]), device=scores.device).to(scores.dtype)
        scores = scores - slope[:, None, None] * distance.abs()
    if relative is not None:
        reach = relative.shape[1] // 2
        scores = scores + relative[:, distance.clamp(-reach, reach) + reach]
    return scores


def _hidden(distance: Tensor, inside: Tensor | None, causal: bool, window: int) -> Tensor | None:
    """Which pairs ``(Q, K)`` or ``(B, 1, Q, K)`` may not see each other; None where all may."""
    hidden = None if inside is None else ~inside[:, None, None, :]
    if causal or window:
        far = distance > 0 if causal else torch.zeros_like(distance, dtype=torch.bool)
        far = far | (distance.abs() > window) if window else far
        hidden = far if hidden is None else hidden | far
    return hidden


@op()
def random_attend(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor | None, /, features: Tensor, *, heads: int, causal: bool
) -> Tensor:
    queries, keys = _positive(_heads(q, heads), features), _positive(_heads(k, heads), features)
    values = _heads(v, heads)
    if lengths is not None:
        outside = ~mask(lengths, k)[:, None, :, None]
        keys, values = keys.masked_fill(outside, 0), values.masked_fill(outside, 0)
    if causal:
        above = _causal(queries, keys, values)
        below = (queries * keys.cumsum(2)).sum(-1, keepdim=True)
    else:
        above = queries @ (keys.transpose(-1, -2) @ values)
        below = queries @ keys.sum(2)[..., None]
    return _together(above / (below + 1e-6))


def random_weights(
    q: Tensor, k: Tensor, lengths: Tensor | None, steps: slice, *, features: Tensor, heads: int, causal: bool
) -> Tensor:
    """``(B, N, Q, T)``: the weights that :func:`random_attend` never writes down, of the steps ``steps`` of q."""
    queries, keys = _positive(_heads(q, heads)[:, :, steps], features), _positive(_heads(k, heads), features)
    products = queries @ keys.transpose(-1, -2)
    if lengths is not None:
        products = products.masked_fill(~mask(lengths, k)[:, None, None, :], 0)
    if causal:
        rows = torch.arange(k.shape[1], device=k.device)
        products = products.masked_fill(rows > rows[steps, None], 0)
    return products / (products.sum(-1, keepdim=True) + 1e-6)


def _causal(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Each query with the keys up to its own step, chunk by chunk: memory grows with T, not with T F E."""
    outputs = []
    summed = queries.new_zeros(*keys.shape[:2], keys.shape[-1], values.shape[-1])
    pieces = (torch.split(each, _CHUNK, dim=2) for each in (queries, keys, values))
    for query, key, value in zip(*pieces, strict=True):
        outputs.append(query @ summed + (query @ key.transpose(-1, -2)).tril() @ value)
        summed = summed + key.transpose(-1, -2) @ value
    return torch.cat(outputs, 2)


@op()
def project_time(x: Tensor, lengths: Tensor | None, /, weight: Tensor) -> Tensor:
    if x.shape[1] > weight.shape[1]:
        raise ValueError(f"a sequence has {x.shape[1]} steps, the weights are for {weight.shape[1]}")
    if lengths is not None:
        x = inside_only(x, lengths)
    return weight[:, : x.shape[1]] @ x


@op()
def mix(scores: Tensor, /, *xs: Tensor) -> Tensor:
    weights = torch.softmax(scores, dim=-1)
    return cast(Tensor, sum(weights[..., i : i + 1] * x for i, x in enumerate(xs)))


@op()
def multiply(x: Tensor, y: Tensor, /) -> Tensor:
    return x * y


@op()
def positions(x: Tensor, /, *, longest: int) -> Tensor:
    time, size = x.shape[1:]
    rates = longest ** (-torch.arange(0, size, 2, device=x.device, dtype=torch.float64) / size)
    angles = torch.arange(time, device=x.device, dtype=torch.float64)[:, None] * rates
    table = torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(time, -1)[:, :size]
    return x + table.to(x.dtype)


def _heads(x: Tensor, heads: int) -> Tensor:
    """``(B, T, D)`` to ``(B, N, T, E)``."""
    batch, time, size = x.shape
    return x.view(batch, time, heads, size // heads).transpose(1, 2)


def _together(x: Tensor) -> Tensor:
    """``(B, N, T, E)`` to ``(B, T, D)``."""
    return x.transpose(1, 2).flatten(2)


def _positive(x: Tensor, features: Tensor) -> Tensor:
    x = x * x.shape[-1] ** -0.25
    norm = 0.5 * x.square().sum(-1, keepdim=True)
    return torch.exp((x @ features.T - norm).clamp(max=30)) / math.sqrt(len(features))
