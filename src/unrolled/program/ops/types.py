"""Kinds of arguments that operations take, with the bounds that keep a hostile plan from asking too much."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from unrolled.program.equations import CELLS

Array = npt.NDArray[Any]
Lengths = npt.NDArray[np.int64] | None

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Index = Annotated[int, Field(ge=0, le=1_000_000)]
Epsilon = Annotated[float, Field(ge=0.0, le=1.0)]


def _known_cell(name: str) -> str:
    if name not in CELLS:
        raise ValueError(f"there is no cell {name[:40]!r}")
    return name


CellName = Annotated[str, AfterValidator(_known_cell)]

Activation = Literal["relu", "tanh", "sigmoid", "gelu", "silu", "elu"]
Merge = Literal["concat", "sum", "mean"]
Pool = Literal["last", "mean", "max"]
Join = Literal["all", "symmetric", "cosine"]
Norm = Literal["last", "mean_std"]
Align = Literal["start", "end"]
Mark = Literal["change", "start"]
