"""Log mel energies: an oracle by another hand, and a sound in pieces."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, signal

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.log_mel import FLOOR, LogMel, LogMelOptions, State

Float = npt.NDArray[np.float64]


def _sound(count: int, seed: int = 0) -> Float:
    return np.random.default_rng(seed).normal(size=count).cumsum() / 30


def _oracle(samples: Float, options: LogMelOptions) -> Float:
    """Frame by frame, band by band, with the direct transform, as a textbook writes it."""
    width, hop = round(options.frame * options.rate), round(options.hop * options.rate)
    size = 2 ** math.ceil(math.log2(width))
    window = signal.get_window("hann", width)
    mel = [2595 * math.log10(1 + hertz / 700) for hertz in (options.low, options.rate / 2)]
    step = (mel[1] - mel[0]) / (options.bands + 1)
    edges = [700 * (10 ** ((mel[0] + at * step) / 2595) - 1) for at in range(options.bands + 2)]
    padded = np.concatenate([np.zeros(width - hop), samples])
    dft = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(width)) / size)
    rows = []
    for end in range(width, len(padded) + 1, hop):
        power = np.abs(dft @ (padded[end - width : end] * window)) ** 2
        row = []
        for below, centre, above in zip(edges, edges[1:], edges[2:], strict=False):
            energy = 0.0
            for k, value in enumerate(power.tolist()):
                hertz = k * options.rate / size
                if below < hertz <= centre:
                    energy += value * (hertz - below) / (centre - below)
                elif centre < hertz < above:
                    energy += value * (above - hertz) / (above - centre)
            row.append(math.log(energy + FLOOR))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize(
    "options",
    [
        LogMelOptions(rate=8000, level="absolute"),
        LogMelOptions(rate=16000, bands=40, low=20, level="absolute"),
        LogMelOptions(rate=11025, frame=0.032, hop=0.016, bands=20, level="absolute"),
    ],
    ids=["8 kHz", "16 kHz", "an odd rate"],
)
def test_the_bands_are_those_of_the_textbook(options: LogMelOptions) -> None:
    samples = _sound(1500)
    np.testing.assert_allclose(LogMel(options).process(samples), _oracle(samples, options), rtol=0, atol=1e-10)


def test_one_frame_against_the_transform_of_scipy() -> None:
    samples = _sound(200)
    front = LogMel(LogMelOptions(rate=8000, hop=0.025, level="absolute"))
    power = np.abs(fft.rfft(samples * signal.get_window("hann", 200), 256)) ** 2
    found = front.process(samples)[0]
    assert found.shape == (32,)
    # Between the centres of the first and last band the triangles add up to one.
    inside = slice(5, 120)
    total = (np.exp(found) - FLOOR).sum()
    assert power[inside].sum() < total < power.sum()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 700), max_size=12), st.integers(0, 2**31))
def test_a_sound_in_pieces_is_the_whole_sound(sizes: list[int], seed: int) -> None:
    samples = _sound(sum(sizes), seed)
    front = LogMel(LogMelOptions(rate=8000))
    pieces = [front.process(piece) for piece in np.split(samples, np.cumsum(sizes))]
    whole = LogMel(LogMelOptions(rate=8000)).process(samples)
    assert len(whole) == len(samples) // 80
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_sample_by_sample_a_frame_comes_with_the_last_of_each_hop() -> None:
    samples, front = _sound(400), LogMel(LogMelOptions(rate=8000))
    came = [front.process([sample]) for sample in samples.tolist()]
    assert [at for at, frames in enumerate(came) if len(frames)] == [79, 159, 239, 319, 399]
    front.reset()
    np.testing.assert_array_equal(np.concatenate(came), front.process(samples))


def test_no_frame_knows_what_comes_later() -> None:
    samples, front = _sound(800), LogMel(LogMelOptions(rate=8000))
    before = front.process(samples)
    samples[480:] = 0
    front.reset()
    after = front.process(samples)
    np.testing.assert_array_equal(after[:6], before[:6])
    assert (after[6] != before[6]).all()


def test_a_stream_goes_on_from_a_snapshot() -> None:
    samples, front = _sound(900), LogMel(LogMelOptions(rate=8000))
    front.process(samples[:433])
    state = front.snapshot()
    expected = front.process(samples[433:])
    other = LogMel(LogMelOptions(rate=8000))
    other.restore(state)
    np.testing.assert_array_equal(other.process(samples[433:]), expected)
    with pytest.raises(DataError, match="no rest of frames of 200 samples"):
        other.restore(State(np.zeros(7), 0.0))


def test_silence_is_the_floor_and_loudness_a_shift() -> None:
    front = LogMel(LogMelOptions(rate=8000, level="absolute"))
    assert (front.process(np.zeros(160)) == math.log(FLOOR)).all()
    samples = _sound(800)
    front.reset()
    quiet = front.process(samples)
    front.reset()
    np.testing.assert_allclose(front.process(10 * samples) - quiet, math.log(100), atol=0.01)


def test_relative_to_the_level_loudness_is_gone() -> None:
    samples = _sound(2000)
    told = [LogMel(LogMelOptions(rate=8000)).process(gain * samples) for gain in (1, 10)]
    np.testing.assert_allclose(told[0], told[1], atol=0.01)
    assert told[0].max() == 0 and told[0].min() >= -5 * math.log(10)


@pytest.mark.parametrize(("depth", "fall"), [(40.0, 5.0), (20.0, 0.0), (100.0, 300.0)])
def test_the_level_is_that_of_the_loudest_band_falling_slowly(depth: float, fall: float) -> None:
    samples = np.concatenate([_sound(800, 1), 0.01 * _sound(1600, 2), 3 * _sound(800, 3)])
    plain = LogMel(LogMelOptions(rate=8000, level="absolute")).process(samples)
    decibels = 10 / math.log(10)
    levels: list[float] = []
    for t in range(len(plain)):
        levels.append(max(plain[s].max() - fall / decibels * 0.01 * (t - s) for s in range(t + 1)))
    expected = np.maximum(plain - np.array(levels)[:, None], -depth / decibels)
    found = LogMel(LogMelOptions(rate=8000, depth=depth, fall=fall)).process(samples)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_options_that_make_no_bands_are_refused() -> None:
    with pytest.raises(ConfigError, match="200 bands are too many"):
        LogMel(LogMelOptions(rate=8000, bands=200))
    with pytest.raises(ConfigError, match="leaves samples out"):
        LogMel(LogMelOptions(rate=8000, hop=0.05))
    with pytest.raises(ConfigError, match="above half the rate"):
        LogMel(LogMelOptions(rate=8000, low=4000))


@pytest.mark.parametrize("samples", [np.zeros((3, 2)), [0.0, np.nan], [np.inf]])
def test_samples_that_are_none_are_refused(samples: object) -> None:
    with pytest.raises(DataError, match="a row of finite numbers"):
        LogMel(LogMelOptions(rate=8000)).process(samples)  # type: ignore[arg-type]
