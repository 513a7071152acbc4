"""Archives of arrays, and arrays in memory."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unrolled.core.errors import DataError
from unrolled.prepare.read import read
from unrolled.prepare.schema import infer

if TYPE_CHECKING:
    from tests.prepare.readers.conftest import Check

X = np.arange(24.0).reshape(2, 4, 3)


def saved(folder: Path, **content: Any) -> Path:
    path = folder / "data.npz"
    np.savez_compressed(path, **content)
    return path


def test_sequences_in_every_shape(tmp_path: Path, check_reader: Check) -> None:
    found = check_reader(lambda: read(saved(tmp_path, X=X, y=["a", "b"], groups=[7, 8])))
    assert found.starts is not None and found.starts.tolist() == [0, 4, 8]
    np.testing.assert_array_equal(found.columns["dim_1"], X[:, :, 1].ravel())
    assert found.case_columns["y"].tolist() == ["a", "b"] and found.case_columns["group"].tolist() == [7, 8]
    assert (found.hints.target, found.hints.group) == (("y",), "group")
    flat = check_reader(lambda: read(saved(tmp_path, X=X[:, :, 0].astype(np.int16))))
    assert flat.columns["value"].tolist() == X[:, :, 0].ravel().tolist()
    ragged = check_reader(lambda: read(saved(tmp_path, values=np.arange(5), starts=[0, 2, 5], y=[1.5, 2])))
    assert ragged.starts is not None and ragged.starts.tolist() == [0, 2, 5]
    assert ragged.columns["value"].tolist() == [0, 1, 2, 3, 4] and ragged.case_columns["y"].tolist() == [1.5, 2]
    order = read(saved(tmp_path, X=np.asfortranarray(X).astype(">f4")))
    np.testing.assert_array_equal(order.columns["dim_2"], X[:, :, 2].ravel())


def test_columns(tmp_path: Path, check_reader: Check) -> None:
    when = np.array(["2024-01-01", "NaT"], dtype="datetime64[D]")
    found = check_reader(lambda: read(saved(tmp_path, a=[1, 2], b=["x", "y"], t=when, on=[True, False])))
    assert found.columns["a"].tolist() == [1, 2] and found.columns["b"].tolist() == ["x", "y"]
    assert found.columns["t"].dtype == "datetime64[ns]" and found.columns["on"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"X": X, "y": [1]}, r"y has the shape \(1,\), but there are 2 sequences"),
        ({"X": np.zeros((2, 0))}, "there is no value"),
        ({"X": np.zeros((2, 3, 0))}, r"shape \(steps, channels\)"),
        ({"X": np.zeros((1, 2, 3, 4, 5, 6))}, r"shape \(steps, channels\)"),
        ({"X": np.float64(3)}, "not an array of real numbers"),
        ({"X": np.zeros((2, 2), complex)}, "not an array of real numbers but of complex128"),
        ({"values": np.zeros(5), "starts": [0, 2, 4]}, "starts must rise"),
        ({"values": np.zeros(5), "starts": [0, 3, 3, 5]}, "starts must rise"),
        ({"values": np.zeros(5), "starts": np.array([0, 3, 2, 5], np.uint64)}, "starts must rise"),
        ({"values": np.zeros(5), "starts": [0.0, 5.0]}, "starts must rise"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "no columns of one table"),
        ({"a": [[1, 2]]}, "no columns of one table"),
        ({"a": []}, "no columns of one table"),
        ({}, "no columns of one table"),
        ({"a": np.array([b"x"])}, r"'a' is of type \|S1"),
        ({"a": np.array([(1, 2.0)], dtype="i4,f8")}, "'a' is of type"),
        ({"a": np.array([{}], dtype=object)}, "holds Python objects, which are never loaded"),
        ({"signal": np.zeros(9), "ann_sample": [1, 2], "ann_symbol": ["N"]}, "do not fit each other"),
    ],
)
def test_archives_that_make_no_sense(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(saved(tmp_path, **content))


def archive(folder: Path, data: bytes) -> Path:
    path = folder / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as handle:
        handle.writestr("X.npy", data)
    return path


def npy(shape: str, dtype: str = "'<f8'", rest: bytes = b"") -> bytes:
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + rest


def test_sizes_that_lie(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="says 8000000000000000 bytes and holds 8"):
        read(archive(tmp_path, npy("(1000000000000000,)", rest=bytes(8))))
    with pytest.raises(DataError, match="the archive cannot be read"):
        read(archive(tmp_path, npy("(-1,)", rest=bytes(8))))
    with pytest.raises(DataError, match="more than the limit"):
        read(archive(tmp_path, npy("(1000,)", rest=bytes(8000))), limit=1000)
    with pytest.raises(DataError, match="version"):
        read(archive(tmp_path, b"\x93NUMPY\x09\x00" + npy("(1,)")[8:]))
    with pytest.raises(DataError, match="the archive cannot be read"):
        read(archive(tmp_path, b"not an array"))


def test_a_damaged_archive(tmp_path: Path) -> None:
    path = saved(tmp_path, X=X)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(DataError, match="the archive cannot be read"):
        read(path)


@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=3, max_side=4)))
@settings(deadline=None)
def test_arrays_come_back(x: np.typing.NDArray[np.float64]) -> None:
    found = read(x)
    assert found.starts is not None and found.starts.tolist() == [row * x.shape[1] for row in range(len(x) + 1)]
    stacked = np.stack(list(found.columns.values()), axis=1).reshape(x.shape)
    np.testing.assert_array_equal(stacked, x)


@given(st.lists(st.lists(st.floats(), min_size=1, max_size=5), min_size=1, max_size=5))
@settings(deadline=None)
def test_lists_of_arrays_come_back(cases: list[list[float]]) -> None:
    found = read([np.array(case) for case in cases])
    assert found.starts is not None and np.diff(found.starts).tolist() == [len(case) for case in cases]
    np.testing.assert_array_equal(found.columns["value"], np.concatenate(cases))


def test_truth_beside_arrays(check_reader: Check) -> None:
    both = check_reader(lambda: read((X, np.array([[1.0, 2], [3, 4]]))))
    assert both.hints.target == ("y_0", "y_1") and both.case_columns["y_1"].tolist() == [2, 4]
    three = check_reader(lambda: read((list(X), ["a", None], ["p", "q"])))
    assert three.case_columns["y"].tolist() == ["a", None] and three.hints.group == "group"
    one = read(np.arange(5))
    assert one.starts is not None and one.starts.tolist() == [0, 5] and not one.hints.target
    assert read([[1, 2], [3]]).columns["value"].tolist() == [1, 2, 3]
    assert read(np.array([[1, 2], [3, 4]], dtype=object)).columns["value"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([np.zeros((3, 2)), np.zeros((3, 1))], r"sequence 1: .*this one has \(3, 1\)"),
        ([np.zeros(3), "abc"], "sequence 1: this is not an array of real numbers"),
        ([], "there is no value"),
        ((X, [1, 2], [1, 2], 3), r"a tuple of 4 is not \(X, y\)"),
        ((X, [1, 2, 3]), "y has the shape"),
        (None, "a value is not a number|not an array"),
        ({"a": 1}, "not an array|a value is not a number"),
        (np.array(["a", "b"]), "not an array of real numbers"),
    ],
)
def test_sources_that_make_no_sense(source: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(source)


def test_nothing_in_an_archive_is_executed(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "executed",))

    buffer = io.BytesIO()
    np.savez(buffer, X=np.array([Bomb()], dtype=object))
    (tmp_path / "data.npz").write_bytes(buffer.getvalue())
    with pytest.raises(DataError):
        read(tmp_path / "data.npz")
    assert not (tmp_path / "executed").exists()


def test_clips_of_pictures(tmp_path: Path) -> None:
    clips = np.arange(2 * 3 * 4 * 5 * 2.0).reshape(2, 3, 4, 5, 2)
    clips[..., 0, 0, 0] = 7  # a place that never changes is still a place
    clips[..., 0, 0, 1] = np.array([[1], [2]])  # and so is one that stands still inside each clip
    found = read(saved(tmp_path, X=clips, y=["a", "b"]))
    assert found.starts is not None and found.starts.tolist() == [0, 3, 6]
    np.testing.assert_array_equal(np.stack(list(found.columns.values()), 1), clips.reshape(6, 40))
    assert found.hints.frame == (4, 5, 2)
    assert "4 x 5 x 2" in found.notes[0].en and "height: 4, width: 5" in found.notes[0].zh
    ragged = read(saved(tmp_path, values=clips.reshape(6, 4, 5, 2), starts=[0, 2, 6]))
    np.testing.assert_array_equal(np.stack(list(ragged.columns.values()), 1), clips.reshape(6, 40))
    schema, _ = infer(found, task="classify")
    assert len(schema.of_role("feature")) == 40
