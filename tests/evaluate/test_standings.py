"""Answers to the same samples are compared in pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.workflow.small import config

from unrolled.advise.profile import Material
from unrolled.advise.profile.guess import part_of
from unrolled.evaluate import Part
from unrolled.evaluate.standings import Standings
from unrolled.prepare.answer import Answer
from unrolled.tasks import Task
from unrolled.workflow.job import prepare


@pytest.fixture(scope="module", params=["forecast", "regress"])
def given(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Task, Part]:
    job = prepare(config(request.param, tmp_path_factory.mktemp("standings")), None, None)
    section = job.sections["train"]
    schema = job.preprocessor.schema
    material = Material(job.task, schema, job.preprocessor, section.series, section.spans, section.samples)
    return job.task, part_of(material)


def answer(task: Task, part: Part, error: Any) -> Answer:
    return Answer(task.name, part.truth + error, targets=("y",))  # type: ignore[arg-type]


def test_a_common_error_cancels_in_the_difference(given: tuple[Task, Part]) -> None:
    task, part = given
    common = np.random.default_rng(0).normal(size=part.truth.shape)
    found = Standings.of(task, part, {"one": answer(task, part, common), "two": answer(task, part, 1.05 * common)},
                         train=part)  # fmt: skip
    gain, low, high = found.gain("one", "two")
    assert gain == pytest.approx(found.metric("two").value - found.metric("one").value)
    assert low is not None and high is not None and 0 < low < gain < high
    one, two = found.metric("one"), found.metric("two")
    assert one.high is not None and two.low is not None and one.high > two.low  # which intervals apart cannot tell
    back = found.gain("two", "one")
    assert back == pytest.approx((-gain, -high, -low))


def test_errors_of_the_same_size_are_not_told_apart(given: tuple[Task, Part]) -> None:
    task, part = given
    random = np.random.default_rng(1)
    answers = {name: answer(task, part, random.normal(size=part.truth.shape)) for name in ("one", "two")}
    _, low, high = Standings.of(task, part, answers, train=part).gain("one", "two")
    assert low is not None and high is not None and low < 0 < high
