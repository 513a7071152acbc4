"""How exact the kernels' functions are: every float32 there is, against float64 by the C library.

An error is measured in units in the last place of the true value rounded to float32, and as it is. Results that are
infinite or no number must be exactly so. Denormal numbers count as zero, as they do inside the kernels.

    python -m benchmarks.accuracy.functions [FUNCTION ...]
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.speed.measure import commit, processor
from unrolled.core.files import write_text
from unrolled.native.code import OPS
from unrolled.native.library import library

Wide = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

SMALLEST = float(np.finfo(np.float32).smallest_normal)
BOUND = 3.0
"""Units in the last place: what the kernels promise."""

ISAS = ("baseline", "avx2", "avx512")
TRUE: dict[str, Callable[[Wide], Wide]] = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "exp": np.exp,
    "log": np.log,
    "softplus": lambda x: np.logaddexp(0, x),
    "sqrt": np.sqrt,
    "abs": np.abs,
    "neg": np.negative,
    "relu": lambda x: np.maximum(x, 0),
    "positive": lambda x: np.where(np.isnan(x), 0.0, x > 0),
}
"""What each function of the byte code is, in float64."""

_CHUNK = 1 << 16
_EXPONENT, _NORMAL = 0x7F800000, 0x00800000  # of float32: the bits of the exponent, and the smallest one


class Worst(NamedTuple):
    """The largest errors met, and where the first was."""

    units: float = 0.0
    absolute: float = 0.0
    at: float = 0.0

    def worse(self, other: Worst) -> Worst:
        """The larger of each."""
        units, at = max((self.units, self.at), (other.units, other.at), key=lambda pair: pair[0])
        return Worst(units, max(self.absolute, other.absolute), at)


def apply(name: str, x: Floats) -> Floats:
    """A function of the library on this machine; as many numbers as fill whole vectors."""
    y = np.empty_like(x)
    assert library().unrolled_apply(0, OPS.index(name), x.ctypes.data, y.ctypes.data, len(x)) == 0
    return y


def truth(name: str, x: Floats) -> Wide:
    """In float64; denormal arguments and results are zero."""
    with np.errstate(all="ignore"):
        y = TRUE[name](np.where(np.abs(x) < SMALLEST, np.copysign(0, x), x).astype(np.float64))
        return np.where(np.abs(y) < SMALLEST, 0, y)


def errors(x: Floats, y: Floats, true: Wide) -> Worst:
    """Of ``y`` at ``x``; infinities and what is no number are checked to be the same."""
    with np.errstate(all="ignore"):
        rounded = true.astype(np.float32)
        absolute = np.abs(np.where(np.abs(y) < SMALLEST, 0, y) - true)
        power = np.maximum(rounded.view(np.int32) & _EXPONENT, _NORMAL).view(np.float32)  # 2^n <= |rounded| < 2^(n+1)
        units = absolute / power * 2**23
    special = ~np.isfinite(rounded)
    if special.any():
        np.testing.assert_array_equal(y[special], rounded[special])
        absolute[special] = units[special] = 0
    place = int(np.argmax(units))
    return Worst(float(units[place]), float(np.max(absolute)), float(x[place]))


def all_floats() -> Iterator[Floats]:
    """Every float32, in pieces."""
    for start in range(0, 2**32, _CHUNK):
        yield np.arange(start, start + _CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)


def sweep(name: str, isas: tuple[str, ...]) -> dict[str, Worst]:
    """The worst of each instruction set over every float32."""
    found = dict.fromkeys(isas, Worst())
    before = library().unrolled_isa()
    for x in all_floats():
        true = truth(name, x)
        for isa in isas:
            assert library().unrolled_use_isa(isa.encode()) == 0
            found[isa] = found[isa].worse(errors(x, apply(name, x), true))
    library().unrolled_use_isa(before)
    return found


def present() -> tuple[str, ...]:
    """Instruction sets of this machine."""
    before = library().unrolled_isa()
    found = tuple(isa for isa in ISAS if library().unrolled_use_isa(isa.encode()) == 0)
    library().unrolled_use_isa(before)
    return found


def main(names: list[str]) -> None:
    """Sweep, print and write the table."""
    began = time.process_time()
    lines = ["Errors of the kernels' functions over all 2^32 float32 values, against float64 by the C library", ""]
    lines.append(f"{'function':10}{'set':10}{'units in the last place':>24}{'at':>16}{'absolute':>12}")
    for name in names:
        for isa, worst in sweep(name, present()).items():
            lines.append(f"{name:10}{isa:10}{worst.units:24.3f}{worst.at:16.8g}{worst.absolute:12.3g}")
            print(lines[-1], flush=True)
    took = time.process_time() - began
    lines += ["", f"machine: {processor()}, {os.cpu_count()} cores, 1 thread used; {took:.0f} s of processor time"]
    lines += [f"versions: Python {platform.python_version()}, NumPy {np.__version__}; commit {commit()}", ""]
    write_text(Path(__file__).parent / "results" / "functions.txt", "\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:] or ["tanh", "sigmoid", "exp", "log", "softplus"])
