"""Every figure of a profile finds what was put into the data, and nothing where nothing was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import signal
from tests.workflow.small import config, write

from unrolled.advise.profile import Material, profile
from unrolled.advise.profile.course import autocorrelation, kpss, strength
from unrolled.advise.profile.material import Answered
from unrolled.advise.profile.memory import information_by_lag
from unrolled.advise.profile.noise import noise_share
from unrolled.core.advice import Profile
from unrolled.workflow.config import Config
from unrolled.workflow.job import prepare

RANDOM = np.random.default_rng(0)


def profiled(settings: Config) -> Profile:
    job = prepare(settings, None, None)

    def part(name: str) -> Material:
        section = job.sections[name]
        return Material(
            job.task, job.preprocessor.schema, job.preprocessor, section.series, section.spans, section.samples
        )

    held = part("valid") if "valid" in job.sections else None
    return profile(part("train"), held, judged_on="valid" if held else "")


def codes(found: Profile) -> set[str]:
    return {fact.code for fact in found.facts}


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.7])
def test_noise_of_a_slow_wave(share: float) -> None:
    wave = np.sqrt(2 * (1 - share)) * np.sin(np.arange(20_000) / 30)
    noisy = wave + np.sqrt(share) * RANDOM.normal(size=len(wave))
    assert noise_share([noisy]) == pytest.approx(share, abs=0.02)


def test_noise_of_what_does_not_vary_is_unknown() -> None:
    assert noise_share([np.ones(50)]) is None
    assert noise_share([np.array([1.0, np.nan, 2.0])]) is None


def test_autocorrelation_equals_the_sum_of_products() -> None:
    values = RANDOM.normal(size=300).cumsum()
    centred = values - values.mean()
    expected = [float(centred[lag:] @ centred[: 300 - lag]) / float(centred @ centred) for lag in range(40)]
    np.testing.assert_allclose(autocorrelation(values, 39), expected, atol=1e-10)


def test_a_level_is_kept_and_a_walk_is_not() -> None:
    steady = [kpss(RANDOM.normal(size=500)) for _ in range(200)]
    walks = [kpss(RANDOM.normal(size=500).cumsum()) for _ in range(50)]
    assert np.mean(np.array(steady) > 0.463) == pytest.approx(0.05, abs=0.04)  # the level of the test
    assert np.mean(np.array(walks) > 0.463) > 0.9


@pytest.mark.parametrize("period", [7, 24])
def test_strength_of_a_season(period: int) -> None:
    steps = np.arange(40 * period)
    season = np.sin(2 * np.pi * steps / period)
    noise = RANDOM.normal(size=len(steps))
    assert strength(season + 0.001 * steps, period) > 0.99
    assert strength(noise, period) < 0.15
    assert strength(season + np.sqrt(0.5) * noise, period) == pytest.approx(0.5, abs=0.1)


def planted(lag: int | None, classes: bool, count: int = 600, length: int = 40) -> Answered:
    x = RANDOM.normal(size=(count, length, 2))
    told = np.zeros(count) if lag is None else x[:, length - 1 - lag, 1]
    y = told + 0.7 * RANDOM.normal(size=count)
    return Answered(x, (y > 0).astype(np.float64) if classes else y, classes, ordered=False)


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("lag", [0, 11, 39])
def test_a_planted_lag_is_found(lag: int, classes: bool) -> None:
    lags, told, chance = information_by_lag(planted(lag, classes), seed=0)
    assert lags[np.argmax(told)] == lags[np.argmin(abs(lags - lag))]
    assert told.max() > chance


def test_noise_tells_nothing_in_nearly_all_data_sets() -> None:
    found = [information_by_lag(planted(None, False, count=150), seed) for seed in range(10)]
    assert sum(told.max() > chance for _, told, chance in found) <= 1


def test_neighbours_in_time_are_not_taken_for_memory() -> None:
    def smooth() -> Any:
        return signal.lfilter([1], [1, -0.98], RANDOM.normal(size=700))

    alike = 0
    for seed in range(10):
        x, y = smooth(), smooth()  # two walks that know nothing of each other
        windows = np.lib.stride_tricks.sliding_window_view(x, 20)[..., None]
        _, told, chance = information_by_lag(Answered(windows, y[19:], False, ordered=True), seed)
        alike += int(told.max() > chance)
    assert alike <= 3


def test_a_forecast(tmp_path: Path) -> None:
    found = profiled(config("forecast", tmp_path))
    figures = found.figures
    assert (figures["channels"], figures["targets"], figures["length"]) == (3, 1, 8)
    assert figures["season"] == 7 and figures["season_strength"] > 0.8
    assert "regular" in codes(found) and "complete" in codes(found)
    assert {scores.name for scores in found.guesses} == {"persistence", "seasonal_naive", "linear"}
    values = [scores.metrics[0].value for scores in found.guesses]
    assert values == sorted(values)
    assert {picture.name for picture in found.pictures} >= {"autocorrelation"}


def test_classes_and_lengths(tmp_path: Path) -> None:
    found = profiled(config("classify", tmp_path))
    assert found.figures["classes"] == 2 and found.figures["balance"] == pytest.approx(1, abs=0.1)
    assert "lengths_differ" in codes(found) and found.figures["length_low"] >= 10
    assert [scores.name for scores in found.guesses] == ["majority"]


def test_too_little_data_is_told(tmp_path: Path) -> None:
    found = profiled(config("classify", tmp_path))  # 24 sequences, of which a part is held out
    assert "share no rows" in found.too_small.en and found.too_small.zh
    (tmp_path / "large").mkdir()
    large = config("classify", tmp_path / "large")
    rows = (tmp_path / "classify.csv").read_text().splitlines()
    several = [row.replace("g", f"{copy}_", 1) for copy in range(4) for row in rows[1:]]
    (tmp_path / "large" / "classify.csv").write_text("\n".join([rows[0], *several]) + "\n")
    again = profiled(large)
    assert again.too_small.en == ""
    repeated = next(fact for fact in again.facts if fact.code == "repeated_samples")
    assert repeated.level == "watch" and repeated.figures["repeated"] > 0.5


def test_holes_irregular_times_and_a_leak(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    rows: list[list[object]] = []
    for at in range(60):
        level, time = random.normal(), 0.0
        for _ in range(12):
            time += 0.01 + float(random.exponential())
            hole = "" if random.random() < 0.2 else round(random.normal(), 4)
            rows.append([f"s{at}", round(time, 4), hole, round(2 * level + random.normal() / 100, 4), round(level, 4)])
    path = write(tmp_path / "visits.csv", ("id", "time", "a", "copy", "level"), rows)
    data = {"path": str(path), "target": "level", "group": "id", "time": "time", "split": {"valid": 0.2}}
    found = profiled(Config.parse({"data": data, "task": {"name": "regress"}}))
    assert found.figures["missing"] == pytest.approx(0.1, abs=0.03)  # of two channels
    assert found.figures["irregular"] == 1
    leak = next(fact for fact in found.facts if fact.code == "leaked_target")
    assert leak.level == "watch" and "copy" in leak.said.en


@pytest.mark.parametrize("kind", ["forecast", "classify", "regress", "failure"])
def test_everything_is_said_in_both_languages(kind: str, tmp_path: Path) -> None:
    for fact in profiled(config(kind, tmp_path)).facts:
        assert fact.said.en and fact.said.zh and bool(fact.method.en) == bool(fact.method.zh), fact.code
        assert all(np.isfinite(list(fact.figures.values()))), fact.code


@pytest.mark.parametrize("leaked", [False, True])
def test_levels_that_go_together_are_no_leak_and_the_next_value_is(leaked: bool, tmp_path: Path) -> None:
    close = 100 + np.random.default_rng(6).normal(size=601).cumsum()
    low = close - np.abs(np.random.default_rng(7).normal(size=601))
    other = np.append(close[1:], close[-1]) if leaked else low
    rows = [(str(np.datetime64("2022-01-01") + at), close[at], other[at]) for at in range(600)]
    path = write(tmp_path / "share.csv", ("day", "close", "other"), rows)
    data = {"path": str(path), "target": "close", "window": 10}
    found = profiled(Config.parse({"data": data, "task": {"name": "forecast", "horizon": 1}}))
    assert ("leaked_target" in codes(found)) == leaked


def test_a_rare_class_is_watched_and_one_class_alone_is_too_little(tmp_path: Path) -> None:
    def kinds(rare: int) -> Profile:
        random = np.random.default_rng(8)
        names = ["a"] * 40 + ["b"] * rare
        rows = [(f"g{at}", step, round(random.normal(), 3), name) for at, name in enumerate(names) for step in range(5)]
        path = write(tmp_path / f"{rare}.csv", ("id", "t", "x", "kind"), rows)
        return profiled(Config.parse({"data": {"path": str(path), "target": "kind", "split": {"valid": 0, "test": 0}}}))

    assert "Fewer than two classes" in kinds(3).too_small.en
    few = kinds(12)
    assert few.too_small.en == "" and few.figures["learnable"] == 2
    assert all(fact.level == "fine" for fact in few.facts if fact.topic == "classes")
