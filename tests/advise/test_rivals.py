"""Rivals learn what they can learn, on every task that has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.workflow.small import config, levels

from unrolled.advise.features import features, is_flat
from unrolled.advise.profile import Material
from unrolled.advise.profile.guess import part_of
from unrolled.advise.rivals import RIVALS, TASKS
from unrolled.evaluate import Contest
from unrolled.evaluate.baselines import linear
from unrolled.evaluate.standings import Standings
from unrolled.workflow.config import Config
from unrolled.workflow.job import prepare


def material(kind: str, folder: Path, name: str = "train") -> Material:
    return of(config(kind, folder), name)


def of(settings: Config, name: str) -> Material:
    job = prepare(settings, None, None)
    section = job.sections[name]
    return Material(job.task, job.preprocessor.schema, job.preprocessor, section.series, section.spans, section.samples)


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("kind", TASKS)
def test_a_rival_answers_every_task(kind: str, rival: str, tmp_path: Path) -> None:
    train = material(kind, tmp_path)
    fitted = RIVALS[rival](train, 0)
    answer = fitted.answer(train)
    part = part_of(train)
    assert answer.value.shape == part.truth.shape and np.isfinite(answer.value).all()
    assert fitted.parameters > 0
    fitted.prepared(train)()
    figure = Standings.of(train.task, part, {"rival": answer}, train=part).metric("rival")
    assert np.isfinite(figure.value)


def test_the_linear_forecast_is_that_of_the_baselines(tmp_path: Path) -> None:
    train, test = material("forecast", tmp_path), material("forecast", tmp_path, "test")
    names = tuple(column.name for column in train.preprocessor.layout.targets)
    expected = linear(Contest(train.task, part_of(test), part_of(train), names))
    assert expected is not None
    np.testing.assert_allclose(RIVALS["linear"](train, 0).answer(test).value, expected.value)


def test_the_height_of_a_wave_is_read_off_its_sums(tmp_path: Path) -> None:
    settings = config("regress", tmp_path)
    levels(tmp_path / "regress.csv", count=200)
    train = of(settings, "train")
    answer = RIVALS["linear"](train, 0).answer(train).value
    truth = part_of(train).truth
    assert np.corrcoef(answer[:, 0], truth[:, 0])[0, 1] > 0.8


def test_features_of_unequal_lengths_do_not_see_the_padding(tmp_path: Path) -> None:
    train = material("classify", tmp_path)
    assert not is_flat(train)
    together = features(train, flat=False)
    each = (replace(train, samples=train.samples[at : at + 1]) for at in range(len(train.samples)))
    alone = [features(one, flat=False)[0] for one in each]
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-5, atol=1e-6)
