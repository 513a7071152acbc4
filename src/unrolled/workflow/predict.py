"""Predictions for new data from a bundle; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unrolled.core.bundle import Bundle
from unrolled.runtime import Prediction, Predictor, Which


def predict(
    bundle: Path | str | Bundle, data: Any, *, which: Which | None = None, stride: int = 1, **options: Any
) -> Prediction:
    """Predict with a bundle, or with the bundle in a run's folder.

    Args:
        bundle: file, folder of a run, or a bundle in memory.
        data: file, folder, frame or array of new data; no target is needed, but as the past of a forecast.
        which: "last" or "all" windows, see ``runtime.Predictor.predict``.
        stride: rows between two windows.
        options: of the reader.

    Raises:
        UnrolledError: bundle and data do not fit; the message says what differs.
    """
    return Predictor(open_bundle(bundle)).predict(data, which=which, stride=stride, **options)


def open_bundle(given: Path | str | Bundle) -> Bundle:
    """Read a bundle from its file or from a run's folder."""
    if isinstance(given, Bundle):
        return given
    path = Path(given)
    return Bundle.read(path / "model.unrolled" if path.is_dir() else path)
