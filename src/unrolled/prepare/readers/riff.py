"""The samples of a WAV file: RIFF chunks, PCM of 8 to 32 bits and floating point.

Multimedia Programming Interface and Data Specifications 1.0 (1991), and Microsoft's "Multiple channel audio data and
WAVE files" for the extensible format. The standard library's ``wave`` reads no floating point, and a file cut short
passes there as a shorter sound.

Letters: N samples, C channels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError

Float = npt.NDArray[np.float64]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_OTHERS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "ADPCM", 49: "GSM", 80: "MPEG", 85: "MP3", 255: "AAC"}
_RATES = (100, 1_000_000)  # Hz; what any recorder writes
_MOST_CHANNELS = 256
_AGAIN = "copy or record it again"


@dataclass(frozen=True)
class Sound:
    """``samples`` ``(N, C)``, full scale from -1 to 1, at ``rate`` Hz."""

    samples: Float
    rate: int


@dataclass(frozen=True)
class _Form:
    """What the chunk "fmt " says."""

    code: int
    channels: int
    rate: int
    bytes: int  # of one sample of one channel


def parse(data: bytes, where: str) -> Sound:
    """The sound in the bytes of a WAV file; chunks of other kinds are passed over.

    Raises:
        DataError: it is no WAV file, is cut short, packed, empty, or contradicts itself.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        began = "it is empty" if not data else f"it begins with {data[:4]!r}"
        raise DataError(f"this is not a WAV file: {began}", where=where, mend="convert it to WAV (PCM)")
    form: _Form | None = None
    for name, body in _chunks(data, where):
        if name == b"fmt ":
            form = _form(body, where)
        elif name == b"data":
            if form is None:
                raise DataError("the samples come before their format", where=where, mend=_AGAIN)
            return Sound(_samples(body, form, where), form.rate)
    raise DataError("it holds no samples: there is no chunk 'data'", where=where, mend=_AGAIN)


def _chunks(data: bytes, where: str) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each chunk; they begin at even places."""
    view, at = memoryview(data), 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        left = len(data) - at - 8
        if size > left:
            raise DataError(
                f"it is cut short: the chunk {name.decode('latin-1')!r} should have {size} bytes, {left} are left",
                where=where,
                mend=_AGAIN,
            )
        yield name, view[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _form(body: memoryview, where: str) -> _Form:
    if len(body) < 16:
        raise DataError(f"the format takes 16 bytes, {len(body)} are there", where=where, mend=_AGAIN)
    code, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and len(body) >= 26:
        (code,) = struct.unpack_from("<H", body, 24)
    widths = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}.get(code)
    if widths is None:
        name = _OTHERS.get(code, f"format {code}")
        raise DataError(f"its samples are packed ({name})", where=where, mend="convert it to PCM of 16 bits")
    if bits not in widths:
        allowed = ", ".join(map(str, widths))
        raise DataError(f"samples of {bits} bits are not read, only of {allowed}", where=where, mend="convert it")
    if not 1 <= channels <= _MOST_CHANNELS or frame != channels * bits // 8:
        raise DataError(
            f"its header contradicts itself: {channels} channels of {bits} bits in {frame} bytes",
            where=where,
            mend=_AGAIN,
        )
    if not _RATES[0] <= rate <= _RATES[1]:
        raise DataError(f"{rate} Hz is not a rate of recordings", where=where, mend=_AGAIN)
    return _Form(code, channels, rate, bits // 8)


def _samples(body: memoryview, form: _Form, where: str) -> Float:
    """``(N, C)`` samples, full scale from -1 to 1."""
    frame = form.channels * form.bytes
    if len(body) % frame:
        raise DataError(
            f"the last sample is cut: {len(body)} bytes are no multiple of {frame}", where=where, mend=_AGAIN
        )
    if not len(body):
        raise DataError("there is no sample in it", where=where, mend="leave the file out")
    if form.code == _FLOAT:
        found = np.frombuffer(body, f"<f{form.bytes}").astype(np.float64)
        wrong = ~np.isfinite(found)
        if wrong.any():
            at = int(np.argmax(wrong)) // form.channels
            raise DataError(f"sample {at + 1} is {found[wrong][0]:g}, not a number", where=where, mend=_AGAIN)
    elif form.bytes == 1:  # 8 bits alone are without sign
        found = (np.frombuffer(body, np.uint8).astype(np.float64) - 128) / 128
    elif form.bytes == 3:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
        found = wide.view("<i4")[:, 0] / 2.0**31
    else:
        found = np.frombuffer(body, f"<i{form.bytes}") / 2.0 ** (8 * form.bytes - 1)
    return found.reshape(-1, form.channels)
