"""Looks inside a net, trained or not: findings with a verdict, a cause and an action."""

from __future__ import annotations

from unrolled.diagnose.examine import examine
from unrolled.diagnose.learning import learning
from unrolled.diagnose.lyapunov import exponents
from unrolled.diagnose.recording import Recorded, observe

__all__ = ["Recorded", "examine", "exponents", "learning", "observe"]
