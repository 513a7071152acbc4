"""The bundle file: what goes in comes out, whole or not at all."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from unrolled.core.bundle import FORMAT, Bundle, Manifest
from unrolled.core.errors import BundleError, UnrolledError


def example(**changes: object) -> Bundle:
    manifest = Manifest(
        task="forecast",
        settings={"window": 7, "名": ["表", 1.5, None, True]},
        preprocessing={"scale": 0.1},
        net=[{"gru": {"size": 4}}],
        inputs={"numbers": 1},
        outputs={"steps": 2},
        plan={"ops": []},
        metrics={"rmse": 1e-30},
        versions={"unrolled": "0.1.0"},
        created="2026-11-21T00:00:00+00:00",
    )
    random = np.random.default_rng(0)
    weights: dict[str, npt.NDArray[Any]] = {
        "b": random.normal(size=(3, 4)).astype(np.float32),
        "a.double": random.normal(size=5),
        "half": random.normal(size=(2,)).astype(np.float16),
        "count": np.array(7),
        "empty": np.zeros((0, 3), np.float32),
    }
    return Bundle(manifest.model_copy(update=changes), weights, {"model.onnx": b"\x00\x01onnx"})


def test_round_trip(tmp_path: Path) -> None:
    bundle, path = example(), tmp_path / "deep" / "model.unrolled"
    bundle.write(path)
    again = Bundle.read(path)
    assert again.manifest.model_copy(update={"weights_sha256": ""}) == bundle.manifest
    assert again.exports == bundle.exports
    assert again.weights.keys() == bundle.weights.keys()
    for name, tensor in bundle.weights.items():
        assert again.weights[name].dtype == tensor.dtype
        np.testing.assert_array_equal(again.weights[name], tensor)


def test_views_are_stored_as_they_look(tmp_path: Path) -> None:
    tensor = np.arange(12, dtype=np.float32).reshape(3, 4)
    bundle = Bundle(example().manifest, {"t": tensor.T, "s": tensor[:, ::2]})
    bundle.write(tmp_path / "b")
    again = Bundle.read(tmp_path / "b").weights
    np.testing.assert_array_equal(again["t"], tensor.T)
    np.testing.assert_array_equal(again["s"], tensor[:, ::2])


def test_same_content_same_bytes(tmp_path: Path) -> None:
    example().write(tmp_path / "one")
    Bundle(example().manifest, dict(reversed(example().weights.items())), example().exports).write(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_any_zip_and_json_tool_can_look_inside(tmp_path: Path) -> None:
    example().write(tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "b") as archive:
        assert archive.testzip() is None
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        assert archive.namelist() == ["manifest.json", "weights.safetensors", "exports/model.onnx"]
        assert json.loads(archive.read("manifest.json"))["format"] == FORMAT == 1


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"before")
    with pytest.raises(BundleError, match="not JSON compliant"):
        example(metrics={"rmse": float("nan")}).write(tmp_path / "old")
    with pytest.raises(BundleError, match="cannot be stored"):
        example(settings={"own": object()}).write(tmp_path / "old")
    with pytest.raises(BundleError, match="cannot be called"):
        Bundle(example().manifest, {}, {"../evil": b""}).write(tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"before"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnrolledError, match="a folder, not a file"):
        example().write(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    bundle, path = example(), tmp_path / "model.unrolled"
    bundle.write(path)
    assert bundle.to_bytes() == path.read_bytes()
    assert Bundle.from_bytes(bundle.to_bytes()).to_bytes() == bundle.to_bytes()
    with pytest.raises(BundleError, match="not a bundle, or it is damaged"):
        Bundle.from_bytes(bundle.to_bytes()[:-30])
