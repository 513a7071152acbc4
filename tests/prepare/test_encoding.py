"""Encodings are found, reported, and never guessed into binary data."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.encoding import decode, detect

CHINESE = "日期,收盘价,备注\n2024-01-02,12.5,上涨\n2024-01-03,12.1,下跌，成交量放大\n"
FRENCH = "date,température,ville\n2024-01-02,12.5,Besançon\n2024-01-03,-3.5,Nîmes — été\n"
GERMAN = "Datum;Größe;Straße\n2024-01-02;12,5;Münchner Straße 3\n"


@pytest.mark.parametrize(
    ("text", "codec", "mark", "name"),
    [
        (CHINESE, "utf-8", b"", "UTF-8"),
        (CHINESE, "utf-8", codecs.BOM_UTF8, "UTF-8"),
        (CHINESE, "utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        (CHINESE, "utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        (CHINESE, "gb18030", b"", "GB18030"),
        (CHINESE, "gbk", b"", "GB18030"),
        (FRENCH, "cp1252", b"", "Latin-1"),
        (GERMAN, "latin-1", b"", "Latin-1"),
        ("a,b\n1,2\n", "ascii", b"", "UTF-8"),
    ],
)
def test_found_and_reported(text: str, codec: str, mark: bytes, name: str) -> None:
    found, note = decode(mark + text.encode(codec), "prices.csv")
    assert found == text
    assert note.code == "encoding" and name in note.en and name in note.zh
    assert ("byte order mark" in note.en) == bool(mark)


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        CHINESE.encode("utf-16-le"),  # without its mark every second byte of ASCII is NUL
        b"a,b\n1,\x002\n",
        b"a,b\n1,\x7f\n",
        codecs.BOM_UTF16_LE + b"a\x00b",
        codecs.BOM_UTF8 + b"\xff\xfe",
        bytes(range(128, 256)) * 4,
    ],
)
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="not text") as caught:
        decode(data, "prices.csv")
    assert "prices.csv" in str(caught.value) and "option encoding" in caught.value.mend


def test_the_word_of_the_user_goes_first() -> None:
    japanese = "日付,値\n2024-01-02,１２\n"
    assert decode(japanese.encode("shift_jis"), "x.csv", "shift_jis")[0] == japanese
    assert decode("é".encode("latin-1"), "x.csv", "latin-1")[0] == "é"
    assert decode(codecs.BOM_UTF8 + b"a", "x.csv", "utf-8")[0] == "a"
    assert decode("a,é".encode("utf-16"), "x.csv", "UTF-16")[0] == "a,é"


@pytest.mark.parametrize("name", ["klingon", "hex", "undefined", ""])
def test_an_encoding_that_does_not_exist(name: str) -> None:
    with pytest.raises(ConfigError, match="no encoding called"):
        detect(b"abc", "x.csv", name)


def test_a_wrong_word_is_an_error_not_garbage() -> None:
    with pytest.raises(DataError, match=r"does not decode as utf-8: .*position 4"):
        detect(b"a,b\n\xff", "x.csv", "utf-8")
    with pytest.raises(DataError, match="control characters"):
        detect(b"a\x00", "x.csv", "latin-1")


_LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n"), max_size=60)


@given(_LINES)
def test_utf8_is_always_read_as_utf8(text: str) -> None:
    assert decode(b"x" + text.encode(), "x.csv")[0] == "x" + text


@given(
    st.lists(
        st.sampled_from("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年"), min_size=1
    )
)
def test_common_chinese_in_gb18030_is_never_taken_for_latin(text: list[str]) -> None:
    data = "".join(text).encode("gb18030")
    found, _ = decode(data, "x.csv")
    assert found == "".join(text) or found.encode() == data  # a few pairs of bytes are valid UTF-8 too


@given(st.binary(max_size=80))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        text, _ = decode(data, "x.csv")
    except DataError:
        return
    assert not set(text) & set(map(chr, range(9)))
