"""The native library: cells' programs at the speed of hand-written kernels, on CPUs."""

from unrolled.native.kernel import NOTHING, Kernel, View, Weights, refusal
from unrolled.native.library import borrow_threads, isa, reason
from unrolled.native.stream import Layer, Stream

__all__ = ["NOTHING", "Kernel", "Layer", "Stream", "View", "Weights", "borrow_threads", "isa", "reason", "refusal"]
