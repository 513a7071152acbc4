"""Layer normalisation of several gates together (Ba, Kiros & Hinton 2016, arXiv 1607.06450, eq. 3)."""

from __future__ import annotations

from unrolled.program.functions import Array, mean, sqrt


def joint_norm(*gates: Array, eps: float = 1e-5) -> tuple[Array, ...]:
    """Each ``(B, H)`` with the mean of all units of all gates taken away and divided by their deviation."""
    centre = _mean(*gates)
    centred = tuple(gate - centre for gate in gates)
    scale = 1 / sqrt(_mean(*(gate * gate for gate in centred)) + eps)
    return tuple(gate * scale for gate in centred)


def _mean(first: Array, *rest: Array) -> Array:
    """``(B, 1)``, over all gates."""
    for gate in rest:
        first = first + gate
    return mean(first) / (1 + len(rest))
