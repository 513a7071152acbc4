"""How a channel goes on over time: correlation with its own past, seasons, drift.

The correlation time is the first lag at which the autocorrelation is below 1/e. Stationarity is the test of
Kwiatkowski, Phillips, Schmidt & Shin (1992) for a level: sums of deviations from the mean, over a long-run variance
with ``12 (n / 100)^(1/4)`` lags; above 0.463 it is rejected at 5 %. The strength of a season is that of Wang, Smith &
Hyndman (2006), ``1 - Var(rest) / Var(rest + season)``, the season being the mean of each phase; both variances are
divided by their degrees of freedom, since the means of many phases of few periods follow any noise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.advise.profile.material import Float, Material
from unrolled.advise.profile.noise import noise_share
from unrolled.advise.profile.wording import fact
from unrolled.core.advice import Fact
from unrolled.core.records import CurvePicture
from unrolled.evaluate.season import season_of
from unrolled.prepare.series import Column

_KPSS = 0.463
_LONG = 50  # steps below which neither is tested
_LAGS, _CHANNELS = 400, 32
_PERIODS = 3  # that must be seen to speak of a season


def course(material: Material) -> Iterator[Fact | CurvePicture]:
    """Facts on the first target of a forecast, else on the least noisy channel; nothing of short sequences."""
    column = _looked_at(material)
    stretches = [_filled(values) for values in material.stretches(column)] if column is not None else []
    stretches = [values for values in stretches if len(values) >= _LONG and values.std() > 0]
    if column is None or not stretches:
        return
    name = column.name
    yield from _correlation(stretches, name)
    yield _stationarity(stretches, name)
    season = _season(stretches, season_of(material.series))
    if season is not None:
        yield fact("season" if season[1] > 0.3 else "weak_season", "signal",
                   {"season": float(season[0]), "season_strength": season[1]}, column=name)  # fmt: skip


def autocorrelation(values: Float, lags: int) -> Float:
    """``(lags + 1,)`` of a series, by the Fourier transform (Wiener-Khinchin)."""
    centred = values - values.mean()
    size = 1 << (2 * len(values) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    products: Float = np.fft.irfft(power, size)[: lags + 1]
    found: Float = products / products[0]
    return found


def kpss(values: Float) -> float:
    """The statistic for stationarity around a level."""
    n = len(values)
    errors = values - values.mean()
    reach = min(n - 1, int(12 * (n / 100) ** 0.25))
    products = [float(errors[lag:] @ errors[: n - lag]) / n for lag in range(reach + 1)]
    long_run = products[0] + 2 * sum((1 - lag / (reach + 1)) * products[lag] for lag in range(1, reach + 1))
    return float((np.cumsum(errors) ** 2).sum() / (n**2 * max(long_run, 1e-12 * products[0])))


def strength(values: Float, period: int) -> float:
    """Of a season, from 0 (none) to 1 (nothing else), after the moving mean of one period is taken away."""
    window = np.ones(period) / period
    trend = np.convolve(values, window, mode="valid")
    lead = (period - 1) // 2
    detrended = values[lead : lead + len(trend)] - trend
    phase = np.arange(len(detrended)) % period
    means = np.bincount(phase, detrended, minlength=period) / np.bincount(phase, minlength=period)
    rest, count = detrended - means[phase], len(detrended)
    if count <= period or detrended.var() == 0:
        return 0.0
    return float(max(0.0, 1 - rest.var() / detrended.var() * (count - 1) / (count - period)))


def _looked_at(material: Material) -> Column | None:
    channels = material.channels()
    if material.schema.forecast or len(channels) < 2:
        return next(iter(channels), None)
    shares = {column.name: noise_share(material.stretches(column)) for column in channels[:_CHANNELS]}
    varying = [column for column in channels[:_CHANNELS] if shares[column.name] is not None]
    return min(varying, key=lambda column: shares[column.name] or 0.0, default=None)


def _correlation(stretches: list[Float], name: str) -> Iterator[Fact | CurvePicture]:
    lags = min(_LAGS, min(map(len, stretches)) // 2)
    curves = np.mean([autocorrelation(values, lags) for values in stretches], axis=0)
    below = np.flatnonzero(curves < np.exp(-1))
    time = float(below[0]) if len(below) else float(lags)
    yield fact("correlation", "memory", {"correlation_time": time}, column=name, open="" if len(below) else "≥ ")
    yield CurvePicture(
        name="autocorrelation",
        x_label="lag",
        y_label="correlation",
        x=tuple(map(float, range(lags + 1))),
        lines={name: tuple(map(float, curves))},
    )


def _stationarity(stretches: list[Float], name: str) -> Fact:
    """The share of sequences that are not stationary, and how far the last fifth lies from the first."""
    share = float(np.mean([kpss(values) > _KPSS for values in stretches]))
    shift = float(np.mean([abs(values[-(len(values) // 5) :].mean() - values[: len(values) // 5].mean()) / values.std()
                           for values in stretches]))  # fmt: skip
    code = "drifts" if share > 0.5 else "stationary"
    return fact(code, "signal", {"not_stationary": share, "shift": shift}, column=name)


def _season(stretches: list[Float], calendar: int) -> tuple[int, float] | None:
    """The stronger of the season that the time stamps suggest and the one that the correlation peaks at."""
    longest = max(stretches, key=len)
    periods = {calendar, _peak(longest)}
    found = [
        (period, float(np.median(own)))
        for period in sorted(periods)
        if period >= 2 and (own := [strength(v, period) for v in stretches if len(v) >= _PERIODS * period])
    ]
    return max(found, key=lambda pair: pair[1]) if found else None


def _peak(values: Float) -> int:
    """Lag of the highest peak of the correlation of the differences, after its first fall below 0; 0 for none."""
    curve = autocorrelation(np.diff(values), min(_LAGS, len(values) // _PERIODS))
    below = np.flatnonzero(curve < 0)
    if not len(below) or len(curve) - below[0] < 3:
        return 0
    inner = curve[below[0] :]
    peaks = np.flatnonzero((inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:])) + 1
    if not len(peaks):
        return 0
    best = int(peaks[np.argmax(inner[peaks])])
    return best + int(below[0]) if inner[best] > 2 / np.sqrt(len(values)) else 0


def _filled(values: Float) -> Float:
    """Holes on a line between their neighbours; as it is where more than a fifth is missing or nothing is known."""
    known = np.isfinite(values)
    if known.mean() < 0.8:
        return values[known]
    places = np.arange(len(values))
    result: Float = np.interp(places, places[known], values[known])
    return result
