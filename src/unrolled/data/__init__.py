"""Series to batches of tensors, and which part of the data does what.

Batches load on first use: the settings of a split need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.core.lazy import on_first_use
from unrolled.data.split import VALID_SHARE, Parts, Spans, SplitSettings, split, whole

if TYPE_CHECKING:
    from unrolled.data.batch import Batch
    from unrolled.data.batches import Batches

__all__ = ["VALID_SHARE", "Batch", "Batches", "Parts", "Spans", "SplitSettings", "split", "whole"]

__getattr__ = on_first_use(__name__, {"Batch": "batch", "Batches": "batches"})
