"""The bundle: one file with everything a prediction needs, read without ever executing any of it.

A zip archive, nothing compressed: ``manifest.json``, ``weights.safetensors`` and, where there are any, ``exports/*``.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors import SafetensorError
from safetensors.numpy import load, save

from unrolled.core.errors import BundleError
from unrolled.core.files import atomic_file
from unrolled.core.records import Record
from unrolled.core.validation import restored

FORMAT = 1
"""Raised when older versions could not read what is written; each version reads all formats up to its own."""

_MANIFEST, _WEIGHTS = "manifest.json", "weights.safetensors"
_EXPORT = re.compile(r"exports/[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_ENTRIES = 32
_LARGEST = {_MANIFEST: 64 << 20, _WEIGHTS: 4 << 30}
_LARGEST_EXPORT = 4 << 30
_DTYPES = {"float64", "float32", "float16", "int64", "int32", "uint8", "int8", "bool"}
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error, EOFError, RuntimeError)


class Manifest(Record):
    """What the weights are of and how to use them; the parts are records of higher rooms, as JSON."""

    format: int = FORMAT
    task: str
    settings: dict[str, Any] = Field(default_factory=dict)
    """The task's own settings, those of decoding among them; under "cells" the equations of cells of the user's own."""
    preprocessing: dict[str, Any] = Field(default_factory=dict)
    """Schema and fitted transforms."""
    net: list[Any] | None = None
    """The net spec; None for a user's own module."""
    custom: str | None = None
    """Import path of a user's own module: said, never imported from here."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    plan: dict[str, Any] | None = None
    metrics: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    """Facts of the training data, the fingerprint among them."""
    versions: dict[str, str] = Field(default_factory=dict)
    created: str = ""
    """ISO 8601, UTC."""
    weights_sha256: str = ""


@dataclass(frozen=True)
class Bundle:
    """A trained net with all it needs; ``weights`` by ``state_dict`` name, ``exports`` by file name."""

    manifest: Manifest
    weights: dict[str, npt.NDArray[Any]]
    exports: dict[str, bytes] = field(default_factory=dict)

    def write(self, path: Path | str) -> None:
        """Write the file, whole or not at all; the same content gives the same bytes.

        Raises:
            BundleError: a setting is not finite, or an export has an unusable name.
            UnrolledError: the file cannot be written.
        """
        entries = self._entries(str(path))
        with atomic_file(path) as handle:
            _pack(handle, entries)

    def to_bytes(self) -> bytes:
        """The content of the file that ``write`` writes; raises as it does."""
        buffer = io.BytesIO()
        _pack(buffer, self._entries("bundle"))
        return buffer.getvalue()

    @classmethod
    def read(cls, path: Path | str) -> Bundle:
        """Read and check a file from anywhere.

        Raises:
            BundleError: it is missing, not a bundle, damaged, or made by a newer version.
        """
        return cls._unpack(path, str(path))

    @classmethod
    def from_bytes(cls, content: bytes) -> Bundle:
        """Read and check the content of a file; raises as ``read``."""
        return cls._unpack(io.BytesIO(content), "bundle")

    def _entries(self, where: str) -> dict[str, bytes]:
        tensors = save({name: np.asarray(tensor, order="C") for name, tensor in sorted(self.weights.items())})
        digest = hashlib.sha256(tensors).hexdigest()
        manifest = self.manifest.model_copy(update={"format": FORMAT, "weights_sha256": digest})
        entries = {_MANIFEST: _to_json(manifest), _WEIGHTS: tensors}
        for name, content in sorted(self.exports.items()):
            if not _EXPORT.fullmatch(f"exports/{name}"):
                raise BundleError(f"an export cannot be called {name!r}", where=where)
            entries[f"exports/{name}"] = content
        return entries

    @classmethod
    def _unpack(cls, file: Path | str | IO[bytes], where: str) -> Bundle:
        try:
            with zipfile.ZipFile(file) as archive:
                sizes = _check_entries(archive, where)
                entries = {name: archive.read(name) for name in sizes}
        except FileNotFoundError as error:
            raise BundleError("there is no such file", where=where, mend="check the path") from error
        except OSError as error:
            raise BundleError(f"it cannot be read ({error.strerror or error})", where=where) from error
        except _UNREADABLE as error:
            raise BundleError("it is not a bundle, or it is damaged", where=where, mend="get the file again") from error
        manifest = _manifest(entries[_MANIFEST], where)
        weights = _weights(entries[_WEIGHTS], manifest.weights_sha256, where)
        exports = {name.removeprefix("exports/"): entries[name] for name in sizes if name.startswith("exports/")}
        return cls(manifest, weights, exports)


def _pack(handle: IO[bytes], entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(handle, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _check_entries(archive: zipfile.ZipFile, where: str) -> dict[str, int]:
    """Names and sizes of the entries, all of them expected ones; nothing was read yet."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(entries) > _MOST_ENTRIES or len(set(names)) < len(names):
        raise BundleError("it is not a bundle: it has too many entries, or one of them twice", where=where)
    for name in (_MANIFEST, _WEIGHTS):
        if name not in names:
            raise BundleError(f"it is not a bundle, or it is damaged: {name} is missing", where=where)
    for entry in entries:
        if entry.filename not in _LARGEST and not _EXPORT.fullmatch(entry.filename):
            raise BundleError(f"it is not a bundle: it has an entry {entry.filename[:60]!r}", where=where)
        stored = entry.compress_type == zipfile.ZIP_STORED and entry.compress_size == entry.file_size
        if not stored or entry.file_size > _LARGEST.get(entry.filename, _LARGEST_EXPORT):
            raise BundleError(f"its entry {entry.filename!r} is compressed or too large", where=where)
    return {entry.filename: entry.file_size for entry in entries}


def _manifest(text: bytes, where: str) -> Manifest:
    place = f"{where}, {_MANIFEST}"
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError("it is not readable JSON", where=place, mend="get the file again") from error
    version = content.get("format") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise BundleError(
            f"it has format {version}, this version reads up to {FORMAT}",
            where=where,
            mend="install a newer version of unrolled",
        )
    return restored(Manifest, content, where=place, strict=True)


def _weights(content: bytes, digest: str, where: str) -> dict[str, npt.NDArray[Any]]:
    place = f"{where}, {_WEIGHTS}"
    if hashlib.sha256(content).hexdigest() != digest:
        raise BundleError("the weights are not those that were written", where=place, mend="get the file again")
    try:
        weights = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise BundleError("the weights are not a readable safetensors file", where=place) from error
    for name, tensor in weights.items():
        if tensor.dtype.name not in _DTYPES:
            raise BundleError(f"the weight {name[:80]!r} has the type {tensor.dtype.name}", where=place)
    return weights


def _to_json(manifest: Manifest) -> bytes:
    try:
        return json.dumps(manifest.model_dump(), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise BundleError(f"a setting cannot be stored ({error})", where="bundle") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
