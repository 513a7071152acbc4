"""Beats cut from WFDB records and prepared archives: classes, windows, timing, damaged files."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.read import read
from unrolled.prepare.readers import atr
from unrolled.prepare.readers.beats import CLASSES, Record, cut
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.table import Table

if TYPE_CHECKING:
    from tests.prepare.readers.conftest import Check

DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split()
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split()
RATE = 100.0


def record(peaks: list[int], symbols: str, length: int = 2000) -> Record:
    return Record("r", np.arange(length) / 10, RATE, np.array(peaks), list(symbols))


def waves(table: Table) -> np.typing.NDArray[np.float64]:
    assert table.starts is not None
    return table.columns["ecg"].reshape(len(table.starts) - 1, -1)


def counts(table: Table) -> dict[str, int]:
    names, numbers = np.unique(table.case_columns["label"].astype(str), return_counts=True)
    return dict(zip(names.tolist(), numbers.tolist(), strict=True))


def test_windows_and_classes(check_reader: Check) -> None:
    found = check_reader(
        lambda: cut(
            record([100, 180, 240, 400], "N+Va"), ReadOptions(before=0.1, after=0.2, even=False, relative=False)
        )
    )
    np.testing.assert_allclose(waves(found), np.array([100, 240, 400])[:, None] / 10 + np.arange(-10, 21) / 10)
    assert found.case_columns["label"].tolist() == ["N", "V", "S"]
    assert found.case_columns["record"].tolist() == ["r"] * 3
    assert found.case_ids == ("r:100", "r:240", "r:400")
    assert (found.hints.target, found.hints.group, found.hints.task) == (("label",), "record", "classify")


def test_every_symbol_has_one_class() -> None:
    symbols = "".join(CLASSES.values())
    assert len(set(symbols)) == len(symbols)
    assert not set(symbols) & set('+~|![]x"=p^t()u@sTD*')


def test_the_ends_of_a_record_are_continued() -> None:
    found = cut(record([3, 1999], "NN"), ReadOptions(before=0.1, after=0.1, even=False, relative=False))
    np.testing.assert_allclose(waves(found)[0, :8], 0)
    np.testing.assert_allclose(waves(found)[1, -10:], 199.9)
    assert [note.code for note in found.notes] == ["padded_beats"]


def test_recordings_are_made_even() -> None:
    signal = np.random.default_rng(0).normal(3, 5, 2000)
    signal[7] = np.nan
    known = np.delete(signal, 7)
    peaks = np.array([500, 900])
    for one, other in [(signal, (signal - np.median(known)) / known.std()), (np.full(2000, 3.0), np.zeros(2000))]:
        even = waves(cut(Record("r", one, RATE, peaks, "NN"), ReadOptions(relative=False)))
        odd = waves(cut(Record("r", other, RATE, peaks, "NN"), ReadOptions(even=False, relative=False)))
        np.testing.assert_allclose(even, odd, atol=1e-12)
    assert np.isnan(waves(cut(Record("r", np.full(2000, np.nan), RATE, peaks, "NN"), ReadOptions()))).all()


def test_beats_are_relative_to_the_median_beat_of_their_record() -> None:
    signal = np.random.default_rng(0).normal(3, 5, 2000)
    signal[505] = np.nan
    peaks = np.array([500, 700, 900, 1100])
    plain = waves(cut(Record("r", signal, RATE, peaks, "NNVN"), ReadOptions(relative=False)))
    found = waves(cut(Record("r", signal, RATE, peaks, "NNVN"), ReadOptions()))
    np.testing.assert_allclose(found, plain - np.nanmedian(plain, axis=0))
    assert np.isnan(found).sum() == 1
    shifted = waves(cut(Record("r", 7 - 2 * signal, RATE, peaks, "NNVN"), ReadOptions(even=False)))
    np.testing.assert_allclose(
        shifted, -2 * waves(cut(Record("r", signal, RATE, peaks, "NNVN"), ReadOptions(even=False)))
    )


def test_resampling_keeps_both_ends() -> None:
    full = waves(cut(record([500], "N"), ReadOptions(relative=False)))
    half = waves(cut(record([500], "N"), ReadOptions(points=11, relative=False)))
    assert full.shape == (1, 25 + 45 + 1) and half.shape == (1, 11)
    np.testing.assert_allclose(half[0], np.linspace(full[0, 0], full[0, -1], 11))
    assert waves(
        cut(record([500], "N"), ReadOptions(before=0, after=0, points=4, even=False, relative=False))
    ).tolist() == [[50.0] * 4]


def test_timing_is_what_the_words_say() -> None:
    peaks = np.cumsum([100, 80, 120, 60, 90, 110, 100, 70, 130, 95, 105, 85, 115, 100])
    timing = cut(record(peaks.tolist(), "N" * 14), ReadOptions()).case_columns
    gaps = np.diff(peaks) / RATE
    pace = np.log(gaps / gaps.mean())
    np.testing.assert_allclose(timing["rr_before_1"], [pace[0], *pace])
    np.testing.assert_allclose(timing["rr_before_3"], [*pace[[0, 0, 0]], *pace[:-2]])
    np.testing.assert_allclose(timing["rr_after_1"], [*pace, pace[-1]])
    np.testing.assert_allclose(timing["rr_after_2"], [*pace[1:], *pace[[-1, -1]]])
    before = np.array([gaps[0], *gaps])
    local = [before[max(at - 10, 0) : at].mean() if at else before[0] for at in range(14)]
    np.testing.assert_allclose(timing["rr_local"], np.log(local / gaps.mean()))
    np.testing.assert_allclose(timing["interval"], np.log(before))
    change = np.abs([0, 0, *np.diff(pace)])
    np.testing.assert_allclose(timing["irregular"], np.full(14, np.log(np.median(change) + 0.01)))


def test_timing_is_relative_to_the_record() -> None:
    """The same rhythm at half the pace has the same timing."""
    peaks = np.cumsum([10, 80, 120, 60, 90, 110, 100])
    fast, slow = (cut(record((peaks * by).tolist(), "N" * 7), ReadOptions()).case_columns for by in (1, 2))
    for name in [name for name in fast if name.startswith(("rr", "irregular"))]:
        np.testing.assert_allclose(fast[name], slow[name], atol=1e-12)
    np.testing.assert_allclose(fast["interval"] + np.log(2), slow["interval"])


def test_an_even_rhythm_has_no_timing_to_tell() -> None:
    timing = cut(record(list(range(100, 1900, 100)), "N" * 18), ReadOptions()).case_columns
    for name in timing:
        if name.startswith("rr"):
            np.testing.assert_allclose(timing[name], 0, atol=1e-12)
        if name.startswith("irregular"):
            np.testing.assert_allclose(timing[name], np.log(0.01))


def test_beats_at_one_place_have_finite_timing() -> None:
    timing = cut(record([100, 100, 300, 400], "NNNN"), ReadOptions()).case_columns
    assert all(np.isfinite(timing[name]).all() for name in timing if name.startswith(("rr", "interval", "irregular")))


def test_a_single_beat_has_no_intervals() -> None:
    timing = cut(record([500], "N"), ReadOptions()).case_columns
    assert all(np.isnan(timing[name]).all() for name in timing if name.startswith(("rr", "interval", "irregular")))


@pytest.mark.parametrize(
    ("peaks", "symbols", "message"),
    [
        ([10, 20], "+~", "no annotated beat"),
        ([], "", "no annotated beat"),
        ([10, 2000], "NN", "outside the 2000 samples"),
        ([-1, 20], "NN", "out of order or outside"),
        ([20, 10], "NN", "out of order"),
    ],
)
def test_annotations_that_do_not_fit(peaks: list[int], symbols: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cut(record(peaks, symbols), ReadOptions())


def test_class_counts_of_the_standard_split(shared_data: Path) -> None:
    """The table of shared_data/mitbih/README.md."""
    folder = shared_data / "mitbih" / "records"
    train = read([folder / f"{name}.npz" for name in DS1], points=8)
    assert counts(train) == {"N": 45866, "S": 944, "V": 3788, "F": 415, "Q": 8}
    test = read([folder / f"{name}.npz" for name in DS2], points=8)
    assert counts(test) == {"N": 44259, "S": 1837, "V": 3221, "F": 388, "Q": 7}
    assert list(dict.fromkeys(test.case_columns["record"])) == DS2 and test.case_ids is not None
    assert len(set(test.case_ids)) == 49712 and test.columns["ecg"].shape == (49712 * 8,)


def test_class_counts_of_every_record(shared_data: Path) -> None:
    folder = shared_data / "mitbih"
    found = read(folder / "records", points=2)
    names = found.case_columns["record"]
    with (folder / "records.csv").open(newline="") as handle:
        for row in csv.DictReader(handle):
            own, numbers = np.unique(
                found.case_columns["label"][names == row["record"]].astype(str), return_counts=True
            )
            expected = {name: int(row[name]) for name in "NSVFQ" if int(row[name])}
            assert dict(zip(own.tolist(), numbers.tolist(), strict=True)) == expected


@pytest.mark.parametrize("name", ["100", "208"])
def test_original_files_equal_the_prepared_ones(shared_data: Path, check_reader: Check, name: str) -> None:
    folder = shared_data / "mitbih"
    original = check_reader(lambda: read(folder / "wfdb_original" / name))
    prepared = read(folder / "records" / f"{name}.npz")
    assert original.case_ids == prepared.case_ids and original.hints == prepared.hints
    np.testing.assert_array_equal(original.columns["ecg"], prepared.columns["ecg"])
    for column, values in original.case_columns.items():
        np.testing.assert_array_equal(values, prepared.case_columns[column])


def test_annotations_equal_those_that_wfdb_reads(shared_data: Path) -> None:
    import wfdb

    for path in sorted((shared_data / "mitbih" / "wfdb_original").glob("*.atr")):
        samples, symbols, rate = atr.read(path, 1 << 20)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = wfdb.rdann(str(path.with_suffix("")), "atr")
        np.testing.assert_array_equal(samples, expected.sample)
        assert symbols == expected.symbol and rate is None


def test_every_symbol_and_long_intervals_are_read(tmp_path: Path) -> None:
    symbols = list('NLRaVFJASEj/Q~|sT*D"=pB^t+u?![]en@xf()r')
    samples = np.cumsum(np.arange(len(symbols)) ** 4 + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb

        wfdb.wrann("r", "atr", samples, symbols, fs=250.5, aux_note=["odd"] * len(symbols), write_dir=str(tmp_path))
    found = atr.read(tmp_path / "r.atr", 1 << 20)
    # Two annotations before the first beat carry the rate; neither is a beat.
    assert found[1] == ['"', "", *symbols] and found[2] == 250.5
    np.testing.assert_array_equal(found[0][2:], samples)


def test_the_signal_alone(shared_data: Path, check_reader: Check) -> None:
    path = shared_data / "mitbih" / "wfdb_original" / "100.hea"
    found = check_reader(lambda: read(path, beats=False))
    assert found.columns.keys() == {"time", "MLII", "V5"} and found.rows == 650_000
    assert found.hints.time == "time" and found.columns["time"][360] == 1.0
    units = np.load(shared_data / "mitbih" / "records" / "100.npz")["signal"]
    np.testing.assert_array_equal(found.columns["MLII"], (units.astype(float) - 1024) / 200)
    prepared = read(shared_data / "mitbih" / "records" / "100.npz", beats=False)
    np.testing.assert_array_equal(prepared.columns["ecg"], found.columns["MLII"])
    assert read(path, beats=False, lead="V5").columns.keys() == {"time", "V5"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A record of two leads, ten seconds, with four beats, written by wfdb itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb

        signal = np.random.default_rng(0).integers(-500, 500, (1000, 2))
        wfdb.wrsamp(
            "r1", RATE, ["mV", "mV"], ["II", "V1"], d_signal=signal, fmt=["16", "16"], adc_gain=[200.0, 100.0],
            baseline=[0, 10], write_dir=str(tmp_path),
        )  # fmt: skip
        wfdb.wrann("r1", "atr", np.array([100, 250, 400, 600]), ["N", "V", "A", "N"], fs=RATE, write_dir=str(tmp_path))
    return tmp_path / "r1"


def test_leads_by_name_and_number(small: Path, check_reader: Check) -> None:
    found = check_reader(lambda: read(small))
    assert counts(found) == {"N": 2, "V": 1, "S": 1}
    assert found.notes[0].en == "Read lead II of II, V1."
    for lead in (1, "1", "V1"):
        np.testing.assert_array_equal(
            read(small, lead=lead, even=False, relative=False).columns["ecg"], _cut_by_hand(small)
        )
    for lead in ("MLII", 2, "2", -1):
        with pytest.raises(DataError, match=r"there is no lead .*\n  The leads are II, V1"):
            read(small, lead=lead)


def _cut_by_hand(path: Path) -> np.typing.NDArray[np.float64]:
    raw = np.frombuffer(path.with_suffix(".dat").read_bytes(), "<i2").reshape(-1, 2)
    signal = (raw[:, 1].astype(float) - 10) / 100
    return np.concatenate([signal[peak - 25 : peak + 46] for peak in (100, 250, 400, 600)])


def test_any_file_of_a_record_names_it(small: Path) -> None:
    for suffix in ("", ".hea", ".dat", ".atr"):
        assert read(small.with_name("r1" + suffix)).source == "r1"
    assert counts(read(small.parent)) == {"N": 2, "V": 1, "S": 1}


def _broken(small: Path, change: Any, message: str) -> None:
    change()
    with pytest.raises(DataError, match=message):
        read(small)


def test_damaged_records(small: Path) -> None:
    dat, hea, mark_file = (small.with_name("r1" + suffix) for suffix in (".dat", ".hea", ".atr"))
    signal, header, marks = dat.read_bytes(), hea.read_text(), mark_file.read_bytes()
    _broken(small, lambda: dat.write_bytes(signal[:-2]), r"r1\.dat: the signal file is cut short: 3998 of 4000 bytes")
    _broken(small, lambda: dat.write_bytes(b"\1" + signal[1:]), "lead 'II' is damaged: its checksum")
    _broken(small, dat.unlink, "no such file")
    dat.write_bytes(signal)
    _broken(small, lambda: mark_file.write_bytes(marks[:-2]), r"r1\.atr: the annotations end too early")
    _broken(small, lambda: mark_file.write_bytes(b""), "the annotations end too early")
    _broken(small, lambda: mark_file.write_bytes(bytes(2)), "no annotated beat")
    _broken(
        small,
        lambda: mark_file.write_bytes(marks.replace(b": 100", b": 250")),
        "count 250 samples a second, the signal 100",
    )
    mark_file.write_bytes(marks)
    _broken(small, lambda: hea.write_text("nonsense\n"), "the record cannot be read")
    _broken(small, lambda: hea.write_text(header.replace(" 1000", " 9000000000")), "more than the limit")
    _broken(
        small, lambda: hea.write_text(header.replace("r1.dat", "../r1.dat")), r"the record cannot be read|no such file"
    )
    _broken(small, lambda: hea.write_text("r1/2 1 100 1000\ns1 500\ns2 500\n"), "several segments")
    with pytest.raises(DataError, match="no annotations"):
        hea.write_text(header)
        mark_file.unlink()
        read(small, beats=True)
    assert read(small).columns.keys() == {"time", "II", "V1"}


def test_a_lead_of_several_samples_a_frame_is_averaged(small: Path) -> None:
    header = small.with_suffix(".hea")
    header.write_text("r1 1 50 500\nr1.dat 16x4 200 16 0 0 12345 0 II\n")
    raw = np.frombuffer(small.with_suffix(".dat").read_bytes(), "<i2").reshape(-1, 4)
    np.testing.assert_allclose(read(small, beats=False).columns["II"], raw.mean(axis=1) / 200, atol=1 / 200)


def test_records_without_their_extra(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unrolled.core.errors import MissingExtraError

    monkeypatch.setitem(__import__("sys").modules, "wfdb", None)
    with pytest.raises(MissingExtraError, match=r'reading WFDB records needs wfdb.*\n  .*"unrolled\[ecg\]"'):
        read(small)
