"""Heart beats cut from an annotated ECG, each with its class and its timing.

Classes after ANSI/AAMI EC57; the timing features are those that tell patients' beats apart between patients
(de Chazal, O'Dwyer & Reilly 2004, "Automatic classification of heartbeats using ECG morphology and heartbeat interval
features").

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
_LOCAL = 10


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
    median 0 and standard deviation 1 first, because gain and electrodes differ from patient to patient (known when
    the record is complete). Case columns, in seconds:

    - ``label``: N, S, V, F or Q; ``record``: the name;
    - ``rr_before``: since the beat before; ``rr_local``: mean of the ten such intervals before that (causal);
    - ``rr_after``: until the beat that follows (known one beat later);
    - ``rr_before_ratio``, ``rr_local_ratio``, ``rr_after_ratio``: the same over the record's mean interval (known
      when the record is complete).

    At the start of a record, where an interval is not known, the nearest known one stands in.

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
    """Intervals around ``(n,)`` peaks, in seconds."""
    interval = np.diff(peaks)
    if not len(interval):
        interval = np.array([np.nan])
    before = np.concatenate([interval[:1], interval])[: len(peaks)]
    after = np.concatenate([interval, interval[-1:]])[: len(peaks)]
    total = np.concatenate([[0.0], np.cumsum(before)])
    end = np.arange(len(peaks))
    start = np.maximum(end - _LOCAL, 0)
    local = np.divide(total[end] - total[start], end - start, out=before.copy(), where=end > start)
    features = {"rr_before": before, "rr_after": after, "rr_local": local}
    mean = float(interval.mean()) or np.nan
    return features | {f"{name}_ratio": values / mean for name, values in features.items()}


def _repeated(name: str, count: int) -> Array:
    column = np.empty(count, dtype=object)
    column[:] = name
    return column
