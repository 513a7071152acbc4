"""Connectionist temporal classification: from label probabilities of every step to one label sequence.

Graves et al. 2006 ("Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
Networks"): each step gives a label or nothing (the blank); repeats are merged, then blanks removed. Code 0 is the
blank, as ``torch.nn.functional.ctc_loss`` has it.

Letters: n sequences, T steps, V labels with the blank, L labels of the longest sequence.
"""

from __future__ import annotations

import math
from collections import defaultdict
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
    return tuple(path[Path().follow(path)].tolist())


class Path:
    """Where the labels of a path begin, while its steps arrive.

    Attributes:
        last: what the latest step said.
    """

    def __init__(self, last: int = BLANK) -> None:
        self.last = last

    def follow(self, path: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``(T,)`` labels and blanks that go on, to the steps with which a label begins."""
        if not len(path):
            return np.empty(0, dtype=np.int64)
        before = np.concatenate([[self.last], path[:-1]])
        self.last = int(path[-1])
        return np.flatnonzero((path != before) & (path != BLANK))


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


def log_likelihood(log_probability: npt.NDArray[Any], codes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """``(n,)`` log probabilities of one label sequence each, the sum over all its paths (Graves et al. 2006, eq. 5-8).

    Args:
        log_probability: ``(n, T, V)``, each row of a softmax.
        codes: ``(n, L)`` labels, NaN behind the end of each; blanks not among them.
    """
    count, steps, _ = log_probability.shape
    rows, known = np.arange(count)[:, None], np.isfinite(codes)
    states = np.zeros((count, 2 * codes.shape[1] + 1), dtype=np.int64)  # a blank, label, blank, ..., blank
    states[:, 1::2] = np.where(known, codes, BLANK).astype(np.int64)
    skips = np.zeros(states.shape, dtype=bool)  # from a label to the next one, without the blank between
    skips[:, 3::2] = known[:, 1:] & (states[:, 3::2] != states[:, 1:-2:2])
    reached = np.full(states.shape, _NEVER)
    if steps:
        first = log_probability[rows, 0, states[:, :2]]
        reached[:, :2] = np.where(np.arange(first.shape[1]) <= 2 * known.sum(1)[:, None], first, _NEVER)
    for at in range(1, steps):
        before = np.pad(reached, ((0, 0), (2, 0)), constant_values=_NEVER)
        gone = np.logaddexp(before[:, 2:], before[:, 1:-1])
        reached = np.where(skips, np.logaddexp(gone, before[:, :-2]), gone) + log_probability[rows, at, states]
    last = 2 * known.sum(1)
    ends = reached[rows[:, 0], last], reached[rows[:, 0], np.maximum(last - 1, 0)]
    if not steps:
        return np.where(last == 0, 0.0, _NEVER)
    found: npt.NDArray[np.float64] = np.where(last > 0, np.logaddexp(*ends), ends[0])
    return found


def _add(one: float, other: float) -> float:
    """``log(exp(one) + exp(other))``; on single numbers many times faster than NumPy's."""
    if one < other:
        one, other = other, one
    return one if other == _NEVER else one + math.log1p(math.exp(other - one))


def _check(log_probability: npt.NDArray[Any]) -> None:
    if log_probability.ndim != 2 or log_probability.shape[1] < 2 or np.isnan(log_probability).any():
        raise DataError(
            f"must be log probabilities (steps, labels with the blank); the shape is {log_probability.shape}",
            where="log_probability",
        )
