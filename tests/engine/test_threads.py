"""The kernels have no threads of their own where torch's can be used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_USED = """
import os, torch, unrolled
from unrolled.engine import threads
layer, x = unrolled.GRU(4, 16, batch_first=True), torch.randn(6, 9, 4)
torch.set_num_threads(3)

def counted(work):
    work()
    return len(os.listdir("/proc/self/task"))

step = lambda: layer(x)[0].sum().backward()
of_torch = counted(lambda: (torch.randn(200_000) * 2).tanh())
shared, expected = counted(step), layer(x)[0]
unrolled.native.borrow_threads(None)
print(threads.share(), of_torch, shared, counted(step))
assert torch.equal(layer(x)[0], expected)
"""

_FEWER = """
import torch, unrolled
for batch, units in ((1, 256), (6, 32)):
    layer, x = unrolled.LSTM(8, units, batch_first=True), torch.randn(batch, 12, 8)
    found = []
    for threads in (1, 4):
        torch.set_num_threads(threads)
        with torch.no_grad():
            found.append(layer(x)[0])
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts the threads as Linux shows them")
def test_threads_of_torch_are_used_and_no_others() -> None:
    can, of_torch, shared, apart = _said(_USED).split()
    if can != "True":
        pytest.skip("this torch runs on threads that cannot be shared")
    assert int(shared) == int(of_torch) < int(apart)


def test_fewer_threads_than_asked_for_do_all_the_work() -> None:
    _said(_FEWER, OMP_THREAD_LIMIT="1")


def _said(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
