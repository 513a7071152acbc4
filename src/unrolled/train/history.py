"""``metrics.jsonl``: one JSON object an epoch, on disk as soon as the epoch ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from unrolled.core.files import write_error, write_text

FILE = "metrics.jsonl"


class History:
    """Appends rows to ``metrics.jsonl``, which first is cut back to ``rows`` (those of the checkpoint).

    Raises:
        UnrolledError: the folder cannot be written, or the disk is full.
    """

    def __init__(self, folder: Path, rows: Iterable[dict[str, float]]) -> None:
        self._path = folder / FILE
        write_text(self._path, "".join(_line(row) for row in rows))

    def append(self, row: dict[str, float]) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as handle:
                handle.write(_line(row))
        except OSError as error:
            raise write_error(error, self._path) from error


def _line(row: dict[str, float]) -> str:
    return json.dumps(row, allow_nan=False) + "\n"
