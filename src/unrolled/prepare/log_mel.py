"""Log mel energies of a sound, whole or as its samples arrive: both ways the same numbers.

Frame t ends with sample ``(t + 1) hop``, and what lies before the sound is silence: no frame waits for a sample that
is yet to come, and each hop of samples gives a frame. Window: Hann. Mel scale: HTK's,
``2595 log10(1 + f / 700)`` (O'Shaughnessy 1987), triangles of height 1 equally spaced on it. Energies: of the power
spectrum, natural logarithm of the energy plus a floor that lies above the rounding noise of 16 bits.

How loud a voice is recorded, and how much the room hums, differ more between recordings than words do. So energies may
be told relative to the level so far: that of the loudest band, which falls slowly where nothing as loud follows. What
lies further below it than the depth is told as just that far.

Letters: N samples, T frames, W samples of a frame, F frequencies, M bands.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Record

Float = npt.NDArray[np.float64]

FLOOR = 1e-6
_AT_ONCE = 4096  # frames
_LONGEST = 1 << 16  # samples of a frame
_DECIBEL = 10 / np.log(10)  # of a natural logarithm of energy
_SILENT = float(np.log(FLOOR))


class LogMelOptions(Record):
    """What the bands are.

    Attributes:
        rate: samples a second (Hz).
        frame: seconds that one frame sees.
        hop: seconds from frame to frame.
        bands: M.
        low: lower edge of the first band (Hz); the last ends at half the rate.
        level: "relative" tells energies relative to the level so far, "absolute" as they are.
        depth: how far below the level (dB) they are told apart.
        fall: of the level, in dB a second.
    """

    rate: int = Field(ge=100, le=1_000_000)
    frame: float = Field(0.025, gt=0, le=1)
    hop: float = Field(0.010, gt=0, le=1)
    bands: int = Field(32, ge=1, le=512)
    low: float = Field(60.0, ge=0)
    level: Literal["relative", "absolute"] = "relative"
    depth: float = Field(50.0, gt=0, le=200)
    fall: float = Field(5.0, ge=0, le=1000)


class State(NamedTuple):
    """What later frames need of a sound: its last samples, and its level."""

    tail: Float
    level: float


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
        # Real and imaginary parts stand side by side, and both count.
        self._filters = np.repeat(mel_filters(options, self._size), 2, axis=1)
        self._depth, self._fall = options.depth / _DECIBEL, options.fall / _DECIBEL * self.hop / options.rate
        self._tail: Float = np.empty(0)
        self._level = _SILENT
        self.reset()

    @property
    def bands(self) -> int:
        return self.options.bands

    @property
    def seconds(self) -> float:
        """From one frame to the next, as whole samples have it."""
        return self.hop / self.options.rate

    def reset(self) -> None:
        """Start anew, after silence."""
        self._tail, self._level = np.zeros(self.width - self.hop), _SILENT

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
            return self._told(self._energies(held[None, : self.width]))
        frames = np.lib.stride_tricks.sliding_window_view(held, self.width)[:: self.hop]
        pieces = (self._energies(frames[at : at + _AT_ONCE]) for at in range(0, count, _AT_ONCE))
        return np.concatenate([self._told(piece) for piece in pieces])

    def snapshot(self) -> State:
        """A copy of what later frames need, for :meth:`restore`."""
        return State(self._tail.copy(), self._level)

    def restore(self, state: State) -> None:
        """Go on from a state that :meth:`snapshot` gave.

        Raises:
            DataError: it belongs to other frames.
        """
        tail, level = state
        if tail.ndim != 1 or not self.width - self.hop <= len(tail) < self.width:
            raise DataError(f"it has the shape {tail.shape}, no rest of frames of {self.width} samples", where="state")
        self._tail, self._level = tail.copy(), float(level)

    def _told(self, energies: Float) -> Float:
        """``(T, M)`` energies as the options want them told."""
        if self.options.level == "absolute":
            return energies
        level, levels = self._level, []
        for loudest in energies.max(axis=1).tolist():
            level = max(level - self._fall, loudest)
            levels.append(level)
        self._level = level
        energies -= level if len(levels) == 1 else np.array(levels)[:, None]
        np.maximum(energies, -self._depth, out=energies)
        return energies

    def _energies(self, frames: Float) -> Float:
        """``(T, W)`` to ``(T, M)``; each frame by itself, so that its last digits depend on no neighbour."""
        parts = np.fft.rfft(frames * self._window, self._size).view(np.float64)
        np.multiply(parts, parts, out=parts)
        energies: Float = np.matmul(self._filters, parts[:, :, None])[:, :, 0]
        energies += FLOOR
        np.log(energies, out=energies)
        return energies


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
