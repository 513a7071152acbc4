"""Settings and structures found within a budget: spaces, methods, stopping rules. It knows no data and no trainer.

Names load on first use: a space needs no sampler's library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.core.lazy import on_first_use

if TYPE_CHECKING:
    from unrolled.search.pareto import frontier
    from unrolled.search.settings import SearchSettings
    from unrolled.search.space import Axis, Space
    from unrolled.search.study import Proposal, Study

__all__ = ["Axis", "Proposal", "SearchSettings", "Space", "Study", "frontier"]

_HOMES = {
    "Axis": "space",
    "Proposal": "study",
    "SearchSettings": "settings",
    "Space": "space",
    "Study": "study",
    "frontier": "pareto",
}
__getattr__ = on_first_use(__name__, _HOMES)
