"""The training loop, its options and its few named hooks.

Names load on first use: the settings need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.core.lazy import on_first_use

if TYPE_CHECKING:
    from unrolled.train.fitting import Fitting
    from unrolled.train.hooks import Hook
    from unrolled.train.loop import FitResult, fit
    from unrolled.train.machine import seed_everything, torch_options
    from unrolled.train.progress import Progress
    from unrolled.train.settings import TrainSettings
    from unrolled.train.warm import freeze, warm_start

__all__ = [
    "FitResult",
    "Fitting",
    "Hook",
    "Progress",
    "TrainSettings",
    "fit",
    "freeze",
    "seed_everything",
    "torch_options",
    "warm_start",
]

_HOMES = {
    "FitResult": "loop",
    "Fitting": "fitting",
    "Hook": "hooks",
    "Progress": "progress",
    "TrainSettings": "settings",
    "fit": "loop",
    "freeze": "warm",
    "seed_everything": "machine",
    "torch_options": "machine",
    "warm_start": "warm",
}
__getattr__ = on_first_use(__name__, _HOMES)
