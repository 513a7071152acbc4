"""What each input added to an answer: integrated gradients (Sundararajan, Taly & Yan 2017, arXiv 1703.01365, eq. 1).

The path runs in a straight line from an average row, held over all steps, to the row as it is; categories move in the
space of their embeddings. The integral is taken by Gauss-Legendre quadrature, with twice as many points until what
was added equals the difference of the two answers (completeness, their proposition 1).

Letters: B batch, T time, D inputs, E numbers that the first layer reads, K static, H horizon, F known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data import Batch
from unrolled.nets.body import Body
from unrolled.nets.flow import Flow
from unrolled.nets.layers.columns import Columns

_POINTS, _MOST = 16, 1024
_CLOSE = 1e-3  # of the sum of the sizes of all contributions
_ROWS = 256  # sequences run at once
_PARTS = ("x", "static", "known")


@dataclass(frozen=True)
class Attribution:
    """Contributions of B rows.

    Attributes:
        x: ``(B, T, D)``; static: ``(B, K)`` or None; known: ``(B, H, F)`` or None.
        figure: ``(B,)`` of the rows; rest: of the average row in their place.
        resting: ``(B, S, M, V)`` output of the net for the average row.
        gap: ``(B,)`` by how much the contributions fail to add up to their difference, over the sum of their sizes.
        points: of the quadrature.
    """

    x: Tensor
    static: Tensor | None
    known: Tensor | None
    figure: Tensor
    rest: Tensor
    resting: Tensor
    gap: Tensor
    points: int


Rest = Mapping[str, Tensor]
"""An average row: ``(E,)`` numbers for each of x, static and known that the net has."""


@torch.no_grad()
def average(net: Body, batches: Sequence[Batch]) -> Rest:
    """The mean over all true steps of some batches, after embeddings."""
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    for batch in batches:
        flow = arriving(net, batch)
        for name, value in parts_of(flow).items():
            rows = value.reshape(-1, value.shape[-1])
            if name == "x" and flow.lengths is not None:
                rows = value[torch.arange(value.shape[1]) < flow.lengths[:, None]]
            sums[name] = sums.get(name, torch.zeros(())) + torch.nan_to_num(rows.double()).sum(0)
            counts[name] = counts.get(name, 0) + len(rows)
    return {name: (total / counts[name]).float() for name, total in sums.items()}


def arriving(net: Body, batch: Batch) -> Flow:
    """What the first layer reads."""
    flow = net.arriving(batch.x, batch.lengths, batch.static, batch.known)
    return with_parts(flow, {name: value.detach() for name, value in parts_of(flow).items()})


@contextmanager
def outside_training(net: Body) -> Iterator[None]:
    """The net as it answers; put back afterwards."""
    training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(training)


def integrated_gradients(
    net: Body,
    batch: Batch,
    figure: Callable[[Tensor], Tensor],
    rest: Rest,
    *,
    fixed: Sequence[int] = (),
    close: float = _CLOSE,
) -> Attribution:
    """Contributions to ``figure`` of the rows of a batch.

    Args:
        net: the layers.
        batch: the rows.
        figure: output of the net to ``(B,)``.
        rest: where the path begins.
        fixed: numbers of x that are as they are all along the path, and so add nothing.
        close: gap above which twice as many points are taken, up to 1024; a chaotic net may need more still.
    """
    with outside_training(net):
        flow = arriving(net, batch)
        ends = parts_of(flow)
        starts = {name: rest[name].expand_as(value).clone() for name, value in ends.items()}
        starts["x"][..., list(fixed)] = ends["x"][..., list(fixed)]
        with torch.no_grad():
            output, resting = (net.layers(with_parts(flow, given)).x for given in (ends, starts))
            here, there = figure(output), figure(resting)
        tables: dict[str, Columns] = {name: getattr(net, name) for name in _PARTS}
        points = _POINTS
        while True:
            integral = _integral(net, flow, starts, ends, figure, points)
            found = {name: by_column(tables[name], value).double() for name, value in integral.items()}
            every = torch.cat([value.flatten(1) for value in found.values()], 1)
            gap = (every.sum(1) - (here - there)).abs() / (every.abs().sum(1) + 1e-12)
            if points >= _MOST or bool((gap <= close).all()):
                break
            points *= 2
    x, static, known = (None if name not in found else found[name].float() for name in _PARTS)
    assert x is not None  # every net reads steps
    return Attribution(x, static, known, here, there, resting, gap.float(), points)


def by_column(columns: Columns, values: Tensor) -> Tensor:
    """``(..., E)`` summed over the numbers of each embedding: ``(..., D)``."""
    widths = [1] * columns.numbers + [table.shape[1] for table in columns.tables]
    return torch.stack([part.sum(-1) for part in torch.split(values, widths, -1)], -1) if widths else values


def repeated(flow: Flow, times: int, **given: Tensor) -> Flow:
    """The flow so many times, one after another, with some of its parts as given."""
    kept = {
        name: value.repeat(times, *[1] * (value.dim() - 1))
        for name, value in (parts_of(flow) | ({} if flow.lengths is None else {"lengths": flow.lengths})).items()
    }
    return with_parts(flow, kept | given)


def _integral(
    net: Body,
    flow: Flow,
    starts: Mapping[str, Tensor],
    ends: Mapping[str, Tensor],
    figure: Callable[[Tensor], Tensor],
    points: int,
) -> dict[str, Tensor]:
    places, weights = np.polynomial.legendre.leggauss(points)
    count = len(flow.x)
    sums = {name: torch.zeros_like(value) for name, value in ends.items()}
    size = max(1, _ROWS // count)
    for at in range(0, points, size):
        shares = torch.as_tensor((places[at : at + size] + 1) / 2, dtype=flow.x.dtype)
        weight = torch.as_tensor(weights[at : at + size] / 2, dtype=flow.x.dtype)
        given = {
            name: torch.cat([starts[name] + share * (ends[name] - starts[name]) for share in shares]).requires_grad_()
            for name in ends
        }
        with torch.enable_grad():
            value = figure(net.layers(repeated(flow, len(shares), **given)).x)
            slopes = torch.autograd.grad(value.sum(), list(given.values()), allow_unused=True, materialize_grads=True)
        for name, slope in zip(given, slopes, strict=True):
            sums[name] += torch.einsum("p,p...->...", weight, slope.reshape(len(shares), count, *slope.shape[1:]))
    return {name: sums[name] * (ends[name] - starts[name]) for name in ends}


def parts_of(flow: Flow) -> dict[str, Tensor]:
    """What the net has of x, static and known."""
    return {name: value for name in _PARTS if (value := getattr(flow, name)) is not None}


def with_parts(flow: Flow, given: Mapping[str, Tensor]) -> Flow:
    """The flow with other x, static, known or lengths."""
    options: dict[str, Any] = dict(given)
    return replace(flow, **options)
