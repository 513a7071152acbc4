"""Tensors as the runtime takes them."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor


def array_of(tensor: Tensor) -> npt.NDArray[Any]:
    """A NumPy array of the same numbers; of bfloat16, which NumPy does not have, in float32."""
    found = tensor.detach().cpu()
    array: npt.NDArray[Any] = (found.float() if found.dtype == torch.bfloat16 else found).numpy()
    return array
