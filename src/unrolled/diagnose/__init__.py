"""Looks inside a net, trained or not: findings with a verdict, a cause and an action."""

from __future__ import annotations

from unrolled.diagnose.attention import attention_maps
from unrolled.diagnose.attribution import average, integrated_gradients
from unrolled.diagnose.examine import examine
from unrolled.diagnose.learning import learning
from unrolled.diagnose.lyapunov import exponents
from unrolled.diagnose.rates import rate_range
from unrolled.diagnose.recording import Recorded, observe
from unrolled.diagnose.suspects import label_suspects

__all__ = [
    "Recorded",
    "attention_maps",
    "average",
    "examine",
    "exponents",
    "integrated_gradients",
    "label_suspects",
    "learning",
    "observe",
    "rate_range",
]
