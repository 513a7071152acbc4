"""How far back the past tells something about the answer: a permutation test of mutual information at lags.

At each lag the value so many steps before the end of a sample is compared with its truth, both cut into classes of
equal size, by their mutual information. The truths are then dealt out anew (shifted along time where samples follow
each other, which keeps their order), and the largest information over all lags and channels of each deal says what
chance alone gives (Westfall & Young 1993, the maximum statistic). Lags above its 99 % quantile tell something.

Letters: n samples, T time, C channels, L lags.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unrolled.advise.profile.material import Answered, Float, Material, answered
from unrolled.advise.profile.wording import fact
from unrolled.core.advice import Fact
from unrolled.core.records import CurvePicture

_BINS, _DEALS, _QUANTILE = 6, 100, 0.99
_LAGS, _CHANNELS = 48, 8
_ENOUGH = 60  # samples

Codes = npt.NDArray[np.int64]


def memory(material: Material, seed: int = 0) -> Iterator[Fact | CurvePicture]:
    """The farthest lag that tells something, and the information by lag."""
    given = answered(material)
    if given is None or len(given.y) < _ENOUGH:
        return
    lags, told, chance = information_by_lag(given, seed)
    reach = float(lags[told > chance].max(initial=-1) + 1)
    length = given.x.shape[1]
    figures = {"memory": reach, "memory_share": reach / length, "lags_to": float(length)}
    yield fact("memory" if reach else "no_memory", "memory", figures)
    lines = {"information": tuple(told), "by_chance": (chance,) * len(lags)}
    yield CurvePicture(
        name="information_by_lag", x_label="lag", y_label="nats", x=tuple(map(float, lags)), lines=_plain(lines)
    )


def information_by_lag(given: Answered, seed: int) -> tuple[Codes, Float, float]:
    """Lags ``(L,)`` before the last step, the information at each ``(L,)``, and what chance gives at most."""
    length = given.x.shape[1]
    lags = _lags(length)
    x = given.x[:, length - 1 - lags][..., :_CHANNELS]
    codes = np.stack([[_cut(x[:, at, channel]) for channel in range(x.shape[2])] for at in range(len(lags))])
    codes = codes.reshape(len(lags), -1, len(x))
    truth = given.y.astype(np.int64) if given.classes else _cut(given.y)
    random = np.random.default_rng(seed)
    told = _information(codes, truth).max(1)
    deals = [_information(codes, _dealt(truth, given.ordered, random)).max() for _ in range(_DEALS)]
    return lags, told, float(np.quantile(deals, _QUANTILE))


def _lags(length: int) -> Codes:
    """All of a short sequence, else 48 that grow apart."""
    if length <= _LAGS:
        return np.arange(length)
    return np.unique(np.round(np.geomspace(1, length, _LAGS)).astype(np.int64)) - 1


def _dealt(truth: Codes, ordered: bool, random: np.random.Generator) -> Codes:
    if not ordered:
        return random.permutation(truth)
    edge = max(1, len(truth) // 10)
    return np.roll(truth, int(random.integers(edge, len(truth) - edge + 1)))


def _cut(values: Float) -> Codes:
    """Classes of equal size; what is missing is a class of its own."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, np.nan_to_num(values), side="right"), _BINS)


def _information(codes: Codes, truth: Codes) -> Float:
    """Mutual information ``(L, C)`` in nats of codes ``(L, C, n)`` with truth ``(n,)``."""
    lags, channels, count = codes.shape
    width, classes = _BINS + 1, int(truth.max()) + 1
    place = np.arange(lags * channels)[:, None] * width * classes + codes.reshape(-1, count) * classes + truth
    size = lags * channels * width * classes
    joint = np.bincount(place.ravel(), minlength=size).reshape(-1, width, classes) / count
    apart = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(joint > 0, joint * np.log(joint / apart), 0.0)
    result: Float = terms.sum((1, 2)).reshape(lags, channels)
    return result


def _plain(lines: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(map(float, values)) for name, values in lines.items()}
