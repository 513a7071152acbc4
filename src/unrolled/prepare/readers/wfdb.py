"""WFDB records (PhysioNet): header, signal file and, for beats, annotations.

Letters: N samples, L leads.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from unrolled.core.errors import DataError, UnrolledError
from unrolled.core.optional import require
from unrolled.core.records import Note
from unrolled.prepare.readers import atr, beats
from unrolled.prepare.readers.content import readable, too_large
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Hints, Table

_SUFFIXES = (".hea", ".dat", ".atr")

# Bytes a sample takes in each storage format of signal files (WFDB documentation, signal(5)).
_BYTES = {"8": 1, "80": 1, "16": 2, "61": 2, "160": 2, "212": 1.5, "310": 4 / 3, "311": 4 / 3, "24": 3, "32": 4}


def claims(path: Path, head: bytes) -> bool:
    """Whether there is a header of that name, or the path is one."""
    return path.suffix == ".hea" or _record(path).with_name(_record(path).name + ".hea").is_file()


def read(path: Path, options: ReadOptions) -> Table:
    """Read a record by its name, with or without the suffix of one of its files.

    With annotations (``.atr``) the table holds beats, see ``beats.cut``; without them, or with ``beats=False``, one
    row a sample: ``time`` in seconds and the leads in their physical units.

    Raises:
        DataError: a file is missing, cut short, damaged (its checksum differs) or no WFDB file, or the lead does not
            exist.
        MissingExtraError: the extra ``ecg`` is not installed.
    """
    name = _record(path)
    annotated = name.with_name(name.name + ".atr").exists()
    if options.beats and not annotated:
        raise DataError("there are no annotations to cut beats with", where=f"{name.name}.atr")
    with _translated(name):
        record = _signals(name, options)
        lead, notes = _lead(record, options, name.name)
        values = np.asarray(record.dac(), dtype=np.float64)
    if not annotated or options.beats is False:
        every = options.lead is None
        kept = range(len(record.sig_name)) if every else [lead]
        columns = {_column_name(record, at): np.ascontiguousarray(values[:, at]) for at in kept}
        time = np.arange(len(values)) / record.fs
        return Table({"time": time, **columns}, name.name, hints=Hints(time="time"), notes=() if every else notes)
    samples, symbols, rate = atr.read(name.with_name(name.name + ".atr"), options.limit)
    if rate not in (None, record.fs):
        raise DataError(
            f"annotations count {rate:g} samples a second, the signal {record.fs:g}",
            where=f"{name.name}.atr",
            mend="convert them to the rate of the signal",
        )
    table = beats.cut(beats.Record(name.name, values[:, lead], float(record.fs), samples, symbols), options)
    return Table(**{**vars(table), "notes": (*notes, *table.notes)})


def _record(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in _SUFFIXES else path


@contextmanager
def _unwarned() -> Iterator[None]:
    """Keep wfdb's warnings to itself: they are about its own use of pandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _wfdb() -> ModuleType:
    with _unwarned():
        return require("wfdb", extra="ecg", purpose="reading WFDB records")


@contextmanager
def _translated(name: Path) -> Iterator[None]:
    """Turn whatever wfdb raises on a damaged file, and it raises many things, into a sentence."""
    try:
        with _unwarned():
            yield
    except UnrolledError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"the record cannot be read: {reason[:200]}", where=name.name, mend="copy or download its files again"
        ) from error


def _signals(name: Path, options: ReadOptions) -> Any:
    """The record with all leads in ADC units, after checking that its files are whole."""
    wfdb = _wfdb()
    header_file = name.with_name(name.name + ".hea")
    with readable(header_file):
        header_file.open("rb").close()
    header = wfdb.rdheader(str(name))
    if not isinstance(header, wfdb.Record):
        raise DataError("records of several segments are not read", where=name.name, mend="name one of its segments")
    size = 8 * (header.sig_len or 0) * header.n_sig
    if size > options.limit:
        raise too_large(header_file, size, options.limit)
    for file in dict.fromkeys(header.file_name or ()):
        _check_length(name.with_name(Path(file).name), file, header)
    record = wfdb.rdrecord(str(name), physical=False)
    _check_sums(record, name.name)
    return record


def _check_sums(record: Any, where: str) -> None:
    """Refuse a signal whose checksum is not the one in the header (where both can be known)."""
    if any(record.skew or ()) or set(record.samps_per_frame or ()) - {1, None}:
        return  # wfdb has shifted or averaged the samples
    for at, (said, found) in enumerate(zip(record.checksum or (), record.calc_checksum(), strict=False)):
        if said is not None and (said - found) % 65536:
            raise DataError(
                f"the signal of lead {record.sig_name[at]!r} is damaged: its checksum is not the one in the header",
                where=where,
                mend="copy or download the record again",
            )


def _check_length(path: Path, file: str, header: Any) -> None:
    """Refuse a signal file that is missing or shorter than its header says."""
    with readable(path):
        size = path.stat().st_size
    own = [at for at, other in enumerate(header.file_name) if other == file]
    width = _BYTES.get(header.fmt[own[0]])
    if width is None or not header.sig_len:
        return
    samples = header.sig_len * sum(header.samps_per_frame[at] or 1 for at in own)
    expected = (header.byte_offset[own[0]] or 0) + math.ceil(samples * width)
    if size < expected:
        raise DataError(
            f"the signal file is cut short: {size} of {expected} bytes",
            where=path.name,
            mend="copy or download it again",
        )


def _lead(record: Any, options: ReadOptions, where: str) -> tuple[int, tuple[Note, ...]]:
    """Position of the lead to read."""
    names = [_column_name(record, at) for at in range(len(record.sig_name))]
    if options.lead is None:
        at = names.index("MLII") if "MLII" in names else 0
    elif options.lead in names:
        at = names.index(str(options.lead))
    elif str(options.lead).isdecimal() and int(options.lead) < len(names):
        at = int(options.lead)
    else:
        raise DataError(f"there is no lead {options.lead!r}", where=where, mend=f"the leads are {', '.join(names)}")
    return at, (say("lead", lead=names[at], leads=", ".join(names)),)


def _column_name(record: Any, at: int) -> str:
    """The lead's name, made different from those of the leads before it."""
    names = record.sig_name
    name = names[at] or f"lead_{at}"
    return name if names.index(names[at]) == at else f"{name}_{at}"
