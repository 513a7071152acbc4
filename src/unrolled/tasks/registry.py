"""The tasks by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest, validated
from unrolled.tasks.anomaly import Anomaly
from unrolled.tasks.classify import Classify
from unrolled.tasks.ctc import Ctc
from unrolled.tasks.failure import Failure
from unrolled.tasks.forecast import Forecast
from unrolled.tasks.pairs import Pairs
from unrolled.tasks.plugin import known, resolve
from unrolled.tasks.pretrain import Pretrain
from unrolled.tasks.recommend import Recommend
from unrolled.tasks.regress import Regress
from unrolled.tasks.tag import Tag
from unrolled.tasks.task import Task

TASKS: Mapping[str, type[Task]] = {
    task.name: task for task in (Anomaly, Classify, Ctc, Failure, Forecast, Pairs, Pretrain, Recommend, Regress, Tag)
}


def make_task(name: str, settings: Mapping[str, Any] | None = None, *, trusted: bool = True) -> Task:
    """The task called ``name`` with the given settings, its defaults elsewhere.

    Args:
        name: of the task.
        settings: its options.
        trusted: the settings are the user's own, and the functions they name are imported now. From a bundle they
            are not: names that this process does not know already are left out, so that no code runs.

    Raises:
        ConfigError: there is no such task, setting or function, or a value does not fit.
    """
    if name not in TASKS:
        raise ConfigError(f"there is no task {name!r}", where="option task", mend=nearest(name, TASKS))
    options = TASKS[name].options
    checked = validated(options, settings or {}, where=name)
    loss = getattr(checked, "loss", "")
    if trusted:
        for function in (*checked.metrics, *([loss] if ":" in loss else [])):
            resolve(function)
        return TASKS[name](settings=checked)
    safe: dict[str, Any] = {"metrics": tuple(filter(known, checked.metrics))}
    if ":" in loss and not known(loss):
        safe["loss"] = options.model_fields["loss"].default
    return TASKS[name](settings=checked.model_copy(update=safe))
