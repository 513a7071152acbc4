"""The main job on real data that ships with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest
from unrolled.workflow.config import Config

_DEMOS = {
    "load": {
        "data": {
            "path": "ETTh1.csv",
            "target": ["OT"],
            "features": [],  # on the validation part the six loads as inputs made the forecast worse
            "split": {"by": "time", "valid": 2880, "test": 2880},
        },
        "task": {"name": "forecast", "horizon": 24},
    },
    "digits": {
        "data": {"path": "digits_train.npz", "test": "digits_test.npz", "split": {"by": "case"}},
        "task": {"name": "classify"},
        "train": {"epochs": 8},
    },
}


def demo_config(name: str) -> Config:
    """Settings of a demo: "load" (transformer temperature, a day ahead) or "digits" (spoken, classified).

    Raises:
        ConfigError: there is no such demo.
    """
    if name not in _DEMOS:
        raise ConfigError(f"there is no demo {name!r}", where="DEMO", mend=nearest(name, _DEMOS))
    config = Config.parse(_DEMOS[name])
    paths = {key: str(shipped(getattr(config.data, key))) for key in ("path", "test") if getattr(config.data, key)}
    return config.model_copy(update={"data": config.data.model_copy(update=paths)})


def shipped(name: str) -> Path:
    """A data file of the package."""
    return Path(str(files(__name__) / name))
