"""Kernels against the interpreter of programs: every cell, awkward sizes, lengths, directions, threads."""

from __future__ import annotations

import ctypes
import ctypes.util
import multiprocessing
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.native.layers import Layer, make_job, make_layer, view

from unrolled.cells import LSTM, RNN, cell, cells
from unrolled.core.errors import BackendError
from unrolled.core.tolerances import TOLERANCES
from unrolled.native import NOTHING, Kernel, refusal
from unrolled.program import Node, Program, derive, trace
from unrolled.program.equations import Equations
from unrolled.testing.programs import RandomPrograms

_OPTIONS = {"lstm_projected": {"projection": 5}}


def _cell(name: str) -> Equations:
    return cell(name, **_OPTIONS.get(name, {}))


@pytest.fixture(params=cells())
def layer(request: pytest.FixtureRequest) -> Iterator[Layer]:
    yield make_layer(_cell(request.param), 3, 24, training=True)


def test_every_cell_agrees_with_the_interpreter(layer: Layer) -> None:
    make_job(layer, 7, 5).check()


def test_every_cell_with_lengths_from_the_end(layer: Layer) -> None:
    lengths = np.array([6, 6, 5, 3, 1, 0], np.int64)
    for reverse in (False, True):
        make_job(layer, 6, 6, lengths=lengths, reverse=reverse, threads=2, time_major=True).check()


def test_every_cell_in_float32(layer: Layer) -> None:
    single = make_layer(layer.cell, 3, 24, "float32", training=True)
    make_job(single, 9, 8).check(*TOLERANCES["float32"])


def test_every_cell_forward_only_gives_the_same(layer: Layer) -> None:
    for lengths in (None, np.array([4, 2, 2], np.int64)):
        job = make_job(layer, 3, 12 if lengths is None else 4, lengths=lengths, reverse=True)
        expected = job.expected()
        y, final = job.predict()
        np.testing.assert_allclose(y, expected["y"], 1e-9, 1e-10)
        for part, value in enumerate(final):
            np.testing.assert_allclose(value, expected[f"final {part}"], 1e-9, 1e-10)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["lstm", "gru", "rnn", "lstm_layer_norm", "slstm"]),
    st.integers(1, 40),
    st.integers(0, 30),
    st.integers(1, 20),
    st.integers(1, 70),
    st.booleans(),
    st.integers(1, 3),
)
def test_any_size(name: str, batch: int, time: int, inputs: int, hidden: int, reverse: bool, threads: int) -> None:
    hidden = 4 * hidden if name == "slstm" else hidden  # heads
    layer = make_layer(_cell(name), inputs, hidden, bias=hidden % 2 == 0)
    job = make_job(layer, batch, time, reverse=reverse, threads=threads, time_major=batch % 2 == 0)
    if batch % 3 == 0:
        job.lengths = np.sort(np.random.default_rng(batch).integers(0, time + 1, batch))[::-1].astype(np.int64).copy()
    job.check(1e-8, 1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_random_programs(seed: int) -> None:
    random = RandomPrograms(operations=12, heads=(1, 2), noise=True).cell(seed)
    make_job(make_layer(random, 3, 8, training=True), 5, 4).check(1e-8, 1e-9)


def test_an_empty_batch_and_no_steps() -> None:
    layer = make_layer(LSTM(), 3, 8)
    for batch, time in ((0, 4), (3, 0)):
        job = make_job(layer, batch, time)
        found, expected = job.run(), job.expected()
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], 1e-12, err_msg=name)


def test_the_number_of_threads_does_not_change_outputs() -> None:
    layer = make_layer(LSTM(), 5, 48, "float32")
    one = make_job(layer, 33, 12, threads=1).run()
    for threads in (2, 3, 7, 100):
        many = make_job(layer, 33, 12, threads=threads).run()
        for name, value in one.items():
            np.testing.assert_allclose(many[name], value, 1e-4, 1e-5, err_msg=name)


@pytest.mark.parametrize("name", ["lstm", "gru_before", "lstm_layer_norm"])
def test_threads_that_share_the_columns_of_one_sequence_change_no_bit(name: str) -> None:
    job = make_job(make_layer(_cell(name), 3, 200, "float32"), 1, 80)
    (y, final), expected = job.predict(), job.expected()
    np.testing.assert_allclose(y, expected["y"], *TOLERANCES["float32"])
    for job.threads in (2, 3):
        again, end = job.predict()
        np.testing.assert_array_equal(again, y)
        for part, value in enumerate(final):
            np.testing.assert_array_equal(end[part], value)


def test_calls_at_once_give_the_same_bits_as_alone() -> None:
    layer = make_layer(LSTM(), 5, 32, "float32")
    job = make_job(layer, 16, 20, threads=2)
    alone, found = job.run(), list[dict[str, np.ndarray]]()
    workers = [threading.Thread(target=lambda: found.append(job.run())) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 4
    for each in found:
        for name, value in alone.items():
            np.testing.assert_array_equal(each[name], value, err_msg=name)


def _in_child(queue: multiprocessing.Queue[bytes]) -> None:
    queue.put(make_job(make_layer(LSTM(), 5, 32, "float32"), 16, 20, threads=2).run()["y"].tobytes())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_threads_survive_a_fork() -> None:
    here = make_job(make_layer(LSTM(), 5, 32, "float32"), 16, 20, threads=2).run()["y"].tobytes()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == here
    child.join(60)
    assert child.exitcode == 0


def test_denormals_are_flushed_inside_only() -> None:
    layer = make_layer(RNN(), 1, 1, "float32")
    layer.weights["weight_ih"][:] = 1e-30
    for name in ("weight_hh", "bias_ih", "bias_hh"):
        layer.weights[name][:] = 0
    job = make_job(layer, 1, 1)
    job.x[:] = 1e-12
    y, _ = job.predict()
    assert y.item() == 0
    assert np.float32(1e-30) * np.float32(1e-12) != 0


def test_not_a_number_goes_through_and_stays_in_its_row() -> None:
    layer = make_layer(LSTM(), 3, 20, "float32")
    job = make_job(layer, 8, 5)
    job.x[3, 2, 0] = np.nan
    y, _ = job.predict()
    assert np.isnan(y[3, 2:]).all()
    assert np.isfinite(np.delete(y, 3, 0)).all() and np.isfinite(y[3, :2]).all()


def test_weights_whose_gradient_is_not_wanted_are_left_out() -> None:
    layer = make_layer(LSTM(), 3, 8)
    job = make_job(layer, 4, 5)
    expected, kernel = job.run(), layer.kernel
    weights = layer.addresses(layer.weights)
    states = [np.zeros((4, 5, width)) for width in kernel.widths]
    saved = np.zeros((5, 4, kernel.saved))
    common = {
        "initial": [part.ctypes.data for part in job.initial],
        "states": [view(part) for part in states],
        "saved": saved.ctypes.data,
    }
    kernel.forward((4, 5), view(job.x), weights, final=[0, 0], **common)  # type: ignore[arg-type]
    down = {name: np.full_like(weight, np.nan) for name, weight in layer.weights.items()}
    wanted = layer.addresses(down)._replace(ih=0)
    kernel.backward(
        (4, 5),
        view(job.x),
        weights,
        dy=view(job.dy),
        dfinal=[part.ctypes.data for part in job.dfinal],
        dx=NOTHING,
        dweights=wanted,
        dinitial=[0, 0],
        **common,  # type: ignore[arg-type]
    )
    assert np.isnan(down["weight_ih"]).all()
    np.testing.assert_allclose(down["weight_hh"], expected["d weight_hh"], 1e-12)
    np.testing.assert_allclose(down["bias_ih"], expected["d bias_ih"], 1e-12)


@pytest.mark.parametrize("lengths", [[2, 3], [4, 1], [-1, -1], [3, 3, 3]])
def test_wrong_lengths_are_refused(lengths: list[int]) -> None:
    job = make_job(make_layer(LSTM(), 3, 8), 2, 3)
    job.lengths = np.array(lengths, np.int64)
    with pytest.raises(BackendError, match="lengths"):
        job.predict()


def test_missing_arrays_are_refused() -> None:
    layer = make_layer(LSTM(), 3, 8)
    job = make_job(layer, 2, 3)
    weights = layer.addresses(layer.weights)
    y = np.zeros((2, 3, 8))
    with pytest.raises(BackendError, match="array is missing"):
        layer.kernel.forward((2, 3), NOTHING, weights, initial=[0, 0], states=[view(y), NOTHING], final=[0, 0])
    with pytest.raises(BackendError, match="parts of the state"):
        layer.kernel.forward((2, 3), view(job.x), weights, initial=[0, 0], states=[view(y)], final=[0, 0])
    with pytest.raises(BackendError, match="products"):
        wrong = weights._replace(products=weights.products[:-1])
        layer.kernel.forward((2, 3), view(job.x), wrong, initial=[0, 0], states=[view(y), NOTHING], final=[0, 0])


def test_what_it_cannot_run_is_refused_with_a_reason() -> None:
    program = trace(LSTM(), 4)
    assert refusal(program, derive(program), "float32") is None
    assert "float16" in (refusal(program, None, "float16") or "")
    strange = Program((Node("input", name="h"), Node("cosine", (0,), width=1)), (("h", 1),))
    assert "cosine" in (refusal(strange, None, "float32") or "")
    with pytest.raises(BackendError, match="cosine"):
        Kernel(strange, None, gates=("h",), input_size=1)
    forward_only = Kernel(program, None, gates=LSTM.gates, input_size=1)
    assert forward_only.saved == 0


def test_damaged_byte_code_is_refused() -> None:
    from unrolled.native.cell_code import Tables, forward_code
    from unrolled.native.library import Compiled

    program = trace(LSTM(), 4)
    code = forward_code(Tables.of(program, None, LSTM.gates, 3, {}), save=False, fused=True)
    words = code.words()
    Compiled(0, words, code.constants)
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(2000):
        damaged = list(words)
        damaged[random.integers(len(words))] = int(random.integers(-(2**31), 2**31))
        try:
            Compiled(0, damaged, code.constants)
        except BackendError:
            refused += 1
    assert refused > 1800  # a few damages are other, valid programs
    for end in range(len(words)):
        with pytest.raises(BackendError):
            Compiled(0, words[:end], code.constants)


def test_memory_is_used_again() -> None:
    """The workspace of a call serves the next: the heap does not grow."""
    layer = make_layer(LSTM(), 3, 32, "float32")
    job = make_job(layer, 8, 50)
    for _ in range(3):
        job.run()
    before = _heap()
    for _ in range(20):
        job.run()
    assert _heap() - before < 200_000


def _heap() -> int:
    class Info(ctypes.Structure):
        _fields_ = [(f"field_{number}", ctypes.c_size_t) for number in range(10)]

    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        pytest.skip("this C library cannot count its heap (mallinfo2)")
    libc.mallinfo2.restype = Info
    info = libc.mallinfo2()
    return int(info.field_7) + int(info.field_4)
