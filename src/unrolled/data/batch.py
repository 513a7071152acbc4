"""One batch as tensors.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs, M targets, n answered steps,
C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.prepare.arrays import Arrays


@dataclass(frozen=True)
class Batch:
    """``prepare.arrays.Arrays`` as tensors, with the weight of each sample.

    Attributes:
        x: ``(B, T, D)``; lengths: ``(B,)`` or None; static: ``(B, K)`` or None; known: ``(B, H, F)`` or None.
        y: ``(B, H, M)`` for a forecast, ``(B, M)`` otherwise.
        weight: ``(B,)`` sample weights with mean 1 over the training part, or None.
        steps: ``(B, T)`` steps that are answered, see ``Arrays``; ``y`` and ``weight`` then have n rows. Or None.
        only: ``(C,)`` codes of the candidates that are scored, or None for all.
    """

    x: Tensor
    y: Tensor
    lengths: Tensor | None = None
    static: Tensor | None = None
    known: Tensor | None = None
    weight: Tensor | None = None
    steps: Tensor | None = None
    only: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def inputs(self) -> dict[str, Any]:
        """Keyword arguments of a net."""
        given = {"x": self.x, "lengths": self.lengths, "static": self.static, "known": self.known}
        asked = {"steps": self.steps, "only": self.only}
        return given | {name: value for name, value in asked.items() if value is not None}

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device; itself when it is there already."""
        if self.x.device == torch.device(device):
            return self
        tensors = {name: value for name, value in vars(self).items() if value is not None}
        return Batch(**{name: value.to(device, non_blocking=True) for name, value in tensors.items()})

    @classmethod
    def of(cls, arrays: Arrays, weight: np.ndarray[Any, Any] | None = None) -> Batch:
        """Wrap gathered arrays without a copy."""
        if arrays.y is None:
            raise ValueError("a batch needs the truth; gather with truth=True")
        if weight is not None and arrays.steps is not None:
            weight = np.repeat(weight, arrays.steps.sum(1))
        return cls(
            x=torch.from_numpy(arrays.x),
            y=torch.from_numpy(arrays.y),
            lengths=None if arrays.lengths is None else torch.from_numpy(arrays.lengths),
            static=None if arrays.static is None else torch.from_numpy(arrays.static),
            known=None if arrays.known is None else torch.from_numpy(arrays.known),
            weight=None if weight is None else torch.from_numpy(weight.astype(np.float32)),
            steps=None if arrays.steps is None else torch.from_numpy(arrays.steps),
            only=None if arrays.only is None else torch.from_numpy(arrays.only),
        )
