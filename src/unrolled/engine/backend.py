"""What a backend is: it answers whether it can serve a request, and serves it.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from unrolled.program.equations import Equations

State = tuple[Tensor, ...]
"""One ``(B, H)`` for each part of a cell's state; the first is the output."""

Weights = Mapping[str, Tensor]
"""Parameters by name, as ``cell.shapes`` lists them."""


class Request(NamedTuple):
    """One layer in one direction; the shapes were checked and T is at least 1.

    ``lengths`` ``(B,)`` int64 on the device of ``x`` ``(B, T, D)``, None when every sequence has T steps. ``noise``
    has a mask ``(B, T, H)`` of zeros and ones for each of the cell's noises, None where each is its mean.
    """

    cell: Equations
    x: Tensor
    weights: Weights
    state: State
    lengths: Tensor | None = None
    reverse: bool = False
    noise: Mapping[str, Tensor] | None = None

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
