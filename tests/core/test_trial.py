"""What a trial's record says of its end."""

from __future__ import annotations

import pytest

from unrolled.core.trial import Trial


@pytest.mark.parametrize(
    ("state", "stopped", "whole", "cut_short"),
    [
        ("done", "", True, False),  # a rival that is no net
        ("done", "epochs", True, False),
        ("done", "early", True, False),
        ("done", "time", False, True),
        ("done", "budget", False, True),
        ("pruned", "pruned", False, False),
        ("failed", "", False, False),
        ("interrupted", "interrupted", False, False),
    ],
)
def test_what_ended_a_training(state: str, stopped: str, whole: bool, cut_short: bool) -> None:
    trial = Trial.model_validate({"name": "a", "state": state, "stopped": stopped})
    assert (trial.whole, trial.cut_short) == (whole, cut_short)
