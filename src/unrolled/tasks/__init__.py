"""Joins a net to a purpose: one file a task."""

from unrolled.tasks.anomaly import Anomaly, AnomalySettings
from unrolled.tasks.classify import Classify, ClassifySettings
from unrolled.tasks.ctc import Ctc, CtcSettings
from unrolled.tasks.failure import Failure, FailureSettings
from unrolled.tasks.forecast import Forecast, ForecastSettings
from unrolled.tasks.pairs import Pairs, PairsSettings
from unrolled.tasks.pretrain import Pretrain, PretrainSettings
from unrolled.tasks.recommend import Recommend, RecommendSettings
from unrolled.tasks.registry import TASKS, make_task
from unrolled.tasks.regress import Regress, RegressSettings
from unrolled.tasks.tag import Tag, TagSettings
from unrolled.tasks.task import Scales, Task, TaskSettings

__all__ = [
    "TASKS",
    "Anomaly",
    "AnomalySettings",
    "Classify",
    "ClassifySettings",
    "Ctc",
    "CtcSettings",
    "Failure",
    "FailureSettings",
    "Forecast",
    "ForecastSettings",
    "Pairs",
    "PairsSettings",
    "Pretrain",
    "PretrainSettings",
    "Recommend",
    "RecommendSettings",
    "Regress",
    "RegressSettings",
    "Scales",
    "Tag",
    "TagSettings",
    "Task",
    "TaskSettings",
    "make_task",
]
