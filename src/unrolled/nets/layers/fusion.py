"""Several values as one: joined, added, gated, or weighed by attention.

Gated fusion (Arevalo et al. 2017, arXiv 1702.01992).

Letters: N width of a value.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from unrolled.nets import ops


class Fusion(nn.Module):
    """Several ``(..., N)`` as one; ``size`` is the width of it."""

    def __init__(self, kind: str, sizes: Sequence[int]) -> None:
        super().__init__()
        self.kind = kind
        self.size = sum(sizes) if kind == "concat" else sizes[0]
        equal = kind == "concat" or len(set(sizes)) == 1
        self.project = nn.ModuleList() if equal else nn.ModuleList(nn.Linear(size, self.size) for size in sizes)
        self.gates = nn.ModuleList()
        if kind == "gated":
            self.gates.extend(nn.Linear(len(sizes) * self.size, self.size) for _ in sizes)
        self.hidden = nn.Linear(self.size, self.size) if kind == "attention" else None
        self.score = nn.Linear(self.size, 1, bias=False) if kind == "attention" else None

    def forward(self, xs: list[Tensor]) -> Tensor:
        xs = [_through(linear, x) for linear, x in zip(self.project, xs, strict=True)] if self.project else xs
        if self.kind == "gated":
            together = ops.merge(*xs, kind="concat")
            gates = [ops.activation(_through(gate, together), kind="sigmoid") for gate in self.gates]
            return ops.merge(*(ops.multiply(x, gate) for x, gate in zip(xs, gates, strict=True)), kind="sum")
        if self.hidden is not None and self.score is not None:
            scores = [_through(self.score, ops.activation(_through(self.hidden, x), kind="tanh")) for x in xs]
            return ops.mix(ops.merge(*scores, kind="concat"), *xs)
        return ops.merge(*xs, kind="concat" if self.kind == "concat" else "sum")


def _through(linear: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(linear, nn.Linear)
    return ops.linear(x, weight=linear.weight, bias=linear.bias)
