"""Several answers, from the quickest to the most thorough, and the first that is sure enough.

Letters: B batch, E exits, S steps, M targets, V values.
"""

from __future__ import annotations

import numpy as np

from unrolled.program.ops.types import Array, Epsilon


def first_sure(*answers: Array, threshold: Epsilon) -> tuple[Array, Array]:
    """Of E answers ``(B, S, M, V)``, each sequence's first whose classes are sure, or its last.

    An answer is as sure as the probability of its likeliest class, of several targets the least.

    Returns:
        The answer ``(B, S, M, V)``, and which it was ``(B,)``, counted from 1.
    """
    chosen, depth = answers[-1], np.full(len(answers[-1]), len(answers))
    for exit, answer in reversed(list(enumerate(answers[:-1], start=1))):
        shares = np.exp(answer - answer.max(axis=-1, keepdims=True))
        likeliest = shares.max(axis=-1) / shares.sum(axis=-1)
        sure = likeliest.min(axis=(1, 2)) >= threshold
        chosen, depth = np.where(sure[:, None, None, None], answer, chosen), np.where(sure, exit, depth)
    return chosen, depth
