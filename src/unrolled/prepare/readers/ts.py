"""The ``.ts`` format of the UEA archive: one labelled sequence a line, channels between colons.

Letters: S sequences, D channels, T steps.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.encoding import decode
from unrolled.prepare.readers.content import load
from unrolled.prepare.readers.numbers import floats
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.sequences import sequences
from unrolled.prepare.table import Table

_FLAGS = {"true": True, "false": False}
_KNOWN = (
    *("problemname", "timestamps", "missing", "univariate", "dimension", "dimensions"),
    *("equallength", "serieslength", "classlabel", "targetlabel", "data"),
)


def claims(path: Path, head: bytes) -> bool:
    """Whether the first line that is no comment begins with a known tag."""
    lines = (line for line in head.decode("latin-1").splitlines() if line.strip() and not line.startswith("#"))
    return next(lines, "").partition(" ")[0].lower() in {f"@{tag}" for tag in _KNOWN}


def read(path: Path, options: ReadOptions) -> Table:
    """Read a ``.ts`` file; tags in any capitals, ``?`` missing, lengths that differ.

    Channels are called ``dim_0`` ..., or ``value`` where there is one; labels stay text, in ``label``; the numeric
    target of a regression set is ``target``.

    Raises:
        DataError: naming the line: the header is broken, time stamps are announced, a number is none, or a label
            or a channel is missing.
    """
    text, note = decode(load(path, options.limit), path.name, options.encoding)
    lines = _numbered(text)
    header = _header(lines, path.name)
    label = next((tag for tag in ("classlabel", "targetlabel") if _flag(header, tag, path.name)), None)
    classes = header["classlabel"][1].split()[1:] if label == "classlabel" else []
    cases: list[npt.NDArray[np.float64]] = []
    truth: list[str | None] = []
    for number, line in lines:
        place = f"{path.name}, line {number}"
        channels = line.split(":")
        if label:
            truth.append(_label(channels, classes, place))
        cases.append(_case(channels, place))
        if cases[-1].shape[1] != cases[0].shape[1]:
            raise DataError(
                f"this sequence has {cases[-1].shape[1]} channels, the first has {cases[0].shape[1]}", where=place
            )
    if not cases:
        raise DataError("there is no sequence after @data", where=path.name)
    labels: dict[str, Any] = {}
    if label == "classlabel":
        labels["label"] = truth
    elif label:
        labels["target"] = floats([cell or "" for cell in truth], f"{path.name}, target")
    return sequences(cases, path.name, labels=labels, notes=(note,))


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers."""
    for number, line in enumerate(io.StringIO(text), start=1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def _header(lines: Iterator[tuple[int, str]], where: str) -> dict[str, tuple[int, str]]:
    """Tags in lower case, each with its line and its value, up to @data."""
    header: dict[str, tuple[int, str]] = {}
    for number, line in lines:
        place = f"{where}, line {number}"
        if not line.startswith("@"):
            raise DataError(
                "the header is broken: this line begins neither with @ nor with #",
                where=place,
                mend="write the line @data before the first sequence",
            )
        tag, value = (*line[1:].split(None, 1), "", "")[:2]
        if tag.lower() not in _KNOWN:
            raise DataError(f"the header is broken: there is no tag @{tag}", where=place)
        header[tag.lower()] = number, value.strip()
        if tag.lower() == "data":
            break
    else:
        raise DataError("the header is broken: the line @data is missing", where=where)
    if _flag(header, "timestamps", where):
        raise DataError(
            "sequences with time stamps are not read from .ts files",
            where=f"{where}, line {header['timestamps'][0]}",
            mend="write them as CSV, with columns for the series, the time and each channel",
        )
    return header


def _flag(header: dict[str, tuple[int, str]], tag: str, where: str) -> bool:
    if tag not in header:
        return False
    number, value = header[tag]
    word = value.split()[0].lower() if value else ""
    if word not in _FLAGS:
        raise DataError(f"the header is broken: @{tag} is neither true nor false", where=f"{where}, line {number}")
    return _FLAGS[word]


def _label(channels: list[str], classes: list[str], place: str) -> str | None:
    """The last part of a line, None where it is ``?``."""
    label = channels.pop().strip()
    if not channels or not label:
        raise DataError("the label after the last colon is missing", where=place)
    if label == "?":
        return None
    if classes and label not in classes and not _among(label, classes):
        raise DataError(f"the label {label[:40]!r} is not in the header: {' '.join(classes)[:80]}", where=place)
    return label


def _among(label: str, classes: list[str]) -> bool:
    """Whether a number is one of ``classes``, written differently."""
    try:
        return float(label) in {float(name) for name in classes}
    except ValueError:
        return False


def _case(channels: list[str], place: str) -> npt.NDArray[np.float64]:
    """``(T, D)`` values of a line."""
    values = [floats(channel.split(","), f"{place}, channel {at}") for at, channel in enumerate(channels)]
    if len({len(channel) for channel in values}) > 1:
        raise DataError(f"channels differ in length: {[len(channel) for channel in values]}", where=place)
    return np.stack(values, axis=1)
