"""A search from end to end: trials by one or several workers, then what they say together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.files import write_text
from unrolled.core.search import AxisFacts, SearchRecord, Tried, best_of, objective
from unrolled.report import search as page
from unrolled.search import Study, frontier
from unrolled.workflow.config import Config
from unrolled.workflow.enas import AXES, architecture_search
from unrolled.workflow.pack import environment
from unrolled.workflow.search_crew import crew
from unrolled.workflow.search_folder import SearchFolder
from unrolled.workflow.search_plan import Plan, section
from unrolled.workflow.search_worker import Silent, Told, reconcile, usable_table, work
from unrolled.workflow.trial import comparable

_FRONTIER = ("metric", "bytes", "predict")  # where a search aims at one thing only


@dataclass(frozen=True)
class Found:
    """What a search leaves: its record, its folder, and whether Ctrl-C ended it."""

    record: SearchRecord
    folder: SearchFolder
    interrupted: bool

    @property
    def best(self) -> Tried | None:
        """The best trial; None where none was finished."""
        return None if self.record.best is None else self.record.of(self.record.best)


def search(
    plan: Plan | Mapping[str, Any],
    *,
    folder: Path | str | None = None,
    runs: Path = Path("runs"),
    data: Any = None,
    told: Told | None = None,
    patience: float = 30.0,
) -> Found:
    """Search, and write the record, the report and the best config.

    Args:
        plan: a config with choices in it, and its section ``search``.
        folder: where everything is kept; by default a new one in ``runs``.
        data: frame, array or Table in place of ``data.path``; for one worker.
        told: who is told how it goes.
        patience: seconds that the storage may be away.

    Raises:
        UnrolledError: the plan is wrong, the storage is gone, or nothing could be trained.
    """
    plan = plan if isinstance(plan, Plan) else Plan.parse(plan)
    table = usable_table(plan, data)
    home = SearchFolder.create(folder, parent=runs)
    if plan.settings.workers == 1:
        data = table  # several read it each for itself
    return _run(plan, home, data, told or Silent(), patience)


def resume(
    folder: Path | str, *, data: Any = None, told: Told | None = None, patience: float = 30.0, **changes: Any
) -> Found:
    """Go on with a search that was stopped; ``changes`` are settings of it, such as ``trials=100``."""
    home = SearchFolder.find(folder)
    if Plan.read(home.plan).settings.method == "enas":
        raise ConfigError("an architecture search cannot be gone on with", where=str(folder), mend="begin it anew")
    given = Plan.read(home.plan).given
    plan = Plan.parse({**given, "search": {**section(given), **changes}})
    return _run(plan, home, data, told or Silent(), patience)


def _run(plan: Plan, home: SearchFolder, data: Any, told: Told, patience: float) -> Found:
    began = time.time()
    if plan.settings.method == "enas":
        write_text(home.plan, plan.to_yaml())
        outcome = architecture_search(plan, home, data=data, told=told)
        record = _summary(plan, home, outcome.tried, AXES, seconds=time.time() - began, notes=outcome.notes)
        return _written(record, plan, home, outcome.interrupted)
    deadline = None if plan.settings.seconds is None else began + plan.settings.seconds
    # Made first: it makes the tables, which several workers at once cannot.
    with closing(
        Study(plan.space, plan.settings, url=home.url(plan), name=home.study(plan), patience=patience)
    ) as study:
        write_text(home.plan, plan.to_yaml())  # now that the storage has taken it; the workers read it
        if plan.settings.workers == 1 or data is not None:
            interrupted = work(plan, home, deadline=deadline, told=told, data=data, patience=patience)
        else:
            interrupted = crew(plan, home, deadline=deadline, told=told, patience=patience)
        reconcile(study, home)
        tried, importance = study.tried(), study.importance()
    axes = tuple(axis.facts for axis in plan.space.axes)
    record = _summary(plan, home, tried, axes, seconds=time.time() - began, importance=importance)
    return _written(record, plan, home, interrupted)


def _summary(
    plan: Plan, home: SearchFolder, tried: tuple[Tried, ...], axes: tuple[AxisFacts, ...], **known: Any
) -> SearchRecord:
    """What all trials say together."""
    best = best_of(tried, plan.settings.objectives[0])
    config: dict[str, Any] = best.trial.config if best is not None else {}
    return SearchRecord(
        name=home.path.name,
        task=str(config.get("task", {}).get("name", "")),
        target=tuple(config.get("data", {}).get("target", ())),
        settings=plan.settings.model_dump(mode="json"),
        axes=axes,
        tried=tried,
        frontier=_frontier(tried, plan.settings.objectives),
        best=None if best is None else best.number,
        command=f"unrolled train --config {home.best}" if best is not None else "",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=environment(),
        **known,
    )


def _written(record: SearchRecord, plan: Plan, home: SearchFolder, interrupted: bool) -> Found:
    """The record with its files."""
    write_text(home.record, record.model_dump_json(indent=1))
    write_text(home.report, page.render(record, plan.given.get("language", "en")))
    if record.best is not None:
        Config.parse(_as_asked(record.of(record.best), plan)).write(home.best)
    return Found(record, home, interrupted)


def _frontier(tried: Sequence[Tried], objectives: Sequence[str]) -> tuple[int, ...]:
    names = objectives if len(objectives) > 1 else _FRONTIER
    rows = [[objective(one.trial, name) if one.trial.whole else None for name in names] for one in tried]
    costs = [[float("nan") if value is None else value for value in row] for row in rows]
    return tuple(tried[at].number for at in frontier(costs))


def _as_asked(best: Tried, plan: Plan) -> dict[str, Any]:
    """The best config as a person would write it, divided as its trial was."""
    if plan.settings.method == "enas":
        return best.trial.config
    given = plan.space.fill(lambda axis: best.values[axis.path])
    config = Config.parse(given)
    return comparable(config, config.seed).model_dump(mode="json")
