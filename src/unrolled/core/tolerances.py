"""How far two computations of the same thing may differ: one table, one meaning, everywhere."""

from __future__ import annotations

from typing import NamedTuple


class Tolerance(NamedTuple):
    """Largest relative and absolute difference."""

    rtol: float
    atol: float


TOLERANCES = {
    "float64": Tolerance(rtol=1e-9, atol=1e-10),
    "float32": Tolerance(rtol=1e-4, atol=1e-5),
    "bfloat16": Tolerance(rtol=3e-2, atol=3e-2),
    "float16": Tolerance(rtol=5e-3, atol=5e-3),
}
