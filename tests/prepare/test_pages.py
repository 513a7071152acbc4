"""A file larger than what may stay in memory: trained on in full, with the process kept small."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from unrolled.core.errors import DataError
from unrolled.prepare.build import build
from unrolled.prepare.facts import facts
from unrolled.prepare.gather import windows
from unrolled.prepare.pages import Pages, mapping, pieces, taken
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.read import read
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import infer
from unrolled.prepare.survey import block_columns
from unrolled.prepare.table import Table

_ROWS, _WIDTH = 6_500_000, 8  # 208 MB


def _resident() -> int:
    """Bytes of this process that lie in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
    path = tmp_path_factory.mktemp("pages") / "block"
    part = np.random.default_rng(0).normal(size=(_ROWS // 10, _WIDTH)).astype(np.float32)
    with path.open("wb") as handle:
        for at in range(10):
            (part + at).tofile(handle)
    return np.memmap(path, dtype=np.float32, mode="r", shape=(_ROWS, _WIDTH))


def _table(block: np.memmap[tuple[int, ...], np.dtype[np.float32]]) -> Table:
    return Table({f"c{at}": block[:, at] for at in range(_WIDTH)}, "large", block=block)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc to measure memory")
def test_a_large_file_is_used_without_staying_in_memory(
    block: np.memmap[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    table = _table(block)
    before = _resident()
    peak = before
    schema, _ = infer(table, task="forecast", target="c0", ignore="c7")
    series = build(table, schema)
    peak = max(peak, _resident())
    preprocessor = Preprocessor(schema, horizon=24, transforms={"target": ["standard", "last_value"]})
    preprocessor.fit(series, [(0, 0, _ROWS)])
    peak = max(peak, _resident())
    begin = np.random.default_rng(1).permutation(_ROWS - 360)[:6400].reshape(100, 64)
    for batch in begin:
        arrays = preprocessor.arrays(series, Samples(batch, batch + 336, np.zeros(64, dtype=np.int64)))
        assert arrays.x.shape == (64, 336, 7)
        peak = max(peak, _resident())
    assert block.nbytes > 200e6
    assert peak - before < 120e6
    assert np.shares_memory(series.values, block)
    assert [column.role for column in series.columns] == ["target", *["feature"] * 6, "ignore"]


def test_fitted_values_are_those_of_the_whole_file(
    block: np.memmap[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    schema, _ = infer(_table(block), task="forecast", target="c0", features=["c1"])
    series = build(_table(block), schema)
    preprocessor = Preprocessor(schema, horizon=1).fit(series, [(0, 0, _ROWS)])
    samples = Samples(np.array([100]), np.array([110]), np.array([0]))
    got = preprocessor.arrays(series, samples).x[0, :, :2]
    chosen = np.asarray(block[:, :2], dtype=np.float64)
    wanted = (chosen[100:110] - chosen.mean(axis=0)) / chosen.std(axis=0)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc to measure memory")
def test_many_machines_in_a_large_file_need_memory_for_their_number_only(tmp_path: Path) -> None:
    rows, life = 4_000_000, 10_000
    path, row = tmp_path / "block", np.arange(100 * life)
    with path.open("wb") as handle:
        for at in range(0, rows, len(row)):
            cells = ((at + row) // life, row % life, life - 1 - row % life, np.sin(row), np.cos(row))
            np.stack(cells, axis=1).astype(np.float32).tofile(handle)
    block = np.memmap(path, dtype=np.float32, mode="r", shape=(rows, 5))
    names = ("machine", "cycle", "life", "u", "v")
    table = Table({name: block[:, at] for at, name in enumerate(names)}, "large", block=block)
    before = _resident()
    schema, _ = infer(table, task="regress", target="life", time="cycle", group="machine")
    series = build(table, schema)
    told = facts(series, schema, "large")
    assert _resident() - before < 24e6 < 8 * rows
    assert len(series.ids) == told.series == rows // life and told.span == ("0", f"{life - 1}")
    np.testing.assert_array_equal(series.lengths, life)


@pytest.mark.parametrize(
    ("machine", "cycle"),
    [([1, 2, 1, 2], [1, 1, 2, 2]), ([1, 1, 2, 2], [2, 1, 2, 1])],
    ids=["scattered", "newest first"],
)
def test_a_large_file_out_of_order_is_refused(machine: list[int], cycle: list[int], tmp_path: Path) -> None:
    cells = np.stack([machine, cycle, [1, 0, 1, 0], [3, 1, 4, 1]], axis=1).astype(np.float32)
    cells.tofile(tmp_path / "block")
    block = np.memmap(tmp_path / "block", dtype=np.float32, mode="r", shape=(4, 4))
    names = ("machine", "cycle", "life", "u")
    table = Table({name: block[:, at] for at, name in enumerate(names)}, "large.parquet", block=block)
    with pytest.raises(DataError, match="too large to be sorted in memory") as refusal:
        infer(table, task="regress", target="life", time="cycle", group="machine")
    assert "sort it by series and time first" in str(refusal.value).lower() and "large.parquet" in str(refusal.value)


def test_a_memory_map_is_known_through_views(tmp_path: Path) -> None:
    values = np.memmap(tmp_path / "m", dtype=np.float32, mode="w+", shape=(8, 4))
    assert mapping(values) is not None
    assert mapping(np.asarray(values)[2:, :2]) is not None
    assert mapping(np.zeros(3)) is None


def test_columns_of_a_block_are_found_by_address(tmp_path: Path) -> None:
    values = np.memmap(tmp_path / "m", dtype=np.float32, mode="w+", shape=(8, 3))
    table = Table({"b": values[:, 2], "time": np.arange(8.0), "a": values[:, 0]}, "file", block=values)
    assert block_columns(table) == {"b": 2, "a": 0}


def test_changed_private_pages_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "m"
    np.zeros(4096, dtype=np.float32).tofile(path)
    values = np.memmap(path, dtype=np.float32, mode="c")
    values[:] = 3
    Pages(values, limit=1).touched(1, values.nbytes)
    assert (values == 3).all()


def test_pieces_cover_every_row() -> None:
    values = np.arange(10)
    found = list(pieces(values, 4))
    assert [begin for begin, _ in found] == [0, 4, 8]
    np.testing.assert_array_equal(np.concatenate([piece for _, piece in found]), values)


def test_a_spilled_parquet_file_gives_the_same_batches(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="Parquet is read by polars")
    random, count = np.random.default_rng(0), 500
    frame = {f"c{at}": random.normal(size=count) for at in range(4)}
    time = np.datetime64("2024-01-01", "ns") + np.arange(count) * np.timedelta64(1, "h")
    polars.DataFrame({"when": time, **frame}).write_parquet(tmp_path / "data.parquet")
    batches = []
    for memory in (0, 1 << 20):
        table = read(tmp_path / "data.parquet", memory=memory)
        assert (table.block is not None) == (memory == 0)
        schema, _ = infer(table, task="forecast", target="c2", ignore="c0")
        assert (schema.time, schema.frequency) == ("when", 3600)
        series = build(table, schema)
        preprocessor = Preprocessor(schema, horizon=8, transforms={"target": ["standard", "last_value"]})
        preprocessor.fit(series, [(0, 0, 400)])
        begin = np.array([0, 100, 460])
        batches.append(preprocessor.arrays(series, Samples(begin, begin + 24, np.zeros(3, dtype=np.int64))))
    assert batches[0].x.shape[2] == 3 + 4
    for name in ("x", "known", "y"):
        np.testing.assert_allclose(getattr(batches[0], name), getattr(batches[1], name), rtol=1e-4, atol=1e-5)


def test_rows_taken_piece_by_piece_are_those_of_the_whole(
    block: np.memmap[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    random = np.random.default_rng(2)
    for rows in (np.sort(random.integers(_ROWS, size=70_000)), random.integers(_ROWS, size=(300, 7)), np.zeros(0, int)):
        np.testing.assert_array_equal(taken(block, rows), block[rows])
        np.testing.assert_array_equal(taken(block[:, 3], rows), block[:, 3][rows])
    begin = np.linspace(0, _ROWS - 9, 1000).astype(np.int64)
    np.testing.assert_array_equal(windows(block, begin, 9), block[begin[:, None] + np.arange(9)])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc to measure memory")
def test_rows_from_all_over_a_large_file_do_not_stay_in_memory(
    block: np.memmap[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    Pages(block, limit=1).touched(1, 1)
    before = _resident()
    taken(block, np.linspace(0, _ROWS - 1, 4096).astype(np.int64))
    assert _resident() - before < 100e6
    for part in np.split(np.arange(0, _ROWS, 1000), 20):  # each by itself stays below the limit
        taken(block, part)
    assert _resident() - before < 100e6


def test_truth_and_inversion_by_chunks_are_those_of_the_whole(
    block: np.memmap[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    schema, _ = infer(_table(block), task="forecast", target="c0")
    series = build(_table(block), schema)
    transforms = {"target": ["standard", "last_value"]}
    preprocessor = Preprocessor(schema, horizon=3, transforms=transforms).fit(series, [(0, 0, _ROWS)])
    begin = np.linspace(0, _ROWS - 20, 10_000).astype(np.int64)  # more than two chunks, the last one past the end
    samples = Samples(begin, begin + 18, np.zeros(len(begin), dtype=np.int64))
    truth = preprocessor.truth(series, samples)
    rows = samples.end[:, None] + np.arange(3)
    wanted = np.where(rows < _ROWS, block[np.minimum(rows, _ROWS - 1), 0], np.nan)
    np.testing.assert_array_equal(truth[..., 0], wanted)
    answers = np.random.default_rng(3).normal(size=truth.shape)
    last = np.asarray(block[samples.end - 1, :1], dtype=np.float64)[:, None]
    spread = np.asarray(block[:, 0], dtype=np.float64).std()
    np.testing.assert_allclose(
        preprocessor.invert(answers, series, samples), last + answers * spread, rtol=1e-4, atol=1e-5
    )
