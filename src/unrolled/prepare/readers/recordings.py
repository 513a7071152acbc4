"""Which sound files are read, and what their names or a list of them say about each.

Three ways to label recordings: a pattern of their names (the option ``names``), a folder for each label, or a CSV file
with a column ``path`` and, for each recording, whatever else is known of it.

Letters: S recordings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note
from unrolled.prepare.readers import csv
from unrolled.prepare.readers.content import readable
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.sequences import as_column
from unrolled.prepare.readers.wording import say
from unrolled.prepare.table import Array, Hints

_GROUPS = ("group", "speaker")  # columns that say what belongs together


@dataclass(frozen=True)
class Recordings:
    """S files with what is said of them.

    Attributes:
        paths: of the files.
        ids: a name each, different from all others.
        columns: name -> ``(S,)`` values.
        hints: which column is the target, which the group.
        notes: what was assumed.
    """

    paths: Sequence[Path]
    ids: tuple[str, ...]
    columns: dict[str, Array] = field(default_factory=dict)
    hints: Hints = field(default_factory=Hints)
    notes: tuple[Note, ...] = ()


def one(path: Path, options: ReadOptions) -> Recordings:
    """A single file."""
    return _named([path], (path.stem,), options)


def folder(path: Path, options: ReadOptions) -> Recordings:
    """The WAV files of a folder; where there are none, of its folders, whose names are the labels.

    Raises:
        DataError: there is no WAV file.
    """
    with readable(path):
        found = _within(path)
        below = {entry.name: _within(entry) for entry in sorted(path.iterdir()) if entry.is_dir()}
    if found:
        return _named(found, tuple(file.stem for file in found), options)
    labels = [name for name, files in below.items() for _ in files]
    if not labels:
        raise DataError(
            "there is no WAV file in this folder", where=str(path), mend="give the folder of the recordings"
        )
    paths = [file for files in below.values() for file in files]
    ids = tuple(f"{label}/{file.stem}" for label, file in zip(labels, paths, strict=True))
    if options.names is not None:
        return _named(paths, ids, options)
    return Recordings(paths, ids, {"label": as_column(labels)}, Hints(target=("label",)), (say("label_folders"),))


def manifest(path: Path, options: ReadOptions) -> Recordings:
    """A CSV file that lists recordings; paths are relative to its folder.

    Raises:
        DataError: there is no column ``path``, a path is missing or twice.
    """
    text = options.model_copy(update={"categorical": (*options.categorical, "path", "label", *_GROUPS)})
    table = csv.read(path, text)
    if "path" not in table.columns:
        raise DataError(
            f"a list of recordings needs a column 'path'; there are {', '.join(map(repr, table.columns))}",
            where=path.name,
            mend="name the column of the files 'path', that of the classes 'label'",
        )
    cells = table.columns["path"].tolist()
    seen: set[str] = set()
    for row, cell in enumerate(cells):
        if cell is None or cell in seen:
            what = "there is no path" if cell is None else f"{cell!r} is listed twice"
            raise DataError(what, where=table.place(row, "path"), mend="give every recording one row")
        seen.add(cell)
    columns = {name: column for name, column in table.columns.items() if name != "path"}
    group = next((name for name in _GROUPS if name in columns), None)
    hints = Hints(target=("label",) if "label" in columns else (), group=group)
    return Recordings([path.parent / cell for cell in cells], tuple(cells), columns, hints, table.notes)


def _within(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".wav" and file.is_file())


def _named(paths: Sequence[Path], ids: tuple[str, ...], options: ReadOptions) -> Recordings:
    """What the names of the files say, by the option ``names``."""
    if options.names is None:
        return Recordings(paths, ids)
    pattern = _pattern(options.names)
    found = [pattern.fullmatch(path.stem) for path in paths]
    columns = {name: as_column([match and match[name] for match in found]) for name in pattern.groupindex}
    strange = [path.name for path, match in zip(paths, found, strict=True) if match is None]
    notes = (say("strange_names", count=len(strange), name=strange[0], pattern=options.names),) if strange else ()
    group = next((name for name in _GROUPS if name in columns), None)
    return Recordings(paths, ids, columns, Hints(target=("label",) if "label" in columns else (), group=group), notes)


def _pattern(names: str) -> re.Pattern[str]:
    """``{label}_{group}_{}`` as a regular expression: a word in braces is a column, ``{}`` anything."""
    pieces = re.split(r"\{(\w*)\}", names)
    words = [word for word in pieces[1::2] if word]
    if not words or len(set(words)) < len(words) or re.search(r"[{}]", "".join(pieces[::2])):
        raise ConfigError(
            f"{names!r} is not a pattern of file names",
            where="option names",
            mend="write it as {label}_{group}_{}: each word in braces is a column, {} is anything",
        )
    if not all(word.isidentifier() for word in words):
        raise ConfigError(f"{names!r} has a column that is no word", where="option names")
    text = "".join(re.escape(piece) if at % 2 == 0 else _part(piece) for at, piece in enumerate(pieces))
    return re.compile(text)


def _part(word: str) -> str:
    return f"(?P<{word}>.+?)" if word else ".+?"
