"""The methods and stopping rules by their names, as optuna has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unrolled.core.optional import require
from unrolled.core.search import Value
from unrolled.search.settings import SearchSettings
from unrolled.search.space import Axis

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

STEPS = 1000
"""Of a whole training, by which pruning counts: configs differ in their epochs."""

_APART = 1_000_003  # between the seeds of two searches, whose trials would draw alike otherwise
_START = 8  # trials that tpe draws before it learns from them


def sampler(settings: SearchSettings, number: int) -> BaseSampler:
    """What proposes the values of a trial: they depend on its number and on the trials before, not on who asks."""
    samplers = require("optuna", extra="search", purpose="a search").samplers
    seed = (settings.seed * _APART + number) % 2**31
    if settings.method == "tpe":
        made: BaseSampler = samplers.TPESampler(seed=seed, n_startup_trials=_START)
    else:
        made = samplers.RandomSampler(seed=seed)
    return made


def given(point: Mapping[str, Value]) -> BaseSampler:
    """What proposes one point, whoever asks: a queue of a grid's points in the database would be filled by each of
    the workers that begin at once."""
    samplers = require("optuna", extra="search", purpose="a search").samplers

    class Given(samplers.BaseSampler):  # type: ignore[misc, name-defined]
        """Answers with the point's own values."""

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Value:
            return point[param_name]

    made: BaseSampler = Given()
    return made


def pruner(settings: SearchSettings) -> BasePruner:
    """What stops a trial, by its figure at each share of its epochs."""
    pruners = require("optuna", extra="search", purpose="a search").pruners
    first, reduction = max(1, round(settings.least * STEPS)), settings.reduction
    made: BasePruner = pruners.NopPruner()
    if settings.prune == "halving":
        made = pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=reduction)
    elif settings.prune == "hyperband":
        made = pruners.HyperbandPruner(min_resource=first, max_resource=STEPS, reduction_factor=reduction)
    return made


def draw(trial: Trial, axis: Axis) -> Value:
    """The sampler's value for an axis."""
    value: Value
    if axis.options:
        value = trial.suggest_categorical(axis.path, axis.options)
    elif axis.whole:
        low, high, step = int(axis.low), int(axis.high), int(axis.step or 1)
        value = trial.suggest_int(axis.path, low, high, log=axis.log, step=step)
    else:
        value = trial.suggest_float(axis.path, axis.low, axis.high, log=axis.log, step=axis.step)
    return value


def distribution(axis: Axis) -> BaseDistribution:
    """An axis as optuna draws it."""
    kinds = require("optuna", extra="search", purpose="a search").distributions
    made: BaseDistribution
    if axis.options:
        made = kinds.CategoricalDistribution(axis.options)
    elif axis.whole:
        made = kinds.IntDistribution(int(axis.low), int(axis.high), log=axis.log, step=int(axis.step or 1))
    else:
        made = kinds.FloatDistribution(axis.low, axis.high, log=axis.log, step=axis.step)
    return made
