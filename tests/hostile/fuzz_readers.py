"""Valid files of every format, damaged at random: a reader returns a table or says what is wrong, nothing else.

``python tests/hostile/fuzz_readers.py SEED COUNT`` prints the slowest read and the memory used.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import polars as pl

from unrolled.core.errors import UnrolledError
from unrolled.prepare.read import read
from unrolled.prepare.readers import trial

LIMIT = 64 << 20
Files = dict[str, bytes]  # name -> content; the first one is read

_CSV = "time,price,volume,kind\n" + "".join(
    f"2024-01-{day:02} 00:00:00,{day * 1.5},{day * 1000},{'ab'[day % 2]}\n" for day in range(1, 29)
)
_TS = "# x\n@problemName x\n@timeStamps false\n@classLabel true a b\n@data\n" + "1,2,?:4,5,6:a\n7,8:9,1:b\n" * 4
_TOKENS: tuple[bytes, ...] = (
    b"nan",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1e400",
    b"?",
    b"true",
    b"@data",
    b"@classLabel",
    b"\xff\xfe",
)
_TOKENS += (
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\0",
    b"2024-02-30",
    b"\xe4\xb8\x8a",
    b"[",
    b"{",
    b":",
    b"\t",
    b" " * 9,
    b"-",
)


# Starting Python for every damaged Parquet file would take hours; a process that has polars loaded forks instead.
_FORKS = """
import json, os, sys
import polars
from unrolled.prepare.readers.trial import _attempt
for line in sys.stdin:
    process = os.fork()
    if not process:
        os._exit(_attempt(*json.loads(line)) is not None)
    print(os.waitpid(process, 0)[1], flush=True)
"""


@contextmanager
def _quick_trials() -> Iterator[None]:
    """The first reading of each Parquet file happens in a fork."""
    command = [sys.executable, "-c", _FORKS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as forks:
        assert forks.stdin and forks.stdout
        ask, answers = forks.stdin, forks.stdout

        def fault(path: Path, columns: Sequence[str] | None) -> str | None:
            ask.write(json.dumps([str(path), columns]) + "\n")
            ask.flush()
            return "a page of it is damaged" if int(answers.readline()) else None

        with mock.patch.object(trial, "fault", fault):
            yield


def seeds() -> list[Files]:
    """One or more small valid files of every format."""
    frame = pl.read_csv(_CSV.encode(), try_parse_dates=True)
    cmapss = "".join(f"1 {cycle} " + "0.5 " * 24 + "\n" for cycle in range(1, 9))
    texts: Files = {
        "a.csv": _CSV.encode(),
        "b.csv": _CSV.replace(",", ";").replace(".5", ",5").encode("utf-16"),
        "c.csv": _CSV.replace("a\n", '"上,涨"\n').encode("gb18030"),
        "d.csv.gz": gzip.compress(_CSV.encode()),
        "e.txt": _CSV.replace(",", "  ").encode(),
        "f.jsonl": b"".join(b'{"t": "2024-01-01", "x": %d, "y": null, "z": true}\n' % row for row in range(9)),
        "g.ts": _TS.encode(),
        "h.tsv": b"1\t2\t3\t4\n2\t3\tNaN\tNaN\n" * 5,
        "train_FD001.txt": cmapss.encode(),
        "i.parquet": _parquet(frame, compression="snappy"),
        "j.parquet": _parquet(frame.with_columns(pl.lit([1, 2]).alias("list")), compression="zstd"),
        "k.parquet": _parquet(frame, compression="uncompressed", statistics=False, row_group_size=7),
        "l.npz": _npz(X=np.arange(24.0).reshape(2, 4, 3), y=["a", "b"]),
        "m.npz": _npz(values=np.arange(9), starts=[0, 4, 9], groups=[1, 2]),
        "n.npz": _npz(a=[1.0, 2], b=["x", "y"], t=np.array(["2024", "2025"], "M8[s]")),
        "o.npz": _npz(signal=np.arange(900, dtype=np.int16), ann_sample=[100, 400, 700], ann_symbol=["N", "V", "+"]),
    }
    test_set = {"test_FD001.txt": cmapss.encode(), "RUL_FD001.txt": b"112 \n"}
    return [{name: data} for name, data in texts.items()] + [test_set, _record()]


def _parquet(frame: pl.DataFrame, **options: object) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _npz(**content: object) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **content)  # type: ignore[arg-type]
    return buffer.getvalue()


def _record() -> Files:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import wfdb

        signal = np.random.default_rng(0).integers(-500, 500, (400, 2))
        wfdb.wrsamp(
            "r", 100, ["mV", "mV"], ["MLII", "V1"], d_signal=signal, fmt=["16", "16"], adc_gain=[200.0, 200.0],
            baseline=[0, 0], write_dir=folder,
        )  # fmt: skip
        wfdb.wrann("r", "atr", np.array([100, 200, 300]), ["N", "V", "A"], fs=100, write_dir=folder)
        return {name: (Path(folder) / name).read_bytes() for name in ("r.hea", "r.dat", "r.atr")}


def _flip(data: bytearray, luck: random.Random) -> None:
    data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)


def _overwrite(data: bytearray, luck: random.Random) -> None:
    at = luck.randrange(len(data))
    data[at : at + luck.choice((1, 2, 4, 8))] = luck.choice((b"\xff", b"\0", b"\x7f", b"\x80")) * luck.choice(
        (1, 2, 4, 8)
    )


def _insert(data: bytearray, luck: random.Random) -> None:
    at = luck.randrange(len(data))
    data[at:at] = luck.choice(_TOKENS) * luck.choice((1, 1, 1, 50))


def _replace(data: bytearray, luck: random.Random) -> None:
    at = luck.randrange(len(data))
    data[at : at + luck.randrange(12)] = luck.choice(_TOKENS)


def _delete(data: bytearray, luck: random.Random) -> None:
    at = luck.randrange(len(data))
    del data[at : at + luck.choice((1, 3, 20, 200))]


def _repeat(data: bytearray, luck: random.Random) -> None:
    at = luck.randrange(len(data))
    data[at:at] = data[at : at + luck.randrange(100)] * luck.choice((1, 2, 100))


def _cut(data: bytearray, luck: random.Random) -> None:
    del data[luck.randrange(len(data)) :]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _overwrite, _insert, _replace),
    *(_delete, _repeat, _cut),
)


def _mutated(files: Files, luck: random.Random) -> Files:
    """One file changed in one to four places; one kept in gzip is sometimes changed inside."""
    name = luck.choice(list(files))
    content = files[name]
    inside = name.endswith(".gz") and luck.random() < 0.5
    data = bytearray(gzip.decompress(content) if inside else content)
    for _ in range(luck.choice((1, 1, 2, 4))):
        if data:
            luck.choice(_CHANGES)(data, luck)
    return {**files, name: gzip.compress(bytes(data)) if inside else bytes(data)}


def fuzz(seed: int, count: int) -> float:
    """Read ``count`` damaged files; raises AssertionError on anything but a table or an ``UnrolledError``.

    Returns:
        seconds of the slowest read.
    """
    luck = random.Random(seed)
    valid = seeds()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _quick_trials():
        warnings.simplefilter("error")
        for turn in range(count):
            files = _mutated(luck.choice(valid), luck)
            path = Path(folder) / str(turn) / next(iter(files))
            path.parent.mkdir()
            for name, data in files.items():
                (path.parent / name).write_bytes(data)
            begun = time.perf_counter()
            try:
                table = read(path, limit=LIMIT, memory=luck.choice((0, LIMIT)))
                assert all(len(column) == table.rows for column in table.columns.values())
            except UnrolledError:
                pass
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
                for name, data in files.items():
                    (kept / name).write_bytes(data)
                raise AssertionError(
                    f"{type(error).__name__} reading {kept / path.name} (seed {seed}, turn {turn})"
                ) from error
            slowest = max(slowest, time.perf_counter() - begun)
            for name in files:
                (path.parent / name).unlink()
            path.parent.rmdir()
    return slowest


if __name__ == "__main__":
    import resource

    seconds = fuzz(int(sys.argv[1]), int(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(f"{sys.argv[2]} files, slowest {seconds:.2f} s, peak {peak} MiB\n")
