"""Predictions for new data from a bundle; needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unrolled.cells.carried import adopt
from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, DataError
from unrolled.prepare.readers.jsonl import parse
from unrolled.runtime import Prediction, Predictor, Spotter, Which
from unrolled.runtime.hearing import hears

_NAME = "model.unrolled"  # of the bundle in a run's folder
_PIECE = 1 << 12  # bytes of a sound at once, at most


def predict(
    bundle: Path | str | Bundle,
    data: Any,
    *,
    which: Which | None = None,
    stride: int = 1,
    beam: int | None = None,
    **options: Any,
) -> Prediction:
    """Predict with a bundle, or with the bundle in a run's folder.

    Args:
        bundle: file, folder of a run, or a bundle in memory.
        data: file, folder, frame or array of new data; no target is needed, but as the past of a forecast.
        which: "last" or "all" windows, see ``runtime.Predictor.predict``.
        stride: rows between two windows.
        beam: prefixes that the search for strings of labels keeps; None as in training.
        options: of the reader.

    Raises:
        UnrolledError: bundle and data do not fit; the message says what differs.
    """
    return Predictor(open_bundle(bundle)).predict(data, which=which, stride=stride, beam=beam, **options)


def hears_sound(bundle: Path | str | Bundle) -> bool:
    """Whether a bundle was trained on recordings, so that it is sound that goes into a stream."""
    return hears(Predictor(open_bundle(bundle)).settings)


def hear(bundle: Path | str | Bundle, sound: BinaryIO) -> Iterator[Prediction]:
    """Answer a sound as it arrives: each label that begins, or the likeliest one where it becomes another.

    Args:
        bundle: as for :func:`predict`.
        sound: bare samples of 16 bits, little-endian, of one channel, at the rate of the training.

    Raises:
        ConfigError: the bundle cannot stream; the message says what keeps it from it.
        DataError: it is a WAV file.
    """
    door = Predictor(open_bundle(bundle)).stream()
    rest, last, begun = b"", None, False
    while piece := _at_hand(sound):
        if not begun and piece[:4] == b"RIFF":
            raise DataError(
                "this is a WAV file, and a stream has bare samples of 16 bits",
                where="the stream",
                mend="give the name of the file in the place of -",
            )
        begun, rest = True, rest + piece
        whole = len(rest) // 2 * 2
        found = door.process(np.frombuffer(rest[:whole], "<i2") / 32768)
        rest = rest[whole:]
        if not isinstance(door, Spotter) and len(found.answer):
            value = found.answer.value[:, 0]
            fresh = np.flatnonzero(value != np.concatenate([[value[0] + 1 if last is None else last], value[:-1]]))
            found, last = found[fresh], value[-1]
        if len(found.answer):
            yield found


def _at_hand(sound: BinaryIO) -> bytes:
    """What has come, without waiting for more; nothing at the end."""
    found: bytes = sound.read1(_PIECE) if isinstance(sound, BufferedIOBase) else sound.read(_PIECE)
    return found


def stream(bundle: Path | str | Bundle, lines: Iterable[str]) -> Iterator[Prediction]:
    """Answer rows as they arrive, one JSON object a line, with the net's state carried on.

    Args:
        bundle: as for :func:`predict`.
        lines: an open text file, or any other source of lines; empty ones are passed over.

    Raises:
        ConfigError: the bundle cannot stream; the message says what keeps it from it.
        DataError: a line cannot be read, or lacks what the model needs.
    """
    rows, number = Predictor(open_bundle(bundle)).stream(), 0
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield rows.step(parse(line, f"the stream, line {number}"))
    except UnicodeDecodeError as error:
        raise DataError(
            "this is not text in UTF-8",
            where=f"the stream, after line {number}",
            mend='write one object a line: {"time": ..., "value": ...}; sound is for models of recordings',
        ) from error


def open_bundle(given: Path | str | Bundle) -> Bundle:
    """Read a bundle from its file or from a run's folder.

    The cells that it carries are known by their names from then on.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    bundle = given if isinstance(given, Bundle) else _read(Path(given))
    adopt(bundle.manifest.settings.get("cells", []))
    return bundle


def _read(path: Path) -> Bundle:
    if not path.is_dir():
        return Bundle.read(path)
    if not (path / _NAME).exists():
        raise BundleError(
            f"there is no bundle in this folder ({_NAME})",
            where=str(path),
            mend="name a bundle or the folder of a run that has ended; a stopped one goes on with: "
            f"unrolled train --resume {path}",
        )
    return Bundle.read(path / _NAME)
