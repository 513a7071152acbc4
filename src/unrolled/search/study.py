"""A search in progress: it proposes values, is told what came of them, and forgets nothing.

What is known is in a database that all workers share. Each trial's record is told to it whole, so that it alone is
enough to report from; a database that is lost can be filled again from records kept elsewhere, see ``restore``.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from unrolled.core.errors import ConfigError
from unrolled.core.optional import require
from unrolled.core.search import Tried, Value, objective
from unrolled.core.trial import Trial
from unrolled.search.methods import STEPS, distribution, draw, given, pruner, sampler
from unrolled.search.settings import SearchSettings
from unrolled.search.space import Axis, Space
from unrolled.search.storage import StorageError, open_storage, patiently

if TYPE_CHECKING:
    import optuna

_T = TypeVar("_T")
_RECORD, _SPACE, _SURPLUS = "trial", "space", "surplus"
_PATIENCE = 30.0  # seconds that a database may be away
_HARDLY = 2.0  # seconds, while a trial is being trained
_EXAMPLES = 8  # trials of different cost from which importance says anything


@dataclass(frozen=True)
class Proposal:
    """Values to try: number of the trial, values by path, and the config that has them."""

    number: int
    values: dict[str, Value]
    config: Any


class Study:
    """One worker's view of a search.

    Args:
        space: what may be chosen.
        settings: how.
        url: of the database.
        name: of the search in it.
        patience: seconds that the database may be away before it counts as lost.

    Raises:
        ConfigError: another search of this name is in the database.
        StorageError: the database does not answer.
        MissingExtraError: optuna is not installed.
    """

    def __init__(
        self,
        space: Space,
        settings: SearchSettings,
        *,
        url: str,
        name: str,
        patience: float = _PATIENCE,
    ) -> None:
        self._optuna = require("optuna", extra="search", purpose="a search")
        self._states = self._optuna.trial.TrialState
        self.space, self.settings = space, settings
        self._url, self._patience = url, patience
        self._begun: dict[int, optuna.Trial] = {}
        self._reported: dict[int, set[int]] = {}  # steps, by trial
        self._points = _shuffled(space, settings) if settings.method == "grid" else []
        self._storage = open_storage(url)
        self._study: optuna.Study = self._patiently(
            lambda: self._optuna.create_study(
                storage=self._storage,
                study_name=name,
                sampler=sampler(settings, 0),
                pruner=pruner(settings),
                directions=["minimize"] * len(settings.objectives),
                load_if_exists=True,
            )
        )
        self._patiently(self._begin)

    def close(self) -> None:
        """Let go of the database."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    @property
    def limit(self) -> int | None:
        """Trials at most; None while only time ends the search."""
        if self.settings.method != "grid":
            return self.settings.limit
        return min(len(self._points), self.settings.trials or len(self._points))

    def ask(self) -> Proposal | None:
        """Values that nobody tried yet; None where there are to be no more trials.

        Raises:
            StorageError: the database does not answer.
        """
        trial = self._patiently(self._ask)
        if trial is None:
            return None
        number = trial.number
        self._study.sampler = given(self._points[number]) if self._points else sampler(self.settings, number)
        values: dict[str, Value] = {}

        def pick(axis: Axis) -> Value:
            values[axis.path] = self._patiently(lambda: draw(trial, axis))
            return values[axis.path]

        config = self.space.fill(pick)
        return Proposal(number, values, config)

    def again(self, number: int) -> Proposal:
        """The proposal of a trial that was begun and not ended."""
        return self.filled(number, self._patiently(lambda: dict(self._handle(number).params)))

    def filled(self, number: int, values: Mapping[str, Value]) -> Proposal:
        """The proposal that has these values."""
        return Proposal(number, dict(values), self.space.fill(lambda axis: values[axis.path]))

    def stop(self, number: int, share: float, cost: float) -> bool:
        """Whether a trial is worse than others were at this share of its epochs.

        A database that does not answer stops nothing; that it is gone is said when the trial ends.
        """
        if self.settings.prune == "none":
            return False
        try:
            return patiently(lambda: self._stop(number, share, cost), self._url, _HARDLY)
        except StorageError:
            return False

    def tell(self, number: int, trial: Trial) -> None:
        """What came of a trial; told twice it counts once.

        Raises:
            StorageError: the database does not answer.
        """
        self._patiently(lambda: self._tell(number, trial))

    def tried(self) -> tuple[Tried, ...]:
        """All trials that ended, in order."""
        found = []
        for frozen in self._patiently(self._trials):
            record = frozen.user_attrs.get(_RECORD)
            if record is not None and frozen.state.is_finished():
                trial = Trial.model_validate_json(record)
                found.append(Tried(number=frozen.number, values=dict(frozen.params), trial=trial))
        return tuple(found)

    def running(self) -> list[int]:
        """Numbers of the trials that were begun and not ended, by anyone."""
        return [one.number for one in self._patiently(self._trials) if one.state == self._states.RUNNING]

    def known(self) -> set[int]:
        """Numbers of all trials."""
        return {one.number for one in self._patiently(self._trials)}

    def restore(self, number: int, values: Mapping[str, Value], trial: Trial) -> None:
        """Put a trial back into a database that lost it; trials must come back in order.

        Numbers between, whose records are elsewhere, are left as gaps.
        """
        create = self._optuna.trial.create_trial
        for _ in range(len(self._study.get_trials(deepcopy=False)), number):
            self._study.add_trial(create(state=self._states.FAIL, user_attrs={_SURPLUS: True}))
        state, costs = self._outcome(trial)
        axes = {axis.path: distribution(axis) for axis in self.space.axes if axis.path in values}
        record = {_RECORD: trial.model_dump_json()}
        made = create(state=state, values=costs, params=dict(values), distributions=axes, user_attrs=record)
        self._study.add_trial(made)

    def importance(self) -> dict[str, float]:
        """Share of the differences in the first objective that each axis explains; empty where little is known."""
        done = [one for one in self._patiently(self._trials) if one.state == self._states.COMPLETE and one.values]
        if len({one.values[0] for one in done}) < _EXAMPLES:
            return {}
        shared = set.intersection(*({*one.params} for one in done))
        names = [name for name in sorted(shared) if len({repr(one.params[name]) for one in done}) > 1]
        if not names:
            return {}
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = self._optuna.importance.get_param_importances(
            self._study, evaluator=evaluator, params=names, target=lambda one: one.values[0]
        )
        return {name: float(share) for name, share in found.items()}

    def _begin(self) -> None:
        """Write down what is searched; refuse a search of this name for something else."""
        axes = ([axis.path, *axis.options, axis.low, axis.high, axis.step, axis.log] for axis in self.space.axes)
        order = [self.settings.seed] if self._points else []  # says which point has which number
        mine = json.dumps([self.settings.objectives, *axes, *order])
        theirs = self._study.user_attrs.get(_SPACE)
        if theirs is None:
            self._study.set_user_attr(_SPACE, mine)
        elif theirs != mine:
            raise ConfigError(
                f"the search {self._study.study_name!r} of this storage was begun with another space, other "
                "objectives, or as another grid",
                where="study",
                mend="give this search another name (study), or the space, objectives, method and seed of that one",
            )

    def _ask(self) -> optuna.Trial | None:
        limit = self.limit
        if limit is not None and len(self._trials()) >= limit:
            return None
        trial = self._study.ask()
        if limit is not None and trial.number >= limit:  # another worker was faster
            trial.set_user_attr(_SURPLUS, True)
            self._study.tell(trial, state=self._states.FAIL)
            return None
        self._begun[trial.number] = trial
        return trial

    def _stop(self, number: int, share: float, cost: float) -> bool:
        trial, step = self._handle(number), round(share * STEPS)
        if step not in self._reported.setdefault(number, set(self._frozen(number).intermediate_values)):
            trial.report(cost, step)
            self._reported[number].add(step)
        return trial.should_prune()

    def _tell(self, number: int, trial: Trial) -> None:
        state, costs = self._outcome(trial)
        try:
            self._handle(number).set_user_attr(_RECORD, trial.model_dump_json())
        except self._optuna.exceptions.UpdateFinishedTrialError:
            return  # told before, by an attempt whose answer was lost
        self._study.tell(number, costs, state=state, skip_if_finished=True)

    def _outcome(self, trial: Trial) -> tuple[Any, list[float] | None]:
        """State and objectives as optuna counts them; a trial that was cut short is no example of its values."""
        costs = [objective(trial, name) for name in self.settings.objectives]
        known = [cost for cost in costs if cost is not None and math.isfinite(cost)]
        if trial.whole and len(known) == len(costs):
            return self._states.COMPLETE, known
        pruned = trial.state in ("pruned", "done") and len(costs) == 1 and bool(known)
        return (self._states.PRUNED if pruned else self._states.FAIL), None

    def _handle(self, number: int) -> optuna.Trial:
        """A trial that can be written to, also one that another process began."""
        if number not in self._begun:
            self._begun[number] = self._optuna.Trial(self._study, self._frozen(number)._trial_id)
        return self._begun[number]

    def _frozen(self, number: int) -> optuna.trial.FrozenTrial:
        return next(frozen for frozen in self._trials() if frozen.number == number)

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        found = self._study.get_trials(deepcopy=False)
        return [frozen for frozen in found if not frozen.user_attrs.get(_SURPLUS)]

    def _patiently(self, call: Callable[[], _T]) -> _T:
        return patiently(call, self._url, self._patience)


def _shuffled(space: Space, settings: SearchSettings) -> list[dict[str, Value]]:
    """The points of a grid, in an order that a search cut short still learns from."""
    points = space.grid()
    random.Random(settings.seed).shuffle(points)
    return points
