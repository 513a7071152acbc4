"""What a user may say about a source; everything left out is found from the source itself."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from unrolled.core.errors import DataError
from unrolled.core.records import Record

Format = Literal["csv", "jsonl", "parquet", "ts", "ucr", "wfdb", "npz", "cmapss", "clicks", "wav"]


class ReadOptions(Record):
    """Options of ``read``.

    Attributes:
        format: the file format, where neither name nor content tells.
        columns: read only these.
        categorical: columns that are text even where their cells look like numbers or dates.
        encoding: of a text file.
        delimiter: between the cells of a text file; a space stands for any run of blanks.
        decimal: the decimal mark of a text file.
        header: whether the first row of a text file holds the column names.
        day_first: whether 03/04/2024 is the third of April.
        lead: name or index of the ECG lead; default MLII where there is one, else the first.
        beats: cut the record into annotated beats; default where there are annotations.
        before, after: seconds of signal around each beat.
        even: bring each ECG record to median 0 and standard deviation 1 before its beats are cut.
        relative: subtract each ECG record's median beat from its beats; what is unusual for the patient remains.
        points: resample each beat to that many points.
        names: pattern of the names of recordings, such as ``{label}_{speaker}_{}``: words in braces become columns.
        sound: what is read of recordings, the logarithm of their energy in mel bands or the bare samples.
        rate: samples a second (Hz) that recordings must have; default that of the first.
        frame: seconds of sound that a frame sees.
        hop: seconds from one frame to the next.
        bands: mel bands of a frame.
        low: lower edge of the first band (Hz).
        level: energies of mel bands relative to the level so far (that of the loudest band, falling slowly), so that
            neither the microphone nor the hum of a room matters much; or as they are.
        depth: how far below the level (dB) energies are told apart.
        fall: of the level, in dB a second.
        wide: each row is one series, one cell a step (as in the M4 files).
        labels: the columns of a wide file, or of pairs, that hold one value a series; those that are absent are passed
            over.
        pair: two columns of texts that make a pair in each row, or the one column that says to which side of a pair
            a row belongs.
        unit: what a text is cut into: "word" (of Chinese and Japanese: characters), "character"; "auto" takes words.
        beside: a second file with a row a step, at a rate of its own; each row gets what it last said.
        on: the column of times that both files have; default the one with time stamps.
        memory: bytes that the numbers of a Parquet file may take in memory; larger ones are kept in a memory map.
        cache: folder of that memory map, default the system's folder for temporary files.
        limit: most bytes that a file may have when it is read (and unpacked) as a whole.
    """

    format: Format | None = None
    columns: tuple[str, ...] | None = None
    categorical: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = Field(None, pattern=r"^[^\"\x00-\x08\x0a-\x1f]$")
    decimal: Literal[".", ","] | None = None
    header: bool | None = None
    day_first: bool | None = None
    lead: str | int | None = None
    beats: bool | None = None
    before: float = Field(0.25, ge=0, le=60)
    after: float = Field(0.45, ge=0, le=60)
    even: bool = True
    relative: bool = True
    points: int | None = Field(None, ge=2, le=10_000)
    names: str | None = Field(None, max_length=200)
    sound: Literal["log_mel", "samples"] = "log_mel"
    rate: int | None = Field(None, ge=100, le=1_000_000)
    frame: float = Field(0.025, gt=0, le=1)
    hop: float = Field(0.010, gt=0, le=1)
    bands: int = Field(32, ge=1, le=512)
    low: float = Field(60.0, ge=0)
    level: Literal["relative", "absolute"] = "relative"
    depth: float = Field(50.0, gt=0, le=200)
    fall: float = Field(5.0, ge=0, le=1000)
    wide: bool = False
    labels: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()
    unit: Literal["auto", "word", "character"] = "auto"
    beside: Path | None = None
    on: str | None = None
    memory: int = Field(256 << 20, ge=0)
    cache: Path | None = None
    limit: int = Field(2 << 30, gt=0)


MEANING = frozenset(ReadOptions.model_fields) - {"beside", "columns", "memory", "cache", "limit"}
"""Options that say what the cells mean, and go with a model; the others are about one file or one machine."""


def select(names: Iterable[str], options: ReadOptions, where: str) -> list[str]:
    """The columns to read, in the order of the file.

    Raises:
        DataError: a column asked for is not there.
    """
    present = list(names)
    for asked in options.columns or ():
        if asked not in present:
            raise DataError(f"there is no column {asked!r}", where=where, mend=_nearest(asked, present))
    return [name for name in present if options.columns is None or name in options.columns]


def _nearest(asked: str, present: list[str]) -> str:
    near = difflib.get_close_matches(asked, present, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"the columns are {', '.join(repr(name) for name in present[:20])}{', ...' if len(present) > 20 else ''}"
