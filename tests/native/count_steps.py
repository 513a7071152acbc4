"""Run with ``count_malloc.c`` preloaded: prints how often 1000 steps and 10 chunks of a stream allocated."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
from tests.native.layers import make_layer

from unrolled import native
from unrolled.cells import cell


def main() -> None:
    counter = ctypes.CDLL(None).allocation_count
    counter.restype = ctypes.c_long
    layers = [make_layer(cell(sys.argv[1]), 3, 20, "float32"), make_layer(cell("gru"), 20, 12, "float32")]
    stream = native.Stream(
        [native.Layer(layer.kernel, layer.addresses(layer.weights)) for layer in layers],
        (np.ones((2, 12), np.float32), None),
    )
    x, y = np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32)
    chunk, out = np.zeros((100, 1, 3), np.float32), np.zeros((100, 1, 2), np.float32)
    counts = []
    for _ in range(3):  # the first round warms Python's own caches
        before = counter()
        for _ in range(1000):
            stream.step(x, y)
        for _ in range(10):
            stream.process(chunk, out)
        counts.append(counter() - before)
    assert counter() > 1000, "the counter does not count"
    print(counts[-1])


main()
