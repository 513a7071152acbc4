"""One comparison for all contract checks: the tolerance of the dtype, and a message that says where."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.core.tolerances import TOLERANCES


def assert_close(actual: Tensor, expected: Tensor, what: str) -> None:
    """Assert that two tensors agree within the tolerance of the expected one's dtype; NaN never agrees.

    Raises:
        AssertionError: shape, dtype or a value differs; the message names the worst place.
    """
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        raise AssertionError(
            f"{what}: {actual.dtype} {tuple(actual.shape)}, expected {expected.dtype} {tuple(expected.shape)}"
        )
    actual, expected = actual.detach(), expected.detach()
    rtol, atol = TOLERANCES[str(expected.dtype).removeprefix("torch.")]
    excess = (actual - expected).abs() - (atol + rtol * expected.abs())
    bad = ~(excess <= 0)
    if not bad.any():
        return
    place = int(torch.where(excess.isnan(), torch.inf, excess).argmax())
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(place), expected.shape))
    raise AssertionError(
        f"{what}: {int(bad.sum())} of {bad.numel()} values differ, worst at {index}: "
        f"{actual[index].item()!r}, expected {expected[index].item()!r}"
    )
