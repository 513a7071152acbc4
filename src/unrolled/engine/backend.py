"""What a backend is: it answers whether it can serve a request, and serves it.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from unrolled.program.equations import Equations

State = tuple[Tensor, ...]
"""One ``(B, H)`` for each part of a cell's state; the first is the output."""

Weights = Mapping[str, Tensor]
"""Parameters by name, as ``cell.shapes`` lists them."""


@dataclass(slots=True)
class Request:
    """One layer in one direction; the shapes were checked and T is at least 1.

    ``initial`` is the state before the first step, None for zeros. ``lengths`` ``(B,)`` int64 on the device of ``x``
    ``(B, T, D)``, None when every sequence has T steps. ``noise`` has a mask ``(B, T, H)`` of zeros and ones for each
    of the cell's noises, None where each is its mean. ``notes`` is where a backend keeps what it found out when it was
    asked whether it can serve, and needs again to serve.
    """

    cell: Equations
    x: Tensor
    weights: Weights
    initial: State | None
    lengths: Tensor | None = None
    reverse: bool = False
    noise: Mapping[str, Tensor] | None = None
    notes: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def hidden(self) -> int:
        """H."""
        rows: int = self.weights["weight_ih"].shape[0]
        return rows // len(self.cell.gates)

    @property
    def state(self) -> State:
        """The state before the first step; zeros are made when they are first asked for."""
        if self.initial is None:
            batch, sizes = self.x.shape[0], self.cell.state_sizes(self.hidden)
            self.initial = tuple(self.x.new_zeros(batch, size) for size in sizes)
        return self.initial

    def but(self, **changes: Any) -> Request:
        """The same with other values."""
        return replace(self, **changes)

    def inside(self, lengths: Tensor) -> Tensor:
        """``(B, T)``, true inside each length."""
        return torch.arange(self.x.shape[1], device=self.x.device) < lengths[:, None]


class Backend(Protocol):
    """Runs a request as the reference would, within the tolerance of the dtype, with all gradients.

    One that serves a request more slowly than another may have a method ``hesitation`` like ``refusal``: then it runs
    that request only when it is asked for by name.
    """

    @property
    def name(self) -> str: ...

    def refusal(self, request: Request) -> str | None:
        """Why it cannot serve this request; None when it can."""

    def run(self, request: Request) -> tuple[Tensor, State]:
        """y ``(B, T, H)``, zero beyond each length, and the state after each last true step."""
