"""Connectionist temporal classification: from label probabilities of every step to one label sequence.

Graves et al. 2006 ("Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
Networks"): each step gives a label or nothing (the blank); repeats are merged, then blanks removed. Code 0 is the
blank, as ``torch.nn.functional.ctc_loss`` has it.

Letters: T steps, V labels with the blank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError

BLANK = 0

_NEVER = -np.inf


def greedy(log_probability: npt.NDArray[Any]) -> tuple[int, ...]:
    """The labels of the likeliest path (Graves et al. 2006, section 3.2, best path decoding).

    Args:
        log_probability: ``(T, V)``, each row of a softmax.
    """
    _check(log_probability)
    path = log_probability.argmax(axis=1)
    fresh = np.ones(len(path), dtype=bool)
    fresh[1:] = path[1:] != path[:-1]
    return tuple(path[fresh & (path != BLANK)].tolist())


def beam(log_probability: npt.NDArray[Any], width: int = 16) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest label sequences with their log probabilities, likeliest first (prefix beam search).

    Hannun et al. 2014 ("First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs",
    algorithm 1), without a language model. All paths of a label sequence are added up, so that it may find more
    than :func:`greedy`; with ``width`` prefixes kept at every step, probabilities are lower bounds.

    Args:
        log_probability: ``(T, V)``, each row of a softmax.
        width: prefixes kept.

    Raises:
        ConfigError: the width is below 1.
    """
    _check(log_probability)
    if width < 1:
        raise ConfigError(f"must be at least 1, it is {width}", where="option width")
    # Of each prefix: the log probability of its paths that end with the blank, and with its last label.
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, _NEVER)}
    for row in log_probability.astype(np.float64).tolist():
        grown: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [_NEVER, _NEVER])
        for prefix, (blank, label) in kept.items():
            whole = _add(blank, label)
            same = grown[prefix]
            same[0] = _add(same[0], whole + row[BLANK])
            if prefix:
                same[1] = _add(same[1], label + row[prefix[-1]])
            for code in range(1, len(row)):
                longer = grown[(*prefix, code)]
                before = blank if prefix and code == prefix[-1] else whole  # a repeat needs a blank between
                longer[1] = _add(longer[1], before + row[code])
        best = sorted(grown.items(), key=lambda entry: -_add(*entry[1]))[:width]
        kept = {prefix: (ends[0], ends[1]) for prefix, ends in best}
    return [(prefix, _add(*ends)) for prefix, ends in kept.items()]


def edit_distance(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Fewest insertions, deletions and substitutions that turn one sequence into the other (Levenshtein 1966)."""
    above = list(range(len(other) + 1))
    for at, label in enumerate(one, start=1):
        row = [at]
        for place, candidate in enumerate(other, start=1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (label != candidate)))
        above = row
    return above[-1]


def _add(one: float, other: float) -> float:
    """``log(exp(one) + exp(other))``."""
    return float(np.logaddexp(one, other))


def _check(log_probability: npt.NDArray[Any]) -> None:
    if log_probability.ndim != 2 or log_probability.shape[1] < 2 or np.isnan(log_probability).any():
        raise DataError(
            f"must be log probabilities (steps, labels with the blank); the shape is {log_probability.shape}",
            where="log_probability",
        )
