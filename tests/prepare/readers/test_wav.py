"""Recordings: every kind of samples, three ways to label them, and files that lie."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import wavfile
from tests.prepare.readers.conftest import Check

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.log_mel import LogMel, LogMelOptions
from unrolled.prepare.read import read
from unrolled.prepare.readers import riff

PCM = {"<i2": 15, "<i4": 31}


def wav(samples: npt.NDArray[np.float64], *, rate: int = 8000, bits: int = 16) -> bytes:
    """A PCM file by the standard library; ``samples`` ``(N,)`` or ``(N, C)`` from -1 to 1."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        whole = np.round(samples * (2 ** (bits - 1) - 1)).astype("<i4")
        if bits == 8:
            file.writeframes((whole + 128).astype(np.uint8).tobytes())
        else:
            file.writeframes(whole.reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes())
    return buffer.getvalue()


def _sound(count: int = 2000, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-1, 1, count)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_pcm_of_every_width(bits: int) -> None:
    samples = _sound().reshape(-1, 2)
    found = riff.parse(wav(samples, rate=44100, bits=bits), "x.wav")
    assert found.rate == 44100
    np.testing.assert_allclose(found.samples, samples, atol=1.5 / 2 ** (bits - 1))


@pytest.mark.parametrize("dtype", ["<i2", "<i4", "<f4", "<f8", "u1"])
def test_files_that_scipy_writes(dtype: str, tmp_path: Path) -> None:
    given = (_sound() * (1 if "f" in dtype else 100)).astype(dtype)
    wavfile.write(tmp_path / "x.wav", 16000, given)
    found = riff.parse((tmp_path / "x.wav").read_bytes(), "x.wav")
    exact = given.astype(np.float64)
    whole = (exact - 128) / 128 if dtype == "u1" else exact / 2.0 ** PCM.get(dtype, 0)
    np.testing.assert_array_equal(found.samples[:, 0], whole)


def test_the_extensible_form_and_chunks_of_other_kinds() -> None:
    plain = wav(_sound(10))
    body = plain[44:]
    guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x008\x9bq"
    form = struct.pack("<HHIIHH", 0xFFFE, 1, 8000, 16000, 2, 16) + struct.pack("<HHI", 22, 16, 4) + guid
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(body)) + body
    file = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
    np.testing.assert_array_equal(riff.parse(file, "x").samples, riff.parse(plain, "x").samples)


def _patched(at: int, form: str, *values: int) -> bytes:
    data = bytearray(wav(_sound(100)))
    struct.pack_into(form, data, at, *values)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not a WAV file: it is empty"),
        (b"ID3\x04 an MP3 file", "not a WAV file: it begins with b'ID3"),
        (b"RIFF", "not a WAV file"),
        (b"RIFF\0\0\0\0AVI LIST", "not a WAV file"),
        (wav(_sound(100))[:12], "there is no chunk 'data'"),
        (wav(_sound(100))[:40], "there is no chunk 'data'"),
        (wav(_sound(100))[:30], "cut short: the chunk 'fmt '"),
        (wav(_sound(100))[:-1], "cut short: the chunk 'data' should have 200 bytes, 199 are left"),
        (wav(_sound(0)), "there is no sample"),
        (_patched(16, "<I", 0xFFFFFFF0), "cut short"),
        (_patched(16, "<I", 4), "the format takes 16 bytes"),
        (_patched(40, "<I", 0xFFFFFFFF), "cut short: the chunk 'data' should have 4294967295 bytes"),
        (_patched(20, "<H", 85), r"packed \(MP3\)"),
        (_patched(20, "<H", 7), r"packed \(mu-law\)"),
        (_patched(20, "<H", 999), r"packed \(format 999\)"),
        (_patched(22, "<H", 0), "contradicts itself: 0 channels"),
        (_patched(22, "<H", 2), "contradicts itself: 2 channels of 16 bits in 2 bytes"),
        (_patched(22, "<H", 65535), "contradicts itself"),
        (_patched(24, "<I", 0), "0 Hz is not a rate"),
        (_patched(24, "<I", 0xFFFFFFFF), "4294967295 Hz is not a rate"),
        (_patched(32, "<HH", 2, 12), "samples of 12 bits are not read"),
        (_patched(40, "<I", 199), "the last sample is cut: 199 bytes"),
        (_patched(36, "<4s", b"dat2"), "there is no chunk 'data'"),  # type: ignore[arg-type]
        (_patched(12, "<4s", b"junk"), "the samples come before their format"),  # type: ignore[arg-type]
    ],
)
def test_a_file_that_lies_is_named(data: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(data)
    with pytest.raises(DataError, match=what) as caught:
        read(tmp_path / "bad.wav")
    assert caught.value.where == "bad.wav" and caught.value.mend


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "x.wav", 8000, np.array([0, np.nan, 1], np.float32))
    with pytest.raises(DataError, match="sample 2 is nan"):
        read(tmp_path / "x.wav")


def test_every_beginning_of_a_file_is_refused_or_read() -> None:
    whole = wav(_sound(50))
    for end in range(len(whole)):
        with pytest.raises(DataError):
            riff.parse(whole[:end], "x.wav")


Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four recordings, named by word, speaker and number."""
    for at, name in enumerate(["no_ann_0", "no_bob_0", "yes_ann_0", "yes_bob_12"]):
        (tmp_path / f"{name}.wav").write_bytes(wav(_sound(800 + 80 * at, at)))
    return tmp_path


def test_names_of_files_are_columns(folder: Path, check_reader: Check) -> None:
    table = check_reader(lambda: read(folder, names="{label}_{speaker}_{}"))
    assert table.case_columns["label"].tolist() == ["no", "no", "yes", "yes"]
    assert table.case_columns["speaker"].tolist() == ["ann", "bob", "ann", "bob"]
    assert (table.hints.target, table.hints.group) == (("label",), "speaker")
    assert np.diff(table.starts if table.starts is not None else []).tolist() == [10, 11, 12, 13]
    assert table.case_ids == ("no_ann_0", "no_bob_0", "yes_ann_0", "yes_bob_12")
    assert list(table.columns)[::31] == ["mel_0", "mel_31"]


def test_the_columns_are_the_bands(folder: Path) -> None:
    table = read(folder / "yes_bob_12.wav", bands=20, frame=0.02)
    front = LogMel(LogMelOptions(rate=8000, bands=20, frame=0.02))
    sound = riff.parse((folder / "yes_bob_12.wav").read_bytes(), "").samples[:, 0]
    np.testing.assert_array_equal(np.stack(list(table.columns.values()), 1), front.process(sound))
    assert table.options == {"rate": 8000}
    bare = read(folder / "yes_bob_12.wav", sound="samples")
    np.testing.assert_array_equal(bare.columns["value"], sound)


def test_a_folder_for_each_label(folder: Path, check_reader: Check) -> None:
    for file in sorted(folder.glob("*.wav")):
        word = file.name.partition("_")[0]
        (folder / word).mkdir(exist_ok=True)
        file.rename(folder / word / f"{file.stem}.WAV")
    table = check_reader(lambda: read(folder))
    assert table.case_columns["label"].tolist() == ["no", "no", "yes", "yes"]
    assert table.case_ids is not None and table.case_ids[0] == "no/no_ann_0"
    assert "label_folders" in [note.code for note in table.notes]


def test_a_list_of_recordings(folder: Path, check_reader: Check) -> None:
    text = "path,label,speaker,age\nyes_ann_0.wav,1,ann,30\nno_bob_0.wav,0,bob,40\n"
    (folder / "list.csv").write_text(text)
    table = check_reader(lambda: read(folder / "list.csv", format="wav"))
    assert table.case_columns["label"].tolist() == ["1", "0"]  # classes, though they look like numbers
    assert table.case_columns["age"].tolist() == [30, 40]
    assert table.hints.group == "speaker" and table.case_ids == ("yes_ann_0.wav", "no_bob_0.wav")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("file,label\nno_ann_0.wav,1\n", "needs a column 'path'"),
        ("path,label\nno_ann_0.wav,1\nno_ann_0.wav,1\n", "listed twice"),
        ("path,label\nno_ann_0.wav,1\nno_ann_7.wav,1\n", "there is no such file"),
        ("path,label\nno_ann_0.wav,1\n,2\n", "there is no path"),
    ],
)
def test_a_list_that_is_wrong(folder: Path, text: str, what: str) -> None:
    (folder / "list.csv").write_text(text)
    with pytest.raises(DataError, match=what):
        read(folder / "list.csv", format="wav")


def test_another_rate_is_refused(folder: Path) -> None:
    (folder / "yes_ann_9.wav").write_bytes(wav(_sound(), rate=16000))
    with pytest.raises(DataError, match=r"yes_ann_9.wav: it is sampled at 16000 Hz, the recordings before it at 8000"):
        read(folder)
    with pytest.raises(DataError, match="sampled at 8000 Hz, not at 16000 Hz"):
        read(folder / "no_ann_0.wav", rate=16000)


def test_what_is_left_out_or_mixed_is_told(folder: Path) -> None:
    (folder / "a.wav").write_bytes(wav(_sound(79)))
    stereo = _sound().reshape(-1, 2)
    (folder / "b.wav").write_bytes(wav(stereo))
    table = read(folder, names="{label}_{speaker}_{}")
    told = {note.code: note.en for note in table.notes}
    assert "1 recordings shorter" in told["short_recordings"] and "a.wav" in told["short_recordings"]
    assert "1 recordings have several channels" in told["channels_mixed"]
    assert "2 recordings do not follow" in told["strange_names"]
    assert table.case_columns["label"].tolist() == [None, "no", "no", "yes", "yes"]


def test_a_pattern_that_is_none(folder: Path) -> None:
    for names in ("no braces", "{}_{}", "{label}_{label}", "{label", "{1}"):
        with pytest.raises(ConfigError, match="option names"):
            read(folder, names=names)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no recordings \(.wav\)"):
        read(tmp_path)
    with pytest.raises(DataError, match="there is no WAV file"):
        read(tmp_path, format="wav")
    (tmp_path / "a.wav").write_bytes(wav(_sound(10)))
    with pytest.raises(DataError, match="as long as one frame step"):
        read(tmp_path)


def test_a_limit_bounds_memory(folder: Path) -> None:
    with pytest.raises(DataError, match="more than the limit"):
        read(folder, limit=20_000)


@pytest.mark.shared
def test_spoken_digits(shared_data: Path) -> None:
    path = shared_data / "fsdd" / "recordings" / "7_theo_0.wav"
    table = read(path, names="{label}_{speaker}_{}")
    rate, samples = wavfile.read(path)
    assert (rate, table.case_columns["label"][0], table.case_columns["speaker"][0]) == (8000, "7", "theo")
    assert table.rows == len(samples) // 80
