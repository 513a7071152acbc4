"""Files that are no good bundles end in one clear sentence, and nothing in them is executed."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.hostile.fuzz_bundle import FIXTURE, fuzz, pack, repack, unpack

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.runtime import Predictor

GOOD = FIXTURE.read_bytes()
ENTRIES = unpack(GOOD)
MANIFEST = json.loads(ENTRIES["manifest.json"])
TENSORS = ENTRIES["weights.safetensors"]


def refused(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    with pytest.raises(BundleError) as caught:
        Predictor(Bundle.read(path))
    assert caught.value.what
    return str(caught.value)


def bomb() -> bytes:
    """A hundred megabytes of zeros in a few kilobytes."""
    entries = {"manifest.json": ENTRIES["manifest.json"], "weights.safetensors": b"\0" * (100 << 20)}
    return pack(entries, zipfile.ZIP_DEFLATED)


def twice() -> bytes:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("manifest.json", "weights.safetensors", "manifest.json"):
            archive.writestr(name, ENTRIES[name])
    return handle.getvalue()


def header(text: str, size: int | None = None) -> bytes:
    """A bundle whose weights have this header and 16 bytes of data."""
    raw = text.encode()
    return repack(MANIFEST, (len(raw) if size is None else size).to_bytes(8, "little") + raw + bytes(16))


def tensor(**fields: Any) -> bytes:
    return header(json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], **fields}}))


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a bundle"),
    "text": (lambda: b"day,price\n1,2\n" * 100, "not a bundle"),
    "truncated": (lambda: GOOD[: len(GOOD) // 2], "damaged"),
    "one byte of the weights": (lambda: GOOD.replace(TENSORS[-8:], b"\xff" * 8), "damaged"),
    "pickle": (lambda: b"\x80\x04cos\nsystem\n(S'touch owned'\ntR.", "not a bundle"),
    "no manifest": (lambda: pack({"weights.safetensors": TENSORS}), "manifest.json is missing"),
    "no weights": (lambda: pack({"manifest.json": ENTRIES["manifest.json"]}), "weights.safetensors is missing"),
    "zip bomb": (bomb, "compressed or too large"),
    "path traversal": (lambda: pack({**ENTRIES, "../../evil.py": b"x"}), "'../../evil.py'"),
    "absolute path": (lambda: pack({**ENTRIES, "/etc/passwd": b"x"}), "'/etc/passwd'"),
    "traversal in exports": (lambda: pack({**ENTRIES, "exports/../../evil": b"x"}), "entry"),
    "code": (lambda: pack({**ENTRIES, "hook.py": b"raise SystemExit"}), "'hook.py'"),
    "entry twice": (twice, "twice"),
    "many entries": (lambda: pack({**ENTRIES, **{f"exports/{k}": b"" for k in range(100)}}), "too many entries"),
    "manifest is a list": (lambda: repack([], TENSORS), "wrong"),
    "manifest is not JSON": (lambda: pack({**ENTRIES, "manifest.json": b"{'a': 1}"}), "not readable JSON"),
    "manifest with NaN": (lambda: pack({**ENTRIES, "manifest.json": b'{"format": NaN}'}), "not readable JSON"),
    "manifest too deep": (lambda: pack({**ENTRIES, "manifest.json": b"[" * 10**6}), "not readable JSON"),
    "newer format": (lambda: repack({**MANIFEST, "format": 99, "more": 1}, TENSORS), "newer version"),
    "format is text": (lambda: repack({**MANIFEST, "format": "1"}, TENSORS), "'format'"),
    "unknown key": (lambda: repack({**MANIFEST, "hook": "os.system"}, TENSORS), "'hook'"),
    "task is a number": (lambda: repack({**MANIFEST, "task": 5}, TENSORS), "'task'"),
    "other weights": (lambda: pack({**ENTRIES, "weights.safetensors": TENSORS[:-4] + b"\0" * 4}), "not those"),
    "unknown operation": (
        lambda: repack({**MANIFEST, "plan": {**MANIFEST["plan"], "ops": [{"op": "exec", "inputs": [], "outputs": []}]}},
                       TENSORS), "does not know it",
    ),
    "header beyond the file": (lambda: header("{}", 2**62), "not a readable safetensors"),
    "header is not JSON": (lambda: header("import os"), "not a readable safetensors"),
    "tensor beyond the file": (lambda: tensor(shape=[2**40], data_offsets=[0, 2**42]), "not a readable safetensors"),
    "negative shape": (lambda: tensor(shape=[-4]), "not a readable safetensors"),
    "overlapping offsets": (lambda: tensor(data_offsets=[8, 4]), "not a readable safetensors"),
    "unknown type": (lambda: tensor(dtype="PYOBJ"), "not a readable safetensors"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_hostile_files(name: str, tmp_path: Path) -> None:
    make, says = FILES[name]
    message = refused(make(), tmp_path / "bundle")
    assert says in message and len(message) < 600


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such file"):
        Bundle.read(tmp_path / "absent")
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(GOOD)
    (tmp_path / "b").chmod(0)
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.read(tmp_path / "b")


def test_a_custom_path_in_a_bundle_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trap_of_bundle.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    manifest = {**MANIFEST, "plan": None, "net": None, "custom": "trap_of_bundle:Net"}
    assert "trap_of_bundle:Net" in refused(repack(manifest, TENSORS), tmp_path / "b")
    assert "trap_of_bundle" not in sys.modules


def test_fuzz() -> None:
    accepted, refused_count = fuzz(seed=0, count=400)
    assert accepted + refused_count == 400 and refused_count > 300 and accepted > 0


@pytest.mark.exhaustive
def test_fuzz_at_length() -> None:
    assert sum(fuzz(seed=1, count=100_000)) == 100_000
