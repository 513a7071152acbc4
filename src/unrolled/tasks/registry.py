"""The tasks by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest, validated
from unrolled.tasks.classify import Classify
from unrolled.tasks.failure import Failure
from unrolled.tasks.forecast import Forecast
from unrolled.tasks.regress import Regress
from unrolled.tasks.task import Task

TASKS: Mapping[str, type[Task]] = {task.name: task for task in (Classify, Failure, Forecast, Regress)}


def make_task(name: str, settings: Mapping[str, Any] | None = None) -> Task:
    """The task called ``name`` with the given settings, its defaults elsewhere.

    Raises:
        ConfigError: there is no such task or setting, or a value does not fit.
    """
    if name not in TASKS:
        raise ConfigError(f"there is no task {name!r}", where="option task", mend=nearest(name, TASKS))
    return TASKS[name](settings=validated(TASKS[name].options, settings or {}, where=name))
