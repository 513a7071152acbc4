"""The user's own torch module in an estimator: copied before training, given the bundle's weights after it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import ValidationError

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.nets import CustomNet
from unrolled.program.shapes import Inputs, Outputs

if TYPE_CHECKING:
    from torch import nn


def loaded(net: nn.Module | None, bundle: Bundle) -> CustomNet:
    """A copy of ``net`` with the weights of a bundle.

    Raises:
        BundleError: there is no module, or the weights are those of another.
    """
    custom = bundle.manifest.custom
    if net is None:
        raise BundleError(f"it holds the weights of {custom}", mend="pass that module: load(path, net=...)")
    try:
        inputs = Inputs.model_validate(bundle.manifest.inputs)
        made = CustomNet(deepcopy(net), inputs, Outputs.model_validate(bundle.manifest.outputs))
        made.load_state_dict({name: torch.from_numpy(array) for name, array in bundle.weights.items()})
    except (RuntimeError, ValidationError) as error:
        raise BundleError(f"it holds the weights of {custom}, which do not fit {type(net).__name__}") from error
    return made


@contextmanager
def generators_kept() -> Iterator[None]:
    """Training seeds the global generators of random numbers; afterwards they stand where they stood."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=list(range(torch.cuda.device_count()))):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
