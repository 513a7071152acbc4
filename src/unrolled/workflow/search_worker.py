"""One worker of a search: asks for values, trains them, tells what came of it, until there is no more to do."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from unrolled.core.errors import ConfigError
from unrolled.core.search import Tried
from unrolled.core.trial import Budget, Trial
from unrolled.search import Proposal, Study
from unrolled.search.storage import StorageError
from unrolled.train import Hook
from unrolled.workflow.config import Config
from unrolled.workflow.job import prepare
from unrolled.workflow.search_folder import SearchFolder
from unrolled.workflow.search_plan import Plan
from unrolled.workflow.source import open_table
from unrolled.workflow.trial import comparable, read_trial, run_trial

_HOPELESS = 5  # trials that all failed end a search


class Told(Protocol):
    """Who is told how a search goes."""

    def begun(self, number: int) -> None: ...
    def ended(self, tried: Tried) -> None: ...
    def hooks(self) -> tuple[Hook, ...]: ...


class Silent:
    """Nobody."""

    def begun(self, number: int) -> None:
        pass

    def ended(self, tried: Tried) -> None:
        pass

    def hooks(self) -> tuple[Hook, ...]:
        return ()


def work(
    plan: Plan,
    folder: SearchFolder,
    *,
    deadline: float | None = None,
    told: Told | None = None,
    data: Any = None,
    patience: float = 30.0,
) -> bool:
    """Work until the trials are used up, the time is over, or Ctrl-C; whether it was the latter.

    Args:
        plan, folder: of the search.
        deadline: ``time.time()`` at which no more is trained.
        told: who is told.
        data: frame or array in place of the file.
        patience: seconds that the storage may be away.

    Raises:
        StorageError: it stayed away; what was trained is in the folder.
        ConfigError: none of the first trials could be trained.
    """
    told = told or Silent()
    url, name = folder.url(plan), folder.study(plan)
    with closing(Study(plan.space, plan.settings, url=url, name=name, patience=patience)) as study:
        try:
            return _worked(study, folder, _Bench(plan, folder, study, deadline, told, data), deadline)
        except StorageError as error:
            mend = f"nothing is lost; when it is back, go on with: unrolled search --resume {folder.path}"
            raise StorageError(error.what, where=error.where, mend=mend) from error


def _worked(study: Study, folder: SearchFolder, bench: _Bench, deadline: float | None) -> bool:
    """All that is to do; whether Ctrl-C ended it."""
    reconcile(study, folder)
    for number in study.running():
        if number in folder.numbers() and bench.take_up(number):
            return True
    while deadline is None or time.time() < deadline:
        if (proposal := study.ask()) is None:
            return False
        if bench.train(proposal):
            return True
        _refuse_hopeless(study)
    return False


def reconcile(study: Study, folder: SearchFolder) -> None:
    """Tell the database what it does not know of the trials that ended in this folder."""
    known, running = study.known(), set(study.running())
    for number in folder.numbers():
        trial = folder.ended(number)
        if trial is None:
            continue
        if number in running:
            study.tell(number, trial)
        elif number not in known:
            study.restore(number, folder.values(number), trial)


class _Bench:
    """Where one trial after the other is trained."""

    def __init__(
        self, plan: Plan, folder: SearchFolder, study: Study, deadline: float | None, told: Told, data: Any
    ) -> None:
        self._folder, self._study, self._deadline, self._told = folder, study, deadline, told
        self._data = shared_table(plan, data)

    def take_up(self, number: int) -> bool:
        """Go on with a trial that was broken off, unless somebody works on it; whether Ctrl-C ended it."""
        if self._folder.ended(number) is not None:
            return False
        return self.train(self._study.again(number))

    def train(self, proposal: Proposal) -> bool:
        """One trial; whether Ctrl-C ended it."""
        number = proposal.number
        with self._folder.claimed(number) as mine:
            if not mine:
                return False
            home = self._folder.begin(number, proposal.values)
            self._told.begun(number)
            trial = self._trained(proposal, home)
            if trial.state == "interrupted":
                return True
            self._study.tell(number, trial)
        self._told.ended(Tried(number=number, values=proposal.values, trial=trial))
        return False

    def _trained(self, proposal: Proposal, home: Path) -> Trial:
        return run_trial(
            Config.parse(proposal.config),
            home,
            budget=Budget(seconds=self._seconds(home)),
            data=self._data,
            stop=lambda share, cost: self._study.stop(proposal.number, share, cost),
            hooks=self._told.hooks(),
        )

    def _seconds(self, home: Path) -> float | None:
        """Until the deadline, those that a trial which is taken up had before included."""
        if self._deadline is None:
            return None
        before = read_trial(home)
        return max(1.0, self._deadline - time.time()) + (before.seconds if before is not None else 0.0)


def shared_table(plan: Plan, data: Any) -> Any:
    """The training data, read once, unless how it is read is to be chosen."""
    if data is not None or any(axis.path.startswith("data.options") for axis in plan.space.axes):
        return data
    return open_table(Config.parse(plan.first()).data)


def usable_table(plan: Plan, data: Any) -> Any:
    """The training data as ``shared_table`` has it; where all trials use it alike, it is looked at before the first.

    Raises:
        UnrolledError: no trial could be trained on it.
    """
    table = shared_table(plan, data)
    if not any(axis.path.startswith(("data.", "task.")) for axis in plan.space.axes):
        config = Config.parse(plan.first()).model_copy(update={"net": None})
        if "valid" not in prepare(comparable(config, config.seed), table, None).sections:
            raise ConfigError("there is no validation part to compare by", where="data.split", mend="set one aside")
    return table


def _refuse_hopeless(study: Study) -> None:
    tried = study.tried()
    if len(tried) >= _HOPELESS and all(one.trial.state == "failed" for one in tried):
        raise ConfigError(
            f"none of the first {len(tried)} trials could be trained; the last one said: {tried[-1].trial.error}",
            where="search",
            mend="train one config by itself first: unrolled train --config ...",
        )
