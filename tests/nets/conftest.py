"""Random batches that fit a net's sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from unrolled.program.shapes import Inputs, Outputs

Batch = dict[str, Tensor | None]
MakeBatch = Callable[..., Batch]


def _columns(
    leading: tuple[int, ...], numbers: int, categories: tuple[int, ...], generator: torch.Generator
) -> Tensor | None:
    if not numbers + len(categories):
        return None
    codes = [torch.randint(0, count + 1, (*leading, 1), generator=generator).float() for count in categories]
    return torch.cat([torch.randn(*leading, numbers, generator=generator), *codes], dim=-1)


@pytest.fixture(scope="session")
def make_batch() -> MakeBatch:
    """``make_batch(inputs, outputs, batch=3, time=9, ragged=False, seed=0)``: the arguments of a net's forward.

    What lies beyond a length is not a number, so that reading it shows.
    """

    def make(
        inputs: Inputs, outputs: Outputs, *, batch: int = 3, time: int = 9, ragged: bool = False, seed: int = 0
    ) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        x = _columns((batch, time), inputs.numbers, inputs.categories, generator)
        assert x is not None
        lengths = torch.randint(1, time + 1, (batch,), generator=generator) if ragged else None
        if lengths is not None:
            x = x.masked_fill((torch.arange(time) >= lengths[:, None])[..., None], torch.nan)
        static = _columns((batch,), inputs.static_numbers, inputs.static_categories, generator)
        known = _columns((batch, outputs.steps), inputs.known_numbers, inputs.known_categories, generator)
        return {"x": x, "lengths": lengths, "static": static, "known": known}

    return make
