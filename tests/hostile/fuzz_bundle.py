"""Bundles that somebody has tampered with: each is refused in one sentence, or harmless."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, UnrolledError
from unrolled.prepare.table import Table
from unrolled.runtime import Predictor

FIXTURE = Path(__file__).parents[1] / "fixtures" / "bundle_v1.unrolled"

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**63, 2**70, 1e308, 0.5, "", "x", "\x00", "..", [], [[]], {}, {"a": None}, [0] * 50,
    "gru", "linear", "last", "x" * 5000, [2**40, 2**40], -(2**63),
)  # fmt: skip


def pack(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these entries."""
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return handle.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The entries of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repack(manifest: Any, tensors: bytes) -> bytes:
    """A bundle whose checksum is right, so that what is wrong inside gets past it."""
    if isinstance(manifest, dict):
        manifest = {**manifest, "weights_sha256": hashlib.sha256(tensors).hexdigest()}
    return pack({"manifest.json": json.dumps(manifest).encode(), "weights.safetensors": tensors})


def _bytes_anywhere(data: bytes, chance: random.Random) -> bytes:
    """Some bytes flipped, a piece cut out or repeated, or the end missing."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    start = chance.randrange(len(changed))
    how = chance.randrange(4)
    if how == 1:
        del changed[start : start + chance.randint(1, 200)]
    elif how == 2:
        changed[start:start] = changed[start : start + chance.randint(1, 200)]
    elif how == 3:
        del changed[start:]
    return bytes(changed)


def _tensor_header(data: bytes, chance: random.Random) -> bytes:
    """The header of the weights says something else."""
    entries = unpack(data)
    tensors = entries["weights.safetensors"]
    size = int.from_bytes(tensors[:8], "little")
    header = json.loads(tensors[8 : 8 + size])
    _change(header, chance)
    text = json.dumps(header).encode()
    length = len(text) if chance.random() < 0.8 else chance.choice([0, 1, 2**31, 2**63, len(tensors)])
    return repack(json.loads(entries["manifest.json"]), length.to_bytes(8, "little") + text + tensors[8 + size :])


def _manifest(data: bytes, chance: random.Random) -> bytes:
    """One to three values or keys of the manifest are others."""
    entries = unpack(data)
    manifest = json.loads(entries["manifest.json"])
    for _ in range(chance.randint(1, 3)):
        _change(manifest, chance)
    return repack(manifest, entries["weights.safetensors"])


def _plan(data: bytes, chance: random.Random) -> bytes:
    """The plan alone: wrong wiring, wrong options."""
    entries = unpack(data)
    manifest = json.loads(entries["manifest.json"])
    if chance.random() < 0.3:
        chance.shuffle(manifest["plan"]["ops"])
    for _ in range(chance.randint(1, 2)):
        _change(manifest["plan"], chance)
    return repack(manifest, entries["weights.safetensors"])


def _text(data: bytes, chance: random.Random) -> bytes:
    """JSON that no parser should like."""
    entries = unpack(data)
    manifest = entries["manifest.json"]
    bad = [b"[" * 200_000, b"{" * 200_000, b"", b"\xff\xfe", b"NaN", b'{"format": 1e999}', manifest[:-20], manifest * 2]
    return pack({**entries, "manifest.json": chance.choice([*bad, _bytes_anywhere(manifest, chance)])})


def _change(root: Any, chance: random.Random) -> None:
    """Replace, rename, remove or copy something, somewhere below ``root``."""
    place = root
    while isinstance(place, dict | list) and place:
        key = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.9:
            place = inner
            continue
        how = chance.randrange(5)
        if how == 0:
            del place[key]
        elif how == 1 and isinstance(place, dict):
            place[f"{key}_"] = place.pop(key)
        elif how == 2 and isinstance(place, list):
            place.append(copy.deepcopy(inner))
        else:
            place[key] = copy.deepcopy(chance.choice(ODD))
        return


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _bytes_anywhere,
    _tensor_header,
    _manifest,
    _plan,
    _text,
)


def new_data() -> Table:
    """What the fixture predicts from, without its feature columns being special in any way."""
    day = np.datetime64("2024-03-01", "ns") + np.arange(14) * np.timedelta64(1, "D")
    columns = {
        "day": day,
        "shop": np.array(["north"] * 14, dtype=object),
        "sales": np.arange(14.0),
        "visits": np.arange(14.0) ** 2,
        "weather": np.array(["sun", "fog"] * 7, dtype=object),
    }
    return Table(columns=columns, source="new.csv")


def attempt(data: bytes, path: Path) -> bool:
    """Read and use a file; whether it was accepted. Anything but a refusal of a few lines is a fault."""
    path.write_bytes(data)
    try:
        Predictor(Bundle.read(path)).predict(new_data())
    except UnrolledError as error:
        assert error.what and "\n" not in error.what, str(error)[:2000]
        assert not isinstance(error, BundleError) or len(str(error)) < 1000, str(error)[:2000]
        return False
    return True


def fuzz(seed: int, count: int) -> tuple[int, int]:
    """Try ``count`` mutated bundles.

    Returns:
        how many were accepted, and refused.

    Raises:
        AssertionError: one of them did anything else; the message has the number that repeats it.
    """
    good = FIXTURE.read_bytes()
    accepted = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        for number in range(count):
            chance = random.Random(f"{seed}/{number}")
            mutation = chance.choice(MUTATIONS)
            data = mutation(good, chance)
            try:
                accepted += attempt(data, path)
            except Exception as error:
                raise AssertionError(f"fuzz({seed}, ...) number {number}, {mutation.__name__}: {error!r}") from error
    return accepted, count - accepted
