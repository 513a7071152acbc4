"""Recordings: a WAV file, a folder of them, or a CSV file that lists them; a sequence of frames each.

Letters: S recordings, N samples, T frames, M bands.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare.log_mel import LogMel, LogMelOptions
from unrolled.prepare.readers import recordings, riff
from unrolled.prepare.readers.content import load, too_large
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.recordings import Recordings
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Table

BAND = "mel_"
"""What the names of the columns of bands begin with."""

_Float = npt.NDArray[np.float64]


def claims(path: Path, head: bytes) -> bool:
    """Whether the file begins as RIFF sound does."""
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def holds_sound(folder: Path) -> bool:
    """Whether a folder holds WAV files, itself or in the folders in it."""
    return any(next(folder.glob(pattern), None) is not None for pattern in ("*.[wW][aA][vV]", "*/*.[wW][aA][vV]"))


def read(path: Path, options: ReadOptions) -> Table:
    """Read recordings: columns ``mel_0`` ... of log mel energies, or ``value`` of samples; one sequence a file.

    What the names of the files or a list say of them is one value a sequence; ``label`` is the target, ``group`` or
    ``speaker`` says what belongs together.

    Raises:
        DataError: a file is damaged, has another sampling rate than the first (or the option ``rate``), or all are
            too short.
    """
    if path.is_dir():
        found = recordings.folder(path, options)
    elif path.suffix.lower() in (".csv", ".tsv", ".txt"):
        found = recordings.manifest(path, options)
    else:
        found = recordings.one(path, options)
    return _table(found, path.name, options)


def _table(found: Recordings, source: str, options: ReadOptions) -> Table:
    cases, rate, mixed = _cases(found, source, options)
    lengths = np.array([len(case) for case in cases], dtype=np.int64)
    kept = lengths > 0
    if not kept.any():
        raise DataError("no recording is as long as one frame step", where=source, mend="choose a smaller option hop")
    short = [path.name for path, long in zip(found.paths, kept.tolist(), strict=True) if not long]
    notes: list[Note] = [_told(rate, options)]
    notes += [say("channels_mixed", count=mixed)] if mixed else []
    notes += [say("short_recordings", count=len(short), name=short[0])] if short else []
    values = np.concatenate(cases)
    names = ["value"] if options.sound == "samples" else [f"{BAND}{band}" for band in range(values.shape[1])]
    return Table(
        {name: np.ascontiguousarray(values[:, at]) for at, name in enumerate(names)},
        source,
        starts=np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64),
        case_columns={name: column[kept] for name, column in found.columns.items()},
        case_ids=tuple(name for name, long in zip(found.ids, kept.tolist(), strict=True) if long),
        hints=found.hints,
        options={"rate": rate},
        notes=(*found.notes, *notes),
    )


def _cases(found: Recordings, source: str, options: ReadOptions) -> tuple[list[_Float], int, int]:
    """``(T, M)`` of each recording (T may be 0), the rate of all, and how many had several channels."""
    cases: list[_Float] = []
    rate, mixed, total, front = options.rate, 0, 0, None
    for path in found.paths:
        sound = riff.parse(load(path, options.limit), path.name)
        rate = rate or sound.rate
        if sound.rate != rate:
            other = "not" if options.rate else "the recordings before it"
            raise DataError(
                f"it is sampled at {sound.rate} Hz, {other} at {rate} Hz",
                where=path.name,
                mend=f"bring all recordings to {rate} Hz first",
            )
        samples = sound.samples.mean(axis=1)
        mixed += sound.samples.shape[1] > 1
        total += samples.nbytes
        if total > options.limit:
            raise too_large(path.parent / source, total, options.limit)
        if options.sound == "samples":
            cases.append(samples[:, None])
            continue
        front = front or LogMel(front_options(options, rate))
        front.reset()
        cases.append(front.process(samples))
    assert rate is not None
    return cases, rate, mixed


def front_options(options: ReadOptions, rate: int) -> LogMelOptions:
    """The bands that the options ask for."""
    own = options.model_dump(include=set(LogMelOptions.model_fields) - {"rate"})
    return LogMelOptions(rate=rate, **own)


def _told(rate: int, options: ReadOptions) -> Note:
    if options.sound == "samples":
        return say("sound_samples", rate=rate)
    return say("sound", rate=rate, bands=options.bands, frame=f"{options.frame * 1e3:g}", hop=f"{options.hop * 1e3:g}")
