"""Text encodings: which one a file is written in, found from its bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "gb18030": "GB18030",
    # Western files often hold the curly quotes and the euro sign that Windows added to Latin-1.
    "cp1252": "Latin-1",
}
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_BINARY_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_CHUNK = 1 << 20

# Chinese text is nearly all from GB2312, whose characters have two bytes from 0xA1 up; European text in Latin-1 has
# single high bytes between plain letters, which GB18030 would also decode, into rare characters.
_COMMON_CHINESE = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_ASCII = bytes(range(128))


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a text file are to be read.

    Attributes:
        codec: Python's name of the encoding.
        mark: bytes of the byte order mark at the start of the file.
    """

    codec: str
    mark: int = 0

    @property
    def name(self) -> str:
        """The name a user knows it by."""
        return _NAMES.get(self.codec, self.codec)

    def note(self) -> Note:
        """The finding, for the user."""
        mark_en, mark_zh = (" with a byte order mark", "（带字节序标记）") if self.mark else ("", "")
        return Note(
            code="encoding",
            en=f"The text is encoded in {self.name}{mark_en}.",
            zh=f"文本编码为 {self.name}{mark_zh}。",
        )


def detect(data: bytes, where: str, encoding: str | None = None) -> Encoding:
    """Find the encoding of ``data``: a byte order mark, then UTF-8, GB18030, Latin-1.

    Args:
        data: the whole file, because the first byte that is not ASCII may come late.
        where: name of the file, for messages.
        encoding: the user's own word; then only this one is tried.

    Raises:
        DataError: the bytes are not text in any of them (or not in ``encoding``).
        ConfigError: Python knows no encoding of that name.
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    if encoding is not None:
        return _as_told(data, where, encoding, mark)
    found = _MARKS[mark] if mark else _unmarked(data)
    if found is None or _undecodable(data[len(mark) :], found) or _holds_controls(data, found, len(mark)):
        raise DataError(
            "this is not text in UTF-8, UTF-16, GB18030 or Latin-1",
            where=where,
            mend="save the file as UTF-8 text, or name its encoding with the option encoding",
        )
    return Encoding(found, len(mark))


def decode(data: bytes, where: str, encoding: str | None = None) -> tuple[str, Note]:
    """``data`` as text without byte order mark, and the note that names the encoding; raises as ``detect``."""
    found = detect(data, where, encoding)
    return data[found.mark :].decode(found.codec), found.note()


def _as_told(data: bytes, where: str, encoding: str, mark: bytes) -> Encoding:
    try:
        codec = codecs.lookup(encoding).name
        bytes(4).decode(codec)  # refuses what turns bytes into bytes
    except (LookupError, ValueError) as error:
        raise ConfigError(
            f"there is no encoding called {encoding!r}", where="encoding", mend="for example utf-8, gb18030, shift_jis"
        ) from error
    own = mark if mark and _MARKS[mark].startswith(codec.removesuffix("-sig")) else b""
    codec = _MARKS[own] if own else codec
    position = _undecodable(data[len(own) :], codec)
    if position:
        raise DataError(
            f"the text does not decode as {encoding}: {position}",
            where=where,
            mend="leave the option encoding out to have it detected",
        )
    if _holds_controls(data, codec, len(own)):
        raise DataError(f"this is not text in {encoding}: it holds control characters", where=where)
    return Encoding(codec, len(own))


def _unmarked(data: bytes) -> str | None:
    if not _undecodable(data, "utf-8"):
        return "utf-8"
    high = len(data.translate(None, delete=_ASCII))
    pairs = sum(1 for _ in _COMMON_CHINESE.finditer(data))
    if 4 * pairs >= high and not _undecodable(data, "gb18030"):
        return "gb18030"
    # Prose has few accents; a file that is mostly high bytes is not Western text, whatever decodes.
    return "cp1252" if 3 * high <= len(data) else None


def _undecodable(data: bytes, codec: str) -> str:
    """Why ``data`` does not decode, or nothing where it does; in chunks, so that no copy of a large file is made."""
    decoder = codecs.getincrementaldecoder(codec)()
    view = memoryview(data)
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(bytes(view[start : start + _CHUNK]))
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return str(error)
    return ""


def _holds_controls(data: bytes, codec: str, mark: int) -> bool:
    if codec.startswith(("utf-16", "utf-32")):
        return _BINARY_TEXT.search(data[mark:].decode(codec)) is not None
    return _BINARY.search(data) is not None
