"""``unrolled advise`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.terminal import unrolled
from tests.workflow.small import gestures, prices

from unrolled.cli.amounts import seconds, size
from unrolled.core.advice import Advice
from unrolled.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"), [("250kB", 250e3), ("1MB", 1e6), ("2MiB", 2**21), ("7", 7.0), ("1.5 gb", 1.5e9)]
)
def test_sizes(text: str, value: float) -> None:
    assert size(text, "--size") == value


@pytest.mark.parametrize(
    ("text", "value"), [("5ms", 5e-3), ("5m", 300.0), ("0.5h", 1800.0), ("0", 0.0), ("20us", 2e-5)]
)
def test_times(text: str, value: float) -> None:
    assert seconds(text, "--latency") == pytest.approx(value)


@pytest.mark.parametrize("text", ["5 parsecs", "fast", "-1ms", "1e3s", ""])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ConfigError, match="--latency"):
        seconds(text, "--latency")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_profile_and_rules(language: str, tmp_path: Path) -> None:
    data = prices(tmp_path / "prices.csv", rows=500)
    out = tmp_path / "advice"
    options = ["--target", "Close", "--window", 10, "--device", "phone", "--out", out, "--lang", language]
    found = unrolled("advise", data, *options)
    assert found.code == 0 and found.err == ""
    assert found.out.splitlines()[-2:] == [str(out / "config.yaml"), str(out / "advice.html")]
    record = Advice.model_validate_json((out / "advice.json").read_bytes())
    assert record.recommendation is not None
    shown = found.out.replace("\n", " ")
    assert record.recommendation.said.text("zh" if language == "zh" else "en")[:30] in shown
    assert "in_doubt_gru" in shown and "unrolled train --config" in shown
    again = unrolled("advise", data, *options)
    assert again.code == 2 and "holds a run already" in again.err


def test_trials_are_told_on_stderr(tmp_path: Path) -> None:
    data = prices(tmp_path / "prices.csv", rows=400)
    options = [
        "--target",
        "Close",
        "--window",
        10,
        "--measure",
        "4s",
        "--set",
        "train.epochs=1",
        "--out",
        tmp_path / "a",
    ]
    found = unrolled("advise", data, *options)
    assert found.code == 0 and "linear: rmse" in found.err and "boosting: rmse" in found.err
    assert "linear" in (tmp_path / "a" / "advice.html").read_text(encoding="utf-8")


def test_too_small(tmp_path: Path) -> None:
    found = unrolled("advise", gestures(tmp_path / "g.csv", count=20), "--target", "kind", "--out", tmp_path / "a")
    assert found.code == 0 and "Nothing is advised" in found.out and "config.yaml" not in found.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "fridge"], "there is no device 'fridge'"),
        (["--size", "huge"], "'huge' is not an amount"),
        (["--need", "sreaming"], "Did you mean 'streaming'"),
        (["--lang", "fr"], "there is no language"),
        (["--target", "Nothing"], "Nothing"),
    ],
)
def test_mistakes(options: list[str], said: str, tmp_path: Path) -> None:
    found = unrolled("advise", prices(tmp_path / "prices.csv"), *options, "--out", tmp_path / "a")
    assert found.code == 2 and said in found.err and "Traceback" not in found.err
    assert not (tmp_path / "a").exists()
