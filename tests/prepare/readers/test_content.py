"""Bytes of files: packed or not, whole or refused, never more than allowed."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.readers.content import head, load

LIMIT = 1 << 20


def test_plain_packed_and_in_members(tmp_path: Path) -> None:
    data = b"1,2\n" * 1000
    path = tmp_path / "a"
    for packed in (data, gzip.compress(data), gzip.compress(data[:100]) + gzip.compress(data[100:]) + b"\0" * 9):
        path.write_bytes(packed)
        assert load(path, LIMIT) == data
        assert data.startswith(head(path, 50)) and head(path, 1 << 16) == data[: len(head(path, 1 << 16))]


def test_limits(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"x" * (LIMIT + 1))
    with pytest.raises(DataError, match=r"1 MiB are more than the limit of 1 MiB[\s\S]*Parquet"):
        load(path, LIMIT)
    path.write_bytes(gzip.compress(os.urandom(1 << 18) * 8))
    with pytest.raises(DataError, match="more than the limit"):
        load(path, LIMIT)


def test_a_file_made_to_exhaust_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(bytes(100 << 20)))
    with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
        load(path, 1 << 40)


@pytest.mark.parametrize("cut", [1, 9, 10, 15, -9, -1])
def test_a_packed_file_cut_short(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"1,2\n" * 100)[:cut])
    if cut == 1:
        assert load(path, LIMIT) == b"\x1f"  # too short to be gzip at all
        return
    with pytest.raises(DataError, match="damaged: it ends too early"):
        load(path, LIMIT)


def test_a_packed_file_with_a_wrong_checksum(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"1,2\n" * 100))
    packed[-6] ^= 1
    path = tmp_path / "a.gz"
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"damaged: .*incorrect data check"):
        load(path, LIMIT)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").touch()
    with pytest.raises(DataError, match=r"no such file\n  Did you mean 'prices.csv'"):
        load(tmp_path / "price.csv", LIMIT)
    with pytest.raises(DataError, match=r"folder .* does not exist either"):
        load(tmp_path / "nowhere" / "price.csv", LIMIT)
    with pytest.raises(DataError, match="a folder, not a file"):
        load(tmp_path, LIMIT)
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "a\0b", LIMIT)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch(mode=0)
    with pytest.raises(DataError, match="no permission"):
        load(path, LIMIT)
