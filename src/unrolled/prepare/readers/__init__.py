"""One file a format. To add one: write its ``read`` and ``claims`` (see ``Reader``) and enter it in ``READERS``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from unrolled.prepare.readers import clicks, cmapss, csv, jsonl, npz, parquet, ts, ucr, wav, wfdb
from unrolled.prepare.readers.options import Format, ReadOptions
from unrolled.prepare.table import Table

__all__ = ["READERS", "SUFFIXES", "Format", "ReadOptions", "Reader"]


class Reader(Protocol):
    """What a module of this folder offers."""

    def claims(self, path: Path, head: bytes) -> bool:
        """Whether a file is in this format, judged by its name and its first bytes (unpacked)."""

    def read(self, path: Path, options: ReadOptions) -> Table:
        """The file as a table; whatever is wrong with it is a ``DataError`` that names the place and the mend."""


# Asked in this order where the suffix does not tell; any text is CSV in the end.
READERS: dict[Format, Reader] = {
    "wfdb": wfdb,
    "wav": wav,
    "parquet": parquet,
    "npz": npz,
    "jsonl": jsonl,
    "ts": ts,
    "cmapss": cmapss,
    "clicks": clicks,
    "ucr": ucr,
    "csv": csv,
}

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".hea": "wfdb",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".npz": "npz",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ts": "ts",
    ".wav": "wav",
}
