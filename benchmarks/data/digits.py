"""Make ``digits_train.npz`` and ``digits_test.npz`` of the demo from the Free Spoken Digit Dataset.

    python benchmarks/data/digits.py RECORDINGS OUT

Publisher's split: recordings 0 to 4 of each digit and speaker test, later ones train (here 5 to 14).
Features: log energies of 20 mel bands (Slaney 1998 spacing of O'Shaughnessy's scale), frames of 32 ms every 16 ms.
"""

from __future__ import annotations

import re
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE, FRAME, HOP, BANDS = 8000, 256, 128, 20  # Hz, samples, samples, -
Float = npt.NDArray[Any]


def mel_filters() -> Float:
    """``(BANDS, FRAME // 2 + 1)`` triangles, equally spaced on the mel scale from 60 Hz to 4 kHz."""
    mel = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hertz = np.linspace(0, RATE / 2, FRAME // 2 + 1)
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0, np.minimum((hertz - low) / (mid - low), (high - hertz) / (high - mid)))


def log_mel(path: Path) -> Float:
    """``(T, BANDS)`` float16 log energies of a mono 16-bit recording."""
    with wave.open(str(path)) as recording:
        signal = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2") / 32768
    signal = np.pad(signal, (0, max(0, FRAME - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames)) ** 2
    energy = np.log(power @ mel_filters().T + 1e-6)
    return energy.astype(np.float16)


def main(recordings: Path, out: Path) -> None:
    parts: dict[str, list[tuple[Float, str, str]]] = {"train": [], "test": []}
    for path in sorted(recordings.glob("*.wav")):
        found = re.fullmatch(r"(\d)_([a-z]+)_(\d+)\.wav", path.name)
        if found and int(found[3]) < 15:
            parts["test" if int(found[3]) < 5 else "train"].append((log_mel(path), found[1], found[2]))
    for part, rows in parts.items():
        np.savez_compressed(
            out / f"digits_{part}.npz",
            values=np.concatenate([features for features, _, _ in rows]),
            starts=np.cumsum([0] + [len(features) for features, _, _ in rows]),
            y=np.array([digit for _, digit, _ in rows]),
            groups=np.array([speaker for _, _, speaker in rows]),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
