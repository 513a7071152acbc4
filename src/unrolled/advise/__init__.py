"""Says what to build and why: a profile of the data, rules, then measured trials."""

from __future__ import annotations

from unrolled.advise.profile import Material
from unrolled.advise.rules import RULES, Rule, Situation, ask, conflicts
from unrolled.advise.shortlist import Candidate, Place, shortlist
from unrolled.advise.wishes import DEVICES, NEEDS, wishes

__all__ = [
    "DEVICES",
    "NEEDS",
    "RULES",
    "Candidate",
    "Material",
    "Place",
    "Rule",
    "Situation",
    "ask",
    "conflicts",
    "shortlist",
    "wishes",
]
