"""The library built for other processors: calls recorded here are played there, and held against NumPy.

ARM is emulated, by Debian's g++-aarch64-linux-gnu and qemu-user.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy.functions import BOUND, TRUE, errors, truth
from tests.native.layers import make_job, make_layer
from tests.native.tape import Tape

from unrolled.cells import cell
from unrolled.core.tolerances import TOLERANCES
from unrolled.native.code import OPS
from unrolled.native.library import library
from unrolled.program.loop import run_numpy

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(3600)]  # it compiles the library

_ROOT = Path(__file__).parents[2]
_CROSS, _EMULATOR, _SYSTEM = "aarch64-linux-gnu-g++", "qemu-aarch64", "/usr/aarch64-linux-gnu"
_FOR_ARM = ("-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", f"-DCMAKE_CXX_COMPILER={_CROSS}")

Player = Callable[[Path, Path], object]


@pytest.fixture(scope="module", params=["here", "aarch64"])
def player(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Player:
    """``(tape, out)``: plays a tape on a library built for that processor."""
    arm = request.param == "aarch64"
    needed = ["cmake", _CROSS, _EMULATOR] if arm else ["c++"]
    if missing := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"needs {' and '.join(missing)}")
    folder = tmp_path_factory.mktemp(request.param)
    file, program = _built_for_arm(folder) if arm else Path(library()._name), folder / "replay"
    source = Path(__file__).with_name("replay.cpp")
    compile_it: list[str | Path] = [_CROSS if arm else "c++", "-std=c++17", "-O1", source, "-o", program, "-ldl"]
    subprocess.run(compile_it, check=True)
    command: list[str | Path] = [*([_EMULATOR, "-L", _SYSTEM] if arm else []), program, file]

    def play(tape: Path, out: Path) -> None:
        done = subprocess.run([*command, tape, out], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "baseline" or not arm

    return play


def _built_for_arm(folder: Path) -> Path:
    configure: list[str | Path] = ["cmake", "-S", _ROOT, "-B", folder, *_FOR_ARM]
    subprocess.run(configure, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", folder, "-j", "2"], check=True, capture_output=True)
    return folder / "native" / "_unrolled_native.so"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru_before", "lstm_layer_norm", "slstm", "lstm_zoneout"])
def test_forward_and_backward(name: str, dtype: str, player: Player, tmp_path: Path) -> None:
    layer = make_layer(cell(name), 3, 36, dtype, training=True)
    lengths = np.array([9, 9, 7, 5, 5, 2, 1, 0], np.int64)
    jobs = [
        make_job(layer, 1, 6),
        make_job(layer, 17, 5, threads=2, time_major=True),
        make_job(layer, 8, 9, lengths=lengths, reverse=True, threads=2),
    ]
    tape, found = Tape(), []
    for job in jobs:
        with tape.recording(lambda job=job: job.used):  # type: ignore[misc]
            found.append(job.run())
    for results in found:
        for array in results.values():
            array[...] = np.nan  # what was computed here must not pass for what the player did
    tape.play(player, tmp_path)
    for job, results in zip(jobs, found, strict=True):
        job.compare(results, *TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_streams(dtype: str, player: Player, tmp_path: Path) -> None:
    first = make_layer(cell("lstm"), 3, 20, dtype)
    layers = [first, make_layer(cell("gru"), 20, 12, dtype, seed=1)]
    x = np.random.default_rng(0).standard_normal((50, 2, 3)).astype(dtype)
    y, expected = np.full((50, 2, 12), np.nan, dtype), x.swapaxes(0, 1).astype(np.float64)
    tape = Tape()
    tape.stream(layers, x, y)
    tape.play(player, tmp_path)
    for layer in layers:
        wide = {name: weight.astype(np.float64) for name, weight in layer.weights.items()}
        expected, _ = run_numpy(layer.cell, expected, wide)
    np.testing.assert_allclose(y, expected.swapaxes(0, 1), *TOLERANCES[dtype])


@pytest.mark.parametrize("name", TRUE)
def test_functions(name: str, player: Player, tmp_path: Path) -> None:
    bits = np.arange(0, 2**32, 40_961, dtype=np.uint64).astype(np.uint32)
    x = np.concatenate((bits.view(np.float32), np.linspace(-20, 20, 10_001, dtype=np.float32)))
    x = x[: len(x) // 16 * 16]
    tape, y = Tape(), np.full_like(x, np.nan)
    tape.apply(OPS.index(name), x, y)
    tape.play(player, tmp_path)
    assert errors(x, y, truth(name, x)).units <= BOUND
