"""Predictions for new data from a bundle; needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.runtime import Prediction, Predictor, Which

_NAME = "model.unrolled"  # of the bundle in a run's folder


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
    """Read a bundle from its file or from a run's folder.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    if isinstance(given, Bundle):
        return given
    path = Path(given)
    if not path.is_dir():
        return Bundle.read(path)
    if not (path / _NAME).exists():
        raise BundleError(
            f"there is no bundle in this folder ({_NAME})",
            where=str(path),
            mend="name a bundle or the folder of a run that has ended; a stopped one goes on with: "
            f"unrolled train --resume {path}",
        )
    return Bundle.read(path / _NAME)
