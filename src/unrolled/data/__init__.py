"""Series to batches of tensors, and which part of the data does what."""

from unrolled.data.batch import Batch
from unrolled.data.batches import Batches
from unrolled.data.split import Parts, Spans, SplitSettings, split, whole

__all__ = ["Batch", "Batches", "Parts", "Spans", "SplitSettings", "split", "whole"]
