"""Rivals without a net: a linear model, and gradient boosting on lags (scikit-learn).

Letters: n samples, H horizon, M targets, S steps ahead that are learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unrolled.advise.features import CHUNK, features, is_flat, lags, paired
from unrolled.advise.profile.guess import part_of
from unrolled.advise.profile.material import Material
from unrolled.core.errors import DataError
from unrolled.core.optional import require
from unrolled.evaluate.nlinear import NLinear
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import threshold

Float = npt.NDArray[np.float64]

TASKS = ("classify", "failure", "forecast", "regress")
"""Tasks that have rivals beside their baselines."""

_CELLS = 4_000_000  # features times samples that are learnt from
_PAIRS = 60_000  # windows times steps and targets that boosting learns from in a forecast


class Rival(Protocol):
    """Something fitted that answers samples of the same kind as it was fitted to."""

    @property
    def parameters(self) -> int:
        """Numbers that were learnt."""

    def answer(self, part: Material) -> Answer:
        """Answers in original units."""

    def prepared(self, part: Material) -> Callable[[], object]:
        """A call that answers the first sample of ``part``, whose inputs were prepared before: for timing."""


Fit = Callable[[Material, int], Rival]


@dataclass(frozen=True)
class _Linear:
    """The linear forecast of the baselines."""

    fitted: NLinear

    @property
    def parameters(self) -> int:
        return self.fitted.parameters

    def answer(self, part: Material) -> Answer:
        names = tuple(column.name for column in part.preprocessor.layout.targets)
        return Answer("forecast", self.fitted.predict(part_of(part)), targets=names)

    def prepared(self, part: Material) -> Callable[[], object]:
        first = part_of(replace(part, samples=part.samples[:1]))
        return lambda: self.fitted.predict(first)


@dataclass(frozen=True)
class _OfFeatures:
    """An estimator of scikit-learn for each target, on features of the window."""

    models: tuple[Any, ...]
    flat: bool
    parameters: int
    alarm: float = 0.5

    def answer(self, part: Material) -> Answer:
        x = features(part, self.flat)
        names = tuple(column.name for column in part.preprocessor.layout.targets)
        if part.task.name == "regress":
            return Answer("regress", np.stack([model.predict(x) for model in self.models], 1), targets=names)
        if part.task.name == "failure":
            chance = self.models[0].predict_proba(x)[:, 1]
            return Answer(
                "failure",
                (chance >= self.alarm).astype(np.float64)[:, None],
                probability=np.stack([1 - chance, chance], axis=-1)[:, None],
                targets=names,
                classes=(("no", "yes"),),
            )
        classes = part.preprocessor.classes
        probability = np.zeros((len(x), len(self.models), max(map(len, classes))))
        for at, model in enumerate(self.models):
            probability[:, at, model.classes_.astype(np.int64)] = model.predict_proba(x)
        value = probability.argmax(-1).astype(np.float64)
        return Answer("classify", value, probability=probability, targets=names, classes=classes)

    def prepared(self, part: Material) -> Callable[[], object]:
        x = features(replace(part, samples=part.samples[:1]), self.flat)
        return lambda: [model.predict(x) for model in self.models]


@dataclass(frozen=True)
class _Boosted:
    """One model for all steps and targets: the change from the last value, by lags, step ahead and target."""

    model: Any
    parameters: int

    def answer(self, part: Material) -> Answer:
        pieces = [part.samples[at : at + CHUNK] for at in range(0, len(part.samples), CHUNK)]
        steps, found = part.preprocessor.horizon, []
        for piece in pieces:
            x, last = lags(part, piece)
            n, targets = last.shape
            pairs = paired(x, np.arange(steps)[None].repeat(n, 0))
            change = self.model.predict(pairs).reshape(n, targets, steps).transpose(0, 2, 1)
            found.append(part.preprocessor.invert(change + last[:, None], part.series, piece))
        names = tuple(column.name for column in part.preprocessor.layout.targets)
        return Answer("forecast", np.concatenate(found), targets=names)

    def prepared(self, part: Material) -> Callable[[], object]:
        x, _ = lags(part, part.samples[:1])
        pairs = paired(x, np.arange(part.preprocessor.horizon)[None])
        return lambda: self.model.predict(pairs)


def linear(train: Material, seed: int) -> Rival:
    """Ridge on the window of a forecast; ridge or logistic regression on features elsewhere."""
    if train.task.name == "forecast":
        fitted = NLinear.fit(part_of(train))
        if fitted is None:
            raise DataError("too few windows are known", where=train.series.source)
        return _Linear(fitted)
    models = require("sklearn.linear_model", extra="train", purpose="a linear rival")
    pipeline = require("sklearn.pipeline", extra="train", purpose="a linear rival").make_pipeline
    scaler = require("sklearn.preprocessing", extra="train", purpose="a linear rival").StandardScaler
    if train.task.name == "regress":
        return _of_features(train, seed, lambda: pipeline(scaler(), models.RidgeCV(np.logspace(-2, 4, 13))))
    return _of_features(train, seed, lambda: pipeline(scaler(), models.LogisticRegression(C=0.1, max_iter=2000)))


def boosting(train: Material, seed: int) -> Rival:
    """Gradient boosting of histograms (Ke et al. 2017): 100 trees a target or class, or for all steps of a forecast."""
    trees = require("sklearn.ensemble", extra="train", purpose="boosted trees")
    if train.task.name == "forecast":
        return _boosted(train, seed, trees.HistGradientBoostingRegressor(random_state=seed))
    kind = "Regressor" if train.task.name == "regress" else "Classifier"
    return _of_features(train, seed, lambda: getattr(trees, f"HistGradientBoosting{kind}")(random_state=seed))


RIVALS: Mapping[str, Fit] = {"linear": linear, "boosting": boosting}


def _of_features(train: Material, seed: int, make: Callable[[], Any]) -> Rival:
    flat = is_flat(train)
    width = features(replace(train, samples=train.samples[:1]), flat).shape[1]
    learnt = replace(train, samples=train.samples[_spread(len(train.samples), max(200, _CELLS // width))])
    x = features(learnt, flat)
    truth = train.preprocessor.truth(train.series, learnt.samples)[:, 0]
    cap = getattr(train.task.settings, "cap", None)
    models, alarm = [], 0.5
    for at in range(truth.shape[1]):
        y = truth[:, at] if cap is None else np.minimum(truth[:, at], cap)
        known = np.isfinite(y)
        models.append(make().fit(x[known], y[known]))
        if train.task.name == "failure":
            alarm = threshold(models[0].predict_proba(x[known])[:, 1], y[known].astype(np.int64))
    return _OfFeatures(tuple(models), flat, sum(map(_size, models)), alarm)


def _boosted(train: Material, seed: int, model: Any) -> Rival:
    steps = train.preprocessor.horizon
    random = np.random.default_rng(seed)
    per_window = min(steps, 4) * len(train.preprocessor.layout.targets)
    samples = train.samples[_spread(len(train.samples), max(500, _PAIRS // per_window))]
    x, last = lags(train, samples)
    y = train.preprocessor.arrays(train.series, samples).y
    assert y is not None
    ahead = np.stack([random.permutation(steps)[: min(steps, 4)] for _ in range(len(samples))])
    change = y.transpose(0, 2, 1) - last[..., None]  # (n, M, H)
    wanted = np.take_along_axis(change, ahead[:, None].repeat(change.shape[1], 1), 2).ravel()
    pairs, known = paired(x, ahead), np.isfinite(wanted)
    fitted = model.fit(pairs[known], wanted[known])
    return _Boosted(fitted, _size(fitted))


def _spread(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _size(model: Any) -> int:
    """Numbers that a model learnt: coefficients, or two a node of each tree."""
    if hasattr(model, "steps"):
        model = model.steps[-1][1]
    if hasattr(model, "coef_"):
        return int(np.size(model.coef_) + np.size(model.intercept_))
    return int(sum(2 * len(tree.nodes) for stage in model._predictors for tree in stage))
