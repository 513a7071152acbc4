"""What computes a net's answer: by default the bundle's plan, in NumPy and the native library; no torch.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unrolled.cells.carried import adopt
from unrolled.core.bundle import Manifest
from unrolled.core.errors import BundleError
from unrolled.core.validation import restored
from unrolled.program.check import BROKEN, check
from unrolled.program.ops import OPS
from unrolled.program.plan import Plan, run
from unrolled.runtime.recurrent import recurrent

Array = npt.NDArray[Any]
_FASTER = {**OPS, "recurrent": recurrent}


class Forward(Protocol):
    """Anything that answers as a net does; a torch net needs only a thin wrapper to be one."""

    def __call__(
        self, x: Array, lengths: Array | None = None, static: Array | None = None, known: Array | None = None
    ) -> Array:
        """``(B, T, D)``, ``(B,)``, ``(B, K)`` and ``(B, H, F)`` to ``(B, steps, targets, values)``."""


class PlanForward:
    """A bundle's plan, checked against its weights.

    Raises:
        BundleError: there is no plan, or it does not fit.
    """

    def __init__(self, manifest: Manifest, weights: Mapping[str, Array]) -> None:
        if manifest.plan is None:
            if manifest.task == "pretrain":
                raise BundleError(
                    "it holds a pretrained encoder, which gives no answers yet",
                    mend="train a task from it: unrolled train labelled.csv --target y --from this",
                )
            raise BundleError(
                f"it holds the weights of {manifest.custom or 'a module of its own'}, and no plan to run them",
                mend="pass the module itself to load the weights into",
            )
        adopt(manifest.settings.get("cells", []))  # a plan finds cells by name; ours are named by the import
        plan = restored(Plan, manifest.plan, where="the plan")
        self.plan, self.weights = check(plan, weights), weights

    def __call__(
        self, x: Array, lengths: Array | None = None, static: Array | None = None, known: Array | None = None
    ) -> Array:
        """``(B, steps, targets, values)``.

        Raises:
            BundleError: the plan does not fit these inputs after all.
        """
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                return run(self.plan, self.weights, x, lengths, static, known, ops=_FASTER)
        except BROKEN as error:
            raise BundleError(f"the plan does not fit the data ({str(error)[:200]})") from error
