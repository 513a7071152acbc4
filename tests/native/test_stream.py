"""Streams: steps equal the sequence, state can be kept and put back, and nothing is allocated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.native.layers import Array, Layer, make_layer

from unrolled import native
from unrolled.cells import cell, cells
from unrolled.core.errors import BackendError, ConfigError
from unrolled.native import Stream
from unrolled.program.loop import run_numpy

_OPTIONS = {"lstm_projected": {"projection": 5}}


def _layers(name: str, dtype: str = "float64") -> list[Layer]:
    first = make_layer(cell(name, **_OPTIONS.get(name, {})), 3, 20, dtype)
    return [first, make_layer(cell("gru"), first.kernel.widths[0], 12, dtype, seed=1)]


def _stream(layers: list[Layer], head: tuple[Array, Array | None] | None = None, batch: int = 1) -> Stream:
    return Stream([native.Layer(each.kernel, each.addresses(each.weights)) for each in layers], head, batch=batch)


@pytest.mark.parametrize("name", cells())
def test_steps_equal_the_sequence(name: str) -> None:
    random = np.random.default_rng(2)
    layers, x = _layers(name), random.standard_normal((9, 2, 3))
    weight, bias = random.standard_normal((4, 12)), random.standard_normal(4)
    stream = _stream(layers, (weight, bias), batch=2)
    y = x.swapaxes(0, 1)
    for layer in layers:
        y, _ = run_numpy(layer.cell, y, layer.weights)
    expected = (y @ weight.T + bias).swapaxes(0, 1)
    np.testing.assert_allclose(stream.process(x), expected, 1e-9, 1e-10)
    stream.reset()
    np.testing.assert_allclose(np.stack([stream.step(row) for row in x]), expected, 1e-9, 1e-10)


def test_a_snapshot_goes_on_where_it_was_taken() -> None:
    stream = _stream(_layers("lstm", "float32"), batch=3)
    x = np.random.default_rng(0).standard_normal((20, 3, 3)).astype(np.float32)
    whole = stream.process(x)
    stream.reset()
    first = stream.process(x[:7])
    kept = stream.snapshot()
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate((first, stream.process(x[7:]))), whole)
        stream.restore(kept)
    np.testing.assert_array_equal(_stream(_layers("lstm", "float32"), batch=3).process(x), whole)


def test_streams_side_by_side_do_not_touch_one_another() -> None:
    layers = _layers("lstm")
    x = np.random.default_rng(0).standard_normal((10, 5, 3))
    together = _stream(layers, batch=5).process(x)
    for index in range(5):
        alone = _stream(layers).process(x[:, index : index + 1])
        np.testing.assert_allclose(together[:, index : index + 1], alone, 1e-12, 1e-12)


def test_weights_are_copied() -> None:
    layers = _layers("lstm")
    stream, x = _stream(layers), np.ones((4, 1, 3))
    before = stream.process(x)
    for layer in layers:
        for weight in layer.weights.values():
            weight[:] = np.nan
    stream.reset()
    np.testing.assert_array_equal(stream.process(x), before)


@pytest.mark.parametrize("name", ["lstm", "lstm_layer_norm"])
def test_a_step_allocates_nothing(name: str, tmp_path: Path) -> None:
    here, compiler = Path(__file__).parent, shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("counting allocations takes a C compiler and glibc")
    counter = tmp_path / "count_malloc.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", here / "count_malloc.c", "-o", counter], check=True)
    root = here.parents[1]
    environment = {
        **os.environ,
        "LD_PRELOAD": str(counter),
        "PYTHONPATH": os.pathsep.join((str(root), str(root / "src"))),
    }
    command: list[str | Path] = [sys.executable, here / "count_steps.py", name]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert int(done.stdout) == 0


def test_wrong_shapes_are_refused() -> None:
    stream = _stream(_layers("lstm"))
    with pytest.raises(ValueError):
        stream.step(np.zeros((2, 3)))
    with pytest.raises(ConfigError, match="x: must be"):
        stream.process(np.zeros((4, 3)))
    with pytest.raises(ConfigError, match="out: must be"):
        stream.process(np.zeros((4, 1, 3)), np.zeros((4, 1, 12), np.float32))
    with pytest.raises(ConfigError, match="state: must have"):
        stream.restore(np.zeros(3))
    with pytest.raises(ConfigError, match="at least one stream"):
        _stream(_layers("lstm"), batch=0)


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BackendError, match="does not take"):
        _stream(_layers("lstm")[::-1])
    with pytest.raises(BackendError, match="two dtypes"):
        _stream([_layers("lstm")[0], _layers("lstm", "float32")[1]])
    noisy = make_layer(cell("lstm_zoneout"), 3, 8, training=True)
    with pytest.raises(BackendError, match="noise"):
        _stream([noisy])
