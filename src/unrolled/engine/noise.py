"""The random masks of a cell, for one layer in one direction.

Letters: B batch, T time, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.program.equations import Equations


def draw_noise(cell: Equations, x: Tensor, hidden_size: int) -> Mapping[str, Tensor] | None:
    """Masks of zeros and ones ``(B, T, H)`` from torch's generator; None for a cell without noise.

    A noise that the cell holds is drawn once for all T steps.

    Args:
        cell: the equations; ``cell.rates()`` has the probability of a one.
        x: ``(B, T, D)``, whose dtype and device the masks get.
        hidden_size: H.

    Raises:
        ConfigError: a rate is missing or no probability.
    """
    if not cell.noise:
        return None
    rates = cell.rates()
    if rates.keys() != {*cell.noise} or not all(0 <= rate <= 1 for rate in rates.values()):
        raise ConfigError(f"one probability for each of {cell.noise}; it gives {rates}", where=f"{cell.name}.rates()")
    batch, time, _ = x.shape
    masks = {}
    for name in cell.noise:
        drawn = torch.rand(batch, 1 if name in cell.held else time, hidden_size, dtype=torch.float32, device=x.device)
        masks[name] = (drawn < rates[name]).to(x.dtype).expand(batch, time, hidden_size)
    return masks
