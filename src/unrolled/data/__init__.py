"""Series to batches of tensors, and which part of the data does what.

Batches load on first use: the settings of a split need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrolled.data.split import VALID_SHARE, Parts, Spans, SplitSettings, split, whole

if TYPE_CHECKING:
    from unrolled.data.batch import Batch
    from unrolled.data.batches import Batches

__all__ = ["VALID_SHARE", "Batch", "Batches", "Parts", "Spans", "SplitSettings", "split", "whole"]

_HOMES = {"Batch": "unrolled.data.batch", "Batches": "unrolled.data.batches"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
