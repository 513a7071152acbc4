"""Simple methods that every model is judged beside.

Letters: n samples, S steps, M targets, L rows of a window, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from unrolled.core.optional import require
from unrolled.evaluate.contest import Contest
from unrolled.evaluate.items import popularity, transitions
from unrolled.evaluate.nlinear import NLinear
from unrolled.evaluate.part import Part
from unrolled.evaluate.strings import median_string
from unrolled.evaluate.texts import tfidf
from unrolled.prepare import scores
from unrolled.prepare.answer import Answer
from unrolled.prepare.binding import look_up
from unrolled.prepare.calibrate import threshold
from unrolled.prepare.labels import recoding
from unrolled.prepare.pages import taken
from unrolled.prepare.series import Column
from unrolled.prepare.training import stream_rows
from unrolled.prepare.transforms.affine import moments
from unrolled.tasks.task import Values

_MOST = 20_000  # training windows of the linear forecast and of the logistic regression
_CHUNK = 4096  # windows at once


def persistence(contest: Contest) -> Answer:
    """The last value, again and again."""
    return _forecast(contest, np.repeat(contest.part.last()[:, None], contest.part.truth.shape[1], axis=1))


def seasonal_naive(contest: Contest) -> Answer | None:
    """The value one season ago; the last value where the sequence does not reach back so far."""
    part, season = contest.part, contest.season
    if season < 2:
        return None
    step = np.arange(part.truth.shape[1])
    row = part.samples.end[:, None] + step - season * (step // season + 1)
    begins = part.series.starts[part.samples.series][:, None]
    found = taken(part.series.values, np.maximum(row, begins))[..., part.targets]
    found[row < begins] = np.nan
    return _forecast(contest, np.where(np.isnan(found), part.last()[:, None], found))


def linear(contest: Contest) -> Answer | None:
    """The linear forecast of ``NLinear``, trained on at most 20,000 windows."""
    train = contest.train
    fitted = None if train is None else NLinear.fit(train[spread(len(train))])
    return None if fitted is None else _forecast(contest, fitted.predict(contest.part))


def majority(contest: Contest) -> Answer:
    """The most frequent class, with the shares of all classes as probabilities."""
    learnt = (contest.train or contest.part).truth
    widest = max(len(classes) for classes in contest.classes)
    probability = np.zeros((len(contest.classes), widest))
    for at in range(len(contest.classes)):
        codes = learnt[np.isfinite(learnt[:, at]), at].astype(np.int64)
        probability[at] = np.bincount(codes, minlength=widest) / max(1, len(codes))
    return _labels(contest, np.tile(probability, (len(contest.part), 1, 1)), contest.classes)


def mean(contest: Contest) -> Answer:
    """The mean of the training part."""
    learnt = (contest.train or contest.part).truth
    cap = getattr(contest.task.settings, "cap", None)
    center = np.nanmean(learnt if cap is None else np.minimum(learnt, cap), axis=0)
    return Answer("regress", np.tile(center, (len(contest.part), 1)), targets=contest.names)


def prior(contest: Contest) -> Answer:
    """The share of failing samples, for everybody."""
    share = float(np.nanmean((contest.train or contest.part).truth))
    return _alarms(contest, np.full(len(contest.part), share), limit=1.0)


def logistic(contest: Contest) -> Answer | None:
    """Logistic regression on the numbers of the window's last row; its alarm threshold has the best F1 in training."""
    train = contest.train
    if train is None:
        return None
    label = train.truth[:, 0]
    known = np.flatnonzero(np.isfinite(label))
    known = known[spread(len(known))]
    x, fresh = _last_rows(train[known]), _last_rows(contest.part)
    if len(np.unique(label[known])) < 2 or x.shape[1] == 0:
        return None
    purpose = "the logistic baseline"
    linear_model = require("sklearn.linear_model", extra="train", purpose=purpose)
    preprocessing = require("sklearn.preprocessing", extra="train", purpose=purpose)
    center = np.nan_to_num(np.nanmean(np.where(np.isfinite(x).any(0), x, 0), axis=0))
    x, fresh = (np.where(np.isfinite(values), values, center) for values in (x, fresh))
    scaler = preprocessing.StandardScaler().fit(x)
    model = linear_model.LogisticRegression(max_iter=2000).fit(scaler.transform(x), label[known])
    limit = threshold(model.predict_proba(scaler.transform(x))[:, 1], label[known].astype(np.int64))
    return _alarms(contest, model.predict_proba(scaler.transform(fresh))[:, 1], limit)


def by_input(contest: Contest) -> Answer | None:
    """The label most frequent in training where the current row has the same category, of the column that tells most.

    An unknown category gets the most frequent label of all.
    """
    part, train = contest.part, contest.train
    columns = [c for c in part.series.of_role("feature", "known") if c.kind == "category" and c.level == "row"]
    if train is None or not columns:
        return None
    tables = [_label_shares(train, column, contest.classes) for column in columns]
    told = [sum(float(own.max(-1).sum()) for own in table) for table in tables]
    best = int(np.argmax(told))
    widest = max(len(classes) for classes in contest.classes)
    rows = _categories(part, columns[best], train)
    probability = np.zeros((len(part), len(contest.classes), widest))
    for at, counts in enumerate(tables[best]):
        counts[-1] = counts.sum(0)
        counts = np.where(counts.sum(1, keepdims=True) > 0, counts, counts[-1])
        probability[:, at, : counts.shape[1]] = (counts / counts.sum(1, keepdims=True))[rows]
    return _labels(contest, probability, contest.classes)


def zscore(contest: Contest) -> Answer | None:
    """Each row by itself: how far its numbers lie from the mean of the training part, in standard deviations.

    Scores are put together, and the alarm threshold is found, as for the model, on the training part.
    """
    part, train, settings = contest.part, contest.train, contest.task.settings
    if train is None:
        return None
    center, scale = _moments(train)
    learnt, own = (_distances(some, center, scale, getattr(settings, "combine", "mean")) for some in (train, part))
    limit = scores.threshold_of(learnt, getattr(settings, "false_alarms", 0.01))
    return Answer(
        "anomaly",
        (own > limit).astype(np.float64)[:, None],
        score=own[:, None],
        threshold=limit,
        targets=contest.names,
        classes=contest.classes,
    )


BASELINES: Mapping[str, Callable[[Contest], Answer | None]] = {
    "persistence": persistence,
    "seasonal_naive": seasonal_naive,
    "linear": linear,
    "majority": majority,
    "by_input": by_input,
    "mean": mean,
    "prior": prior,
    "logistic": logistic,
    "zscore": zscore,
    "median_string": median_string,
    "popularity": popularity,
    "tfidf": tfidf,
    "transitions": transitions,
}


def baselines(contest: Contest) -> dict[str, Answer]:
    """The task's baselines that can be computed here."""
    found = {name: BASELINES[name](contest) for name in contest.task.baselines}
    return {name: answer for name, answer in found.items() if answer is not None}


def spread(count: int) -> npt.NDArray[np.int64]:
    """Places of the training windows, of ``count``, that a baseline learns from: at most 20,000, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, _MOST)).astype(np.int64))


def _last_rows(part: Part) -> npt.NDArray[np.float64]:
    """``(n, features)`` numeric inputs at the end of each window."""
    series, samples = part.series, part.samples
    used = [c for c in series.of_role("feature", "known", "static") if c.kind == "number"]
    columns = [
        taken(series.values[:, series.index(c)], samples.end - 1)
        if c.level == "row"
        else series.cases[samples.series, series.index(c)]
        for c in used
    ]
    return np.stack(columns, axis=1).astype(np.float64) if columns else np.empty((len(samples), 0))


def _categories(part: Part, column: Column, train: Part) -> npt.NDArray[np.int64]:
    """``(n,)`` number of the category in the row of each sample, as the training part counts; the last: unknown."""
    series = part.series
    own = next(c for c in series.row_columns if c.name == column.name)
    known = next(c for c in train.series.row_columns if c.name == column.name).categories
    raw = taken(series.values[:, series.index(own)], part.samples.end - 1)
    return look_up(raw, recoding(own.categories, known)).astype(np.int64)


def _label_shares(train: Part, column: Column, classes: tuple[tuple[str, ...], ...]) -> list[npt.NDArray[np.float64]]:
    """``(categories + 1, K)`` how often each label of a target stands beside each category."""
    rows = _categories(train, column, train)
    size = len(next(c for c in train.series.row_columns if c.name == column.name).categories) + 1
    found = []
    for at, labels in enumerate(classes):
        known = np.isfinite(train.truth[:, at])
        counts = np.zeros((size, len(labels)))
        np.add.at(counts, (rows[known], train.truth[known, at].astype(np.int64)), 1)
        found.append(counts)
    return found


def _channels(part: Part) -> list[int]:
    """Numeric columns of the rows that are inputs."""
    series = part.series
    used = [c for c in series.of_role("feature", "known") if c.kind == "number" and c.level == "row"]
    return [series.index(column) for column in used]


def _moments(train: Part) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """``(C,)`` mean and standard deviation of the numeric inputs over all rows of the samples."""
    one_group = np.zeros(len(train.series.ids), dtype=np.int64)
    stream = stream_rows(train.series.values, _channels(train), train.rows(), one_group, 1)
    center, scale = moments(stream)
    return center[0], np.where(scale[0] > 0, scale[0], 1.0)


def _distances(part: Part, center: Values, scale: Values, combine: scores.Combine) -> npt.NDArray[np.float64]:
    """``(n,)`` scores: of the last row of a sample where answers are one a row, else of all its rows together."""
    samples, columns = part.samples, _channels(part)
    whole = any(column.level == "case" for column in part.series.of_role("target"))
    found = []
    for at in range(0, len(samples), _CHUNK):
        some = samples[at : at + _CHUNK]
        rows = some.rows().end - 1 if whole else some.end - 1
        errors = taken(part.series.values, rows)[:, None, columns]
        score = scores.row_scores(errors, center, scale)
        found.append(scores.sequence_scores(score, some.counts, combine) if whole else score)
    return np.concatenate(found) if found else np.zeros(0)


def _forecast(contest: Contest, value: Values) -> Answer:
    return Answer("forecast", value, targets=contest.names)


def _labels(contest: Contest, probability: Values, classes: tuple[tuple[str, ...], ...]) -> Answer:
    value = probability.argmax(-1).astype(np.float64)
    task: Literal["pairs", "classify"] = "pairs" if contest.task.name == "pairs" else "classify"
    return Answer(task, value, probability=probability, targets=contest.names, classes=classes)


def _alarms(contest: Contest, chance: Values, limit: float) -> Answer:
    return Answer(
        "failure",
        (chance >= limit).astype(np.float64)[:, None],
        probability=np.stack([1 - chance, chance], axis=-1)[:, None],
        targets=contest.names,
        classes=(("no", "yes"),),
    )
