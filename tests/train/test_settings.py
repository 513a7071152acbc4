"""Options of training: what they refuse, what they default to."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from unrolled.train import TrainSettings


def test_defaults_are_the_documented_ones() -> None:
    settings = TrainSettings()
    assert (settings.clip_norm, settings.weight_decay, settings.patience) == (1.0, 1e-4, 5)
    assert (settings.step_factor, settings.step_epochs, settings.state_l2) == (0.9, 10, 0.0)
    assert settings.averaging == "none" and settings.precision == "32"


def test_every_option_is_described() -> None:
    for name, option in TrainSettings.model_fields.items():
        assert option.description, name


def test_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError, match="learning_rat"):
        TrainSettings.model_validate({"learning_rat": 0.1})


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"clip_norm": 0.0},
        {"momentum": 0.9},
        {"schedule": "one_cycle", "warmup": 1.0},
        {"precision": "64"},
        {"swa_start": 1.0},
    ],
)
def test_impossible_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSettings.model_validate(wrong)


def test_precision_may_be_a_number_as_yaml_reads_it() -> None:
    assert TrainSettings.model_validate({"precision": 32}).precision == "32"


def test_settings_survive_json_and_are_frozen() -> None:
    settings = TrainSettings(optimizer="sgd", momentum=0.5, freeze=("head.*",), clip_norm=None)
    assert TrainSettings.model_validate_json(settings.model_dump_json()) == settings
    with pytest.raises(ValidationError):
        setattr(settings, "epochs", 3)  # noqa: B010 - mypy knows it is frozen


def test_settings_need_no_torch() -> None:
    check = "import sys; from unrolled.train import TrainSettings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
