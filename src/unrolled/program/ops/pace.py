"""Parts of a net at a slower pace: every so many steps are kept, and what comes of them is held in between.

Letters: B batch, T time, S slow steps, D columns.
"""

from __future__ import annotations

import numpy as np

from unrolled.program.ops.types import Array, Count, Lengths


def thin(x: Array, lengths: Lengths, /, *state: Array, every: Count) -> tuple[Array, Lengths, Array]:
    """Of ``(B, T, D)`` the steps 0, ``every``, 2 ``every``, ...

    ``state`` is how many steps came since the last one kept ``(B,)``, alike for all sequences, 0 where it is next.

    Returns:
        ``(B, S, D)``, the lengths among these, and the state after the last step.
    """
    passed = int(state[0][0]) if state else 0
    after = np.full(len(x), (passed + x.shape[1]) % every, x.dtype)
    return x[:, -passed % every :: every], None if lengths is None else -(-lengths // every), after


def hold(x: Array, like: Array, /, *state: Array, every: Count) -> tuple[Array, Array, Array]:
    """Each of the slow steps ``(B, S, D)`` at its own time and until the next, as many steps as ``like`` ``(B, T, _)``.

    ``state`` is what ``thin`` had before these steps ``(B,)`` and the slow step before them ``(B, D)``.
    """
    passed = int(state[0][0]) if state else 0
    before = state[1] if state else np.zeros((len(x), *x.shape[2:]), x.dtype)
    joined, steps = np.concatenate([before[:, None], x], axis=1), like.shape[1]
    index = (passed + np.arange(steps)) // every - (passed - 1) // every
    return joined[:, index], np.full(len(x), (passed + steps) % every, x.dtype), joined[:, -1]
