"""Heart beats cut from an annotated ECG, each with its class and its timing.

Classes after ANSI/AAMI EC57; the timing features begin with those of de Chazal, O'Dwyer & Reilly 2004 ("Automatic
classification of heartbeats using ECG morphology and heartbeat interval features"), relative to the record's mean as in
Mondejar-Guerra et al. 2019 ("Heartbeat classification fusing temporal and morphological information of ECGs via
ensemble of classifiers").

Letters: N samples of the record, n beats, T points of a beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Array, Hints, Table

_Float = npt.NDArray[np.float64]

CLASSES = {
    "N": "NLRejnB",  # normal, bundle branch blocks, escapes of the atria and the node
    "S": "AaJS",  # premature, from above the ventricles
    "V": "VEr",  # premature or escaped, from the ventricles
    "F": "F",  # fusion of a ventricular and a normal beat
    "Q": "/fQ?",  # paced, fusion of a paced and a normal beat, not classified
}
"""AAMI class -> WFDB symbols; every other symbol is no beat. (B, n, r and ? do not occur in the MIT-BIH database.)"""

_CLASS_OF = {symbol: name for name, symbols in CLASSES.items() for symbol in symbols}
_LOCAL = 10  # intervals
_NEIGHBOURS = 3  # intervals on either side
_LEAST = 0.01  # keeps logarithms finite


@dataclass(frozen=True)
class Record:
    """One lead of an annotated recording.

    Attributes:
        name: of the record; its beats stay together in every split.
        signal: ``(N,)`` millivolt.
        rate: samples a second.
        samples: ``(A,)`` position of each annotation.
        symbols: ``(A,)`` its WFDB symbol.
    """

    name: str
    signal: _Float
    rate: float
    samples: npt.NDArray[np.int64]
    symbols: Sequence[str]


def cut(record: Record, options: ReadOptions) -> Table:
    """A window of signal around each beat, and what is known of the beat.

    The window reaches from ``before`` seconds ahead of the annotated peak to ``after`` seconds behind it; where it
    leaves the recording the signal's end value is repeated. With ``even`` the recording is shifted and scaled to
    median 0 and standard deviation 1 first, because gain and electrodes differ from patient to patient; with
    ``relative`` its median beat is subtracted from every beat, because so does the usual shape of a beat. Both are
    known when the record is complete. Case columns:

    - ``label``: N, S, V, F or Q; ``record``: the name;
    - logarithms of intervals over the record's mean interval, so that 0 is this patient's usual pace:
      ``rr_before_1`` to ``rr_before_3``, the three before this beat, nearest first; ``rr_after_1`` to ``rr_after_3``,
      the three that follow; ``rr_local``, the mean of the ten before ``rr_before_1``;
    - ``interval``: logarithm of the interval before this beat in seconds, which tells a record whose usual beats are
      the early ones;
    - ``irregular``: logarithm of the record's median change from one (logarithmic) interval to the next, which tells
      beats that come early from a rhythm that is irregular anyway; a median, so that early beats do not count as such.

    All are known when the record is complete. At its ends, where an interval is not known, the nearest known one
    stands in.

    Raises:
        DataError: there is no beat, or annotations lie outside the recording.
    """
    label = np.array([_CLASS_OF.get(symbol, "") for symbol in record.symbols], dtype=object)
    beats = label != ""
    peaks = record.samples[beats]
    if not len(peaks) or not len(record.signal):
        raise DataError("there is no annotated beat", where=record.name, mend="read the signal alone with beats=False")
    if peaks.min() < 0 or peaks.max() >= len(record.signal) or (np.diff(peaks) < 0).any():
        raise DataError(
            f"annotations are out of order or outside the {len(record.signal)} samples of the signal",
            where=record.name,
            mend="check that signal and annotations belong together",
        )
    offsets = np.arange(-round(options.before * record.rate), round(options.after * record.rate) + 1)
    windows, padded = _windows(_even(record.signal) if options.even else record.signal, peaks, offsets)
    if options.points is not None:
        windows = _resampled(windows, options.points)
    if options.relative:
        windows = windows - _typical(windows)
    timing = _timing(peaks / record.rate)
    notes: tuple[Note, ...] = (say("padded_beats"),) if padded else ()
    return Table(
        {"ecg": windows.ravel()},
        record.name,
        starts=np.arange(len(peaks) + 1, dtype=np.int64) * windows.shape[1],
        case_columns={"label": label[beats], "record": _repeated(record.name, len(peaks)), **timing},
        case_ids=tuple(f"{record.name}:{peak}" for peak in peaks),
        hints=Hints(target=("label",), group="record", static=tuple(timing), task="classify"),
        notes=notes,
    )


def _even(signal: _Float) -> _Float:
    """``(N,)`` signal with median 0 and standard deviation 1; missing samples stay missing."""
    known = signal[~np.isnan(signal)]
    if not len(known):
        return signal
    evened: _Float = (signal - np.median(known)) / (float(known.std()) or 1.0)
    return evened


def _typical(windows: _Float) -> _Float:
    """``(T,)`` median of beats ``(n, T)``, point by point; a point that is missing in every beat stays missing."""
    known = ~np.isnan(windows).all(0)
    typical = np.full(windows.shape[1], np.nan)
    typical[known] = np.nanmedian(windows[:, known], axis=0)
    return typical


def _windows(signal: _Float, peaks: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> tuple[_Float, bool]:
    """``(n, T)`` pieces of the signal, and whether any reaches over an end."""
    places = peaks[:, None] + offsets
    over = (places[:, 0] < 0) | (places[:, -1] >= len(signal))
    return signal[np.clip(places, 0, len(signal) - 1)], bool(over.any())


def _resampled(windows: _Float, points: int) -> _Float:
    """``(n, points)`` by linear interpolation, first and last point kept."""
    at = np.linspace(0, windows.shape[1] - 1, points)
    left = np.minimum(at.astype(np.int64), max(windows.shape[1] - 2, 0))
    right = np.minimum(left + 1, windows.shape[1] - 1)
    part = at - left
    resampled: _Float = windows[:, left] * (1 - part) + windows[:, right] * part
    return resampled


def _timing(peaks: _Float) -> dict[str, Array]:
    """Intervals around ``(n,)`` peaks in seconds, relative to the record, and how irregular they are."""
    interval = np.diff(peaks)
    if not len(interval):
        interval = np.array([np.nan])
    mean = float(interval.mean()) or np.nan
    pace = np.log(np.maximum(interval / mean, _LEAST))
    beat = np.arange(len(peaks))
    found = {f"rr_before_{back}": _at(pace, beat - back) for back in range(1, _NEIGHBOURS + 1)}
    found["interval"] = np.log(np.maximum(_at(interval, beat - 1), _LEAST))
    found |= {f"rr_after_{ahead}": _at(pace, beat + ahead - 1) for ahead in range(1, _NEIGHBOURS + 1)}
    before = _at(interval / mean, beat - 1)
    found["rr_local"] = np.log(np.maximum(_mean_over(before, beat - _LOCAL, np.maximum(beat, 1)), _LEAST))
    change = np.abs(found["rr_before_1"] - found["rr_before_2"])
    found["irregular"] = np.full(len(peaks), np.log(np.median(change) + _LEAST))
    return found


def _at(values: _Float, places: npt.NDArray[np.int64]) -> _Float:
    """``values`` at ``places``, the first or last one beyond the ends."""
    return values[np.clip(places, 0, len(values) - 1)]


def _mean_over(values: _Float, begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> _Float:
    """Means of ``values[begin:end]``, as much of it as there is."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    begin, end = np.maximum(begin, 0), np.minimum(end, len(values))
    means: _Float = (total[end] - total[begin]) / (end - begin)
    return means


def _repeated(name: str, count: int) -> Array:
    column = np.empty(count, dtype=object)
    column[:] = name
    return column
