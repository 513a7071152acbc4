"""Log mel energies of a sound, whole or as its samples arrive: both ways the same numbers.

Frame t ends with sample ``(t + 1) hop``, and what lies before the sound is silence: no frame waits for a sample that
is yet to come, and each hop of samples gives a frame. Window: Hann. Mel scale: HTK's,
``2595 log10(1 + f / 700)`` (O'Shaughnessy 1987), triangles of height 1 equally spaced on it. Energies: of the power
spectrum, natural logarithm of the energy plus a floor that lies above the rounding noise of 16 bits.

Letters: N samples, T frames, W samples of a frame, F frequencies, M bands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Record

Float = npt.NDArray[np.float64]

FLOOR = 1e-6
_AT_ONCE = 4096  # frames
_LONGEST = 1 << 16  # samples of a frame


class LogMelOptions(Record):
    """What the bands are.

    Attributes:
        rate: samples a second (Hz).
        frame: seconds that one frame sees.
        hop: seconds from frame to frame.
        bands: M.
        low: lower edge of the first band (Hz); the last ends at half the rate.
    """

    rate: int = Field(ge=100, le=1_000_000)
    frame: float = Field(0.025, gt=0, le=1)
    hop: float = Field(0.010, gt=0, le=1)
    bands: int = Field(32, ge=1, le=512)
    low: float = Field(60.0, ge=0)


class LogMel:
    """Turns samples to frames; keeps the last samples, so that a sound may come in pieces.

    Args:
        options: see ``LogMelOptions``.

    Raises:
        ConfigError: the frame is shorter than the hop, or a band is too narrow to hold a frequency.

    Example:
        >>> front = LogMel(LogMelOptions(rate=8000))
        >>> front.process(np.zeros(100)).shape, front.process(np.zeros(100)).shape
        ((1, 32), (1, 32))
    """

    def __init__(self, options: LogMelOptions) -> None:
        self.options = options
        self.width, self.hop = round(options.frame * options.rate), round(options.hop * options.rate)
        if not 1 <= self.hop <= self.width or self.width < 4:
            raise ConfigError(
                f"a frame of {self.width} samples every {self.hop} leaves samples out",
                where="option frame",
                mend="make the frame at least as long as the hop",
            )
        if self.width > _LONGEST:
            raise ConfigError(f"a frame of {self.width} samples is too long", where="option frame", mend="shorten it")
        self._size = 1 << (self.width - 1).bit_length()
        self._window: Float = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.width) / self.width)
        self._filters = mel_filters(options, self._size)
        self._tail: Float = np.empty(0)
        self.reset()

    @property
    def bands(self) -> int:
        return self.options.bands

    def reset(self) -> None:
        """Start anew, after silence."""
        self._tail = np.zeros(self.width - self.hop)

    def process(self, samples: npt.ArrayLike) -> Float:
        """``(N,)`` samples that follow those of earlier calls to ``(T, M)``: the frames that end with one of them.

        Raises:
            DataError: the samples are no row of finite numbers.
        """
        given = np.asarray(samples, np.float64)
        if given.ndim != 1 or not np.isfinite(given).all():
            raise DataError(f"samples must be a row of finite numbers; the shape is {given.shape}", where="sound")
        held = np.concatenate([self._tail, given])
        count = max(0, (len(held) - self.width) // self.hop + 1)
        self._tail = held[count * self.hop :]
        if not count:
            return np.empty((0, self.bands))
        if count == 1:  # as in a stream, where a view of windows would take longer than the frame
            return self._energies(held[None, : self.width])
        frames = np.lib.stride_tricks.sliding_window_view(held, self.width)[:: self.hop]
        return np.concatenate([self._energies(frames[at : at + _AT_ONCE]) for at in range(0, count, _AT_ONCE)])

    def snapshot(self) -> Float:
        """A copy of the samples that later frames need, for :meth:`restore`."""
        return self._tail.copy()

    def restore(self, state: Float) -> None:
        """Go on from a state that :meth:`snapshot` gave.

        Raises:
            DataError: it belongs to other frames.
        """
        if state.ndim != 1 or not self.width - self.hop <= len(state) < self.width:
            raise DataError(f"it has the shape {state.shape}, no rest of frames of {self.width} samples", where="state")
        self._tail = state.copy()

    def _energies(self, frames: Float) -> Float:
        """``(T, W)`` to ``(T, M)``; each frame by itself, so that its last digits depend on no neighbour."""
        spectrum = np.fft.rfft(frames * self._window, self._size)
        power = spectrum.real**2 + spectrum.imag**2
        return np.log((self._filters @ power[:, :, None])[:, :, 0] + FLOOR)


def mel_filters(options: LogMelOptions, size: int) -> Float:
    """``(M, F)`` weights of the ``size // 2 + 1`` frequencies of a transform of ``size`` samples.

    Raises:
        ConfigError: a band holds no frequency.
    """
    if options.low >= options.rate / 2:
        raise ConfigError(f"{options.low:g} Hz is above half the rate", where="option low", mend="choose a lower edge")
    edges = _hertz(np.linspace(_mel(options.low), _mel(options.rate / 2), options.bands + 2))
    hertz = np.arange(size // 2 + 1) * options.rate / size
    below, centre, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters: Float = np.minimum((hertz - below) / (centre - below), (above - hertz) / (above - centre)).clip(0)
    if not filters.any(axis=1).all():
        raise ConfigError(
            f"{options.bands} bands are too many for frames of {options.frame * 1000:g} ms at {options.rate} Hz: "
            "some hold no frequency",
            where="option bands",
            mend="choose fewer bands, or longer frames",
        )
    return filters


def _mel(hertz: Any) -> Any:
    return 2595 * np.log10(1 + hertz / 700)


def _hertz(mel: Any) -> Any:
    return 700 * (10 ** (mel / 2595) - 1)
