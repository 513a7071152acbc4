"""The results that rooms hand to each other and to the report: plain, frozen, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

Language = Literal["en", "zh"]


class Record(BaseModel):
    """Base of all records: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Note(Record):
    """A fact, an assumption or a warning, said in both languages where it was found.

    ``code`` is a stable snake_case word that tests and scripts can rely on.
    """

    code: str
    en: str
    zh: str
    level: Literal["info", "warning"] = "info"

    def text(self, language: Language = "en") -> str:
        return self.zh if language == "zh" else self.en


class Metric(Record):
    """One figure, with its bootstrap interval where one was computed.

    ``better`` is "nominal" where the best value is the one that was promised, as of an interval's coverage.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    better: Literal["lower", "higher", "nominal"] = "lower"


class Scores(Record):
    """All figures of one model or baseline (``name`` is "model", "persistence", ...)."""

    name: str
    metrics: tuple[Metric, ...]

    def __getitem__(self, name: str) -> Metric:
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)


class Verdict(Record):
    """The evaluation in one sentence."""

    level: Literal["good", "fair", "poor"]
    code: str
    en: str
    zh: str

    def text(self, language: Language = "en") -> str:
        return self.zh if language == "zh" else self.en


class ForecastPicture(Record):
    """Truth and forecast of one target over one stretch, in original units; missing values are null."""

    kind: Literal["forecast"] = "forecast"
    target: str
    series: str
    time: tuple[str, ...]
    truth: tuple[float | None, ...]
    forecast: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


class ResidualPicture(Record):
    """Error (truth minus prediction): by horizon step, and as a histogram."""

    kind: Literal["residual"] = "residual"
    target: str
    step_error: tuple[float, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class ScatterPicture(Record):
    """Predicted against true values (regression)."""

    kind: Literal["scatter"] = "scatter"
    target: str
    truth: tuple[float, ...]
    predicted: tuple[float, ...]


class ConfusionPicture(Record):
    """Rows are true classes, columns predicted ones."""

    kind: Literal["confusion"] = "confusion"
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]


class CurvePicture(Record):
    """Named lines over one axis: precision-recall, calibration, ..."""

    kind: Literal["curve"] = "curve"
    name: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    lines: dict[str, tuple[float, ...]]

    @classmethod
    def by_lag(cls, name: str, y_label: str, lines: Mapping[str, tuple[float, ...]]) -> Self:
        """Lines over the steps before the last one, which is 0."""
        x = tuple(map(float, range(max(map(len, lines.values())))))
        return cls(name=name, x_label="lag", y_label=y_label, x=x, lines=dict(lines))


class BarPicture(Record):
    """A figure for each of some names."""

    kind: Literal["bar"] = "bar"
    name: str
    y_label: str
    labels: tuple[str, ...]
    values: tuple[float, ...]


class HeatPicture(Record):
    """A figure for each pair of a row and a column, as a field of colours.

    Attributes:
        name: of the picture.
        x_label, y_label, value_label: what columns, rows and figures are.
        x: names of the columns.
        y: names of the rows, from the top.
        values: one list for each of ``y``, with a figure for each of ``x``; null where there is none.
        signed: 0 is the middle of the colours.
        place: the layer that it is of, or "".
    """

    kind: Literal["heat"] = "heat"
    name: str
    x_label: str
    y_label: str
    value_label: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    signed: bool = False
    place: str = ""


class ScorePicture(Record):
    """Anomaly scores of one stretch of rows, or of sequences one after another, with the alarm threshold.

    ``label`` says which are known to be unusual (true), usual (false) or not known (null).
    """

    kind: Literal["score"] = "score"
    series: str
    time: tuple[str, ...]
    score: tuple[float, ...]
    threshold: float
    label: tuple[bool | None, ...]


Picture = ForecastPicture | ResidualPicture | ScatterPicture | ConfusionPicture | CurvePicture | ScorePicture


class Evaluation(Record):
    """A model measured on one part of the data, beside its baselines."""

    task: str
    part: str
    count: int
    model: Scores
    baselines: tuple[Scores, ...] = ()
    verdict: Verdict
    notes: tuple[Note, ...] = ()
    pictures: tuple[Picture, ...] = ()


class DataFacts(Record):
    """What is known of the data, for the report and the bundle."""

    source: str
    rows: int
    series: int
    length: tuple[int, int, int]  # shortest, median, longest sequence, in steps
    columns: tuple[dict[str, Any], ...]  # name, role, kind, missing share, ...
    frequency: str | None = None
    span: tuple[str, str] | None = None  # first and last time stamp
    parts: dict[str, int] = {}  # samples in train, valid, test
    fingerprint: str = ""
    notes: tuple[Note, ...] = ()


class NetFacts(Record):
    """The net in figures and in one line per layer."""

    spec: list[dict[str, Any]] | str
    layers: tuple[tuple[str, str, int], ...]  # name, output shape, parameters
    parameters: int
    bytes: int


class RunFacts(Record):
    """How a run went: what the report and ``compare`` read beside the evaluation."""

    name: str
    task: str
    target: tuple[str, ...]
    command: str
    created: str  # ISO 8601, UTC
    seconds: float
    epochs: int
    best_epoch: int
    environment: dict[str, str]
    assumptions: tuple[Note, ...] = ()


class Run(Record):
    """Everything a report shows; ``curves`` has one row per epoch, as in ``metrics.jsonl``."""

    facts: RunFacts
    data: DataFacts
    net: NetFacts
    config: dict[str, Any]
    curves: tuple[dict[str, float], ...]
    evaluation: Evaluation
