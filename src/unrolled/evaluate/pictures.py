"""What the report draws: arrays in, small records out.

Letters: n samples, S steps, M targets, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.optional import require
from unrolled.core.records import (
    CurvePicture,
    ForecastPicture,
    Picture,
    ResidualPicture,
    ScatterPicture,
    ScorePicture,
)
from unrolled.evaluate.matrix import confusion_picture
from unrolled.evaluate.part import Part
from unrolled.evaluate.strings import string_pictures
from unrolled.prepare.answer import Answer
from unrolled.tasks.task import Values

_PICTURES = 4  # of a kind
_POINTS = 2000  # of a forecast
_DOTS = 1000  # of a scatter plot
_BARS = 30
_CURVE = 300  # points
_BINS = 10  # of a calibration curve


def pictures(part: Part, answer: Answer) -> tuple[Picture, ...]:
    """The pictures of a task's answer."""
    if answer.task == "forecast":
        return (*forecasts(part, answer), *residuals(part.truth, answer))
    if answer.task == "regress":
        return (*scatters(part.truth, answer), *residuals(part.truth[:, None], answer))
    if answer.task == "anomaly":
        return tuple(score_pictures(part, answer))
    if answer.task == "ctc":
        return string_pictures(part.truth, answer)
    if answer.task == "recommend":
        return (recall_curve(part.truth, answer),)
    drawn: list[Picture] = []
    for at in range(min(_PICTURES, len(answer.targets))):
        codes = part.truth[:, at]
        known = np.isfinite(codes)
        truth, predicted = codes[known].astype(np.int64), answer.value[known, at].astype(np.int64)
        if not len(truth):
            continue
        drawn.append(confusion_picture(truth, predicted, answer.classes[at]))
        assert answer.probability is not None
        chance = answer.probability[known, at]
        if answer.task in ("failure", "pairs"):
            drawn += failure_curves(truth == 1, chance[:, 1])
        else:
            top = chance.max(-1)
            drawn.append(calibration_curve(chance.argmax(-1) == truth, top))
    return tuple(drawn)


def forecasts(part: Part, answer: Answer) -> list[Picture]:
    """Forecast and truth side by side, for at most four targets or sequences, in windows that do not overlap."""
    samples, horizon = part.samples, part.truth.shape[1]
    sequences = list(dict.fromkeys(samples.series.tolist()))[:_PICTURES]
    targets = range(min(len(answer.targets), max(1, _PICTURES // len(sequences)))) if sequences else range(0)
    times = part.times()
    drawn: list[Picture] = []
    for sequence in sequences:
        chosen = _apart(np.flatnonzero(samples.series == sequence), samples.end, horizon)
        name = part.series.ids[sequence] if len(part.series.ids) > 1 else ""
        for at in targets:
            quantiles = answer.quantiles
            drawn.append(
                ForecastPicture(
                    target=answer.targets[at],
                    series=name,
                    time=tuple(_stamp(time) for time in times[chosen].reshape(-1)),
                    truth=_line(part.truth[chosen, :, at]),
                    forecast=_line(answer.value[chosen, :, at]),
                    low=() if quantiles is None else _line(quantiles[chosen, :, at, 0]),
                    high=() if quantiles is None else _line(quantiles[chosen, :, at, -1]),
                )
            )
    return drawn


def residuals(truth: Values, answer: Answer) -> list[Picture]:
    """Mean absolute error by step, and how often errors of which size occur; truth is ``(n, S, M)``."""
    drawn: list[Picture] = []
    for at, target in enumerate(answer.targets[:_PICTURES]):
        error = truth[..., at].astype(np.float64) - answer.value.reshape(truth.shape)[..., at]
        known = np.isfinite(error)
        if not known.any():
            continue
        size = np.where(known, np.abs(error), 0).sum(0) / np.maximum(known.sum(0), 1)
        counts, edges = np.histogram(error[known], bins=_BARS)
        drawn.append(
            ResidualPicture(
                target=target, step_error=_numbers(size), edges=_numbers(edges), counts=tuple(counts.tolist())
            )
        )
    return drawn


def scatters(truth: Values, answer: Answer) -> list[Picture]:
    """Predicted against true numbers, every k-th of them in the order of the truth where there are many."""
    drawn: list[Picture] = []
    for at, target in enumerate(answer.targets[:_PICTURES]):
        known = np.flatnonzero(np.isfinite(truth[:, at]))
        order = known[np.argsort(truth[known, at], kind="stable")]
        order = order[:: max(1, -(-len(order) // _DOTS))]
        drawn.append(
            ScatterPicture(target=target, truth=_numbers(truth[order, at]), predicted=_numbers(answer.value[order, at]))
        )
    return drawn


def score_pictures(part: Part, answer: Answer) -> list[Picture]:
    """Scores along time of at most four sequences, the highest of each stretch where there are many; then the curves.

    Where scores are one a sequence, all of them one after another.
    """
    assert answer.score is not None and answer.threshold is not None
    label = part.truth[:, 0]
    by_row = not any(column.level == "case" for column in part.series.of_role("target"))
    pieces = [(part.series.ids[s], part.samples.series == s) for s in _most_unusual(part, answer)] if by_row else []
    drawn: list[Picture] = []
    for name, own in pieces or [("", np.ones(len(part), dtype=bool))]:
        at = _peaks(np.flatnonzero(own), answer.score[:, 0])
        times = part.times()[at] if by_row else np.asarray(part.series.ids, dtype=object)[part.samples.series[at]]
        drawn.append(
            ScorePicture(
                series=name if len(part.series.ids) > 1 else "",
                time=tuple(_stamp(time) for time in times),
                score=_numbers(answer.score[at, 0]),
                threshold=answer.threshold,
                label=tuple(None if np.isnan(known) else bool(known) for known in label[at]),
            )
        )
    known = np.isfinite(label)
    if not (label[known] == 1).any():
        return drawn
    return [*drawn, precision_recall(label[known] == 1, answer.score[known, 0])]


def _most_unusual(part: Part, answer: Answer) -> list[int]:
    """The four sequences with the highest scores."""
    assert answer.score is not None
    highest = np.full(len(part.series.ids), -np.inf)
    np.maximum.at(highest, part.samples.series, answer.score[:, 0])
    order = np.argsort(-highest, kind="stable")[:_PICTURES]
    return [int(s) for s in order if np.isfinite(highest[s])]


def _peaks(own: npt.NDArray[np.int64], score: Values) -> npt.NDArray[np.int64]:
    """Of at most ``_POINTS`` stretches of ``own`` the place with the highest score, so that no peak is lost."""
    stretches = np.array_split(own, min(_POINTS, len(own)))
    return np.array([some[np.argmax(score[some])] for some in stretches if len(some)], dtype=np.int64)


def failure_curves(positive: npt.NDArray[np.bool_], chance: Values) -> list[Picture]:
    """Precision against recall, and observed against predicted risk; nothing without a failure."""
    if not positive.any():
        return []
    return [precision_recall(positive, chance), calibration_curve(positive, chance)]


def precision_recall(positive: npt.NDArray[np.bool_], score: Values) -> CurvePicture:
    """Precision against recall over all thresholds; there must be a positive sample."""
    metrics = require("sklearn.metrics", extra="train", purpose="the precision-recall curve")
    precision, recall, _ = metrics.precision_recall_curve(positive, score, drop_intermediate=True)
    shown = np.unique(np.linspace(0, len(recall) - 1, min(len(recall), _CURVE)).astype(np.int64))
    return CurvePicture(
        name="precision_recall",
        x_label="recall",
        y_label="precision",
        x=_numbers(recall[shown][::-1]),
        lines={"precision": _numbers(precision[shown][::-1])},
    )


def recall_curve(truth: Values, answer: Answer) -> CurvePicture:
    """Share of the items that followed among the best k, for each k."""
    assert answer.ranking is not None
    found = (answer.ranking[:, 0] == truth)[np.isfinite(truth[:, 0])]
    share = np.cumsum(found, axis=1).mean(0)
    return CurvePicture(
        name="recall_at",
        x_label="items_recommended",
        y_label="recall",
        x=tuple(float(rank) for rank in range(1, len(share) + 1)),
        lines={"recall": _numbers(share)},
    )


def calibration_curve(happened: npt.NDArray[np.bool_], chance: Values) -> CurvePicture:
    """Share of what happened against the mean predicted probability, in ten bins of equally many samples."""
    order = np.argsort(chance, kind="stable")
    bins = [some for some in np.array_split(order, min(_BINS, len(order))) if len(some)]
    return CurvePicture(
        name="calibration",
        x_label="probability",
        y_label="share",
        x=tuple(float(chance[some].mean()) for some in bins),
        lines={"share": tuple(float(happened[some].mean()) for some in bins)},
    )


def _apart(chosen: npt.NDArray[np.int64], end: npt.NDArray[np.int64], horizon: int) -> npt.NDArray[np.int64]:
    """The last samples of ``chosen`` whose horizons do not overlap, at most ``_POINTS`` steps in all."""
    kept: list[int] = []
    limit = np.inf
    for at in chosen[np.argsort(end[chosen], kind="stable")][::-1]:
        if end[at] + horizon <= limit:
            kept.append(int(at))
            limit = end[at]
        if (len(kept) + 1) * horizon > _POINTS:
            break
    return np.array(kept[::-1], dtype=np.int64)


def _stamp(time: Any) -> str:
    """ISO time to the second, without a midnight that only pads a date; plain numbers as they are."""
    if isinstance(time, np.datetime64):
        return str(time.astype("datetime64[s]")).replace("T00:00:00", "")
    return f"{time:g}" if isinstance(time, float | np.floating) else str(time)


def _line(values: Values) -> tuple[float | None, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in values.reshape(-1))


def _numbers(values: Values) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
