"""An architecture search from end to end, with random search of the same budget beside it.

The layer to be found is written ``enas: {size: {choice: [16, 32, 64]}, nodes: 4}`` in the net. Both methods are given
the same seconds: one trains a super-net and then, from scratch, what its controller proposes; the other trains, from
scratch, what is drawn; both by the same successive halving, so that they differ in nothing but where their wirings come
from. The validation part decides; the best of all is kept, whoever found it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from unrolled.cells import Cell, cells, register
from unrolled.core.files import write_text
from unrolled.core.records import Metric, Note
from unrolled.core.search import AxisFacts, Tried, Value, best_of
from unrolled.core.trial import Budget
from unrolled.nets import Net
from unrolled.report.words import Words
from unrolled.search.controller import Controller
from unrolled.search.enas import explore
from unrolled.search.shared import share
from unrolled.search.wiring import Wiring, count, draw
from unrolled.train import torch_options
from unrolled.workflow.config import Config
from unrolled.workflow.contest import Contest
from unrolled.workflow.job import prepare
from unrolled.workflow.search_folder import SearchFolder
from unrolled.workflow.search_plan import Plan
from unrolled.workflow.search_worker import Told
from unrolled.workflow.searched_layer import SearchedLayer, replaced
from unrolled.workflow.source import open_table
from unrolled.workflow.train import batches_of, first_net
from unrolled.workflow.trial import comparable, run_trial

_EXPLORE = 0.5  # share of the seconds for the super-net
_EPOCHS = 200  # of the super-net, at most
_PLACE = "enas_place"


class _Place(Cell):
    """Stands in a net where the super-net will."""

    name = _PLACE
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return (x.h + R.h(h),)


@dataclass(frozen=True)
class Outcome:
    """All trials of both methods, and what they say about whether it paid."""

    tried: tuple[Tried, ...]
    notes: tuple[Note, ...]
    interrupted: bool


AXES = (AxisFacts(path="found by", options=("enas", "random")),)


def architecture_search(plan: Plan, folder: SearchFolder, *, data: Any, told: Told) -> Outcome:
    """Find a cell and a width.

    Raises:
        UnrolledError: the data or the settings are not usable.
    """
    asked = SearchedLayer.of(plan.given.get("net"))
    bench = _Bench(plan, folder, told, open_table(_base(plan).data, data))
    seconds = plan.settings.seconds or 0.0
    bench.go(_proposed(bench, asked, seconds), "enas", seconds)
    bench.go(_drawn(bench, asked), "random", seconds)
    return Outcome(bench.tried, _paid(bench.tried, seconds), bench.interrupted)


class _Bench:
    """Trains wirings from scratch, and keeps what came out."""

    def __init__(self, plan: Plan, folder: SearchFolder, told: Told, table: Any) -> None:
        self.plan, self.table, self._folder, self._told = plan, table, folder, told
        self._tried: dict[int, Tried] = {}

    @property
    def tried(self) -> tuple[Tried, ...]:
        """Every wiring that was begun, with how far it came."""
        return tuple(self._tried.values())

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended a training."""
        return any(one.trial.state == "interrupted" for one in self.tried)

    def go(self, wirings: Iterator[Wiring], by: str, seconds: float) -> None:
        """Give the wirings of one origin their time."""
        if not self.interrupted:
            Contest(wirings, partial(self._train, by), seconds).run()

    def config(self, wiring: Wiring) -> Config:
        """The config that has a cell in the place of the searched layer."""
        path = self._folder.path / "cells" / f"{wiring.name}.py"
        if not path.exists():
            write_text(path, wiring.source())
        given = {key: value for key, value in self.plan.given.items() if key != "search"}
        given["net"] = replaced(given["net"], {wiring.name: {"size": wiring.width}})
        given["cells"] = [*given.get("cells", []), str(path)]
        return Config.parse(given)

    def _train(self, by: str, wiring: Wiring, budget: Budget, before: Tried | None) -> Tried:
        number = len(self._tried) if before is None else before.number
        values: dict[str, Value] = {"found by": by, "cell": str(wiring), "size": wiring.width, "file": wiring.name}
        self._told.begun(number)
        trial = run_trial(
            self.config(wiring),
            self._folder.begin(number, dict(values)),
            budget=budget,
            data=self.table,
            hooks=self._told.hooks(),
        )
        self._tried[number] = Tried(number=number, values=dict(values), trial=trial)
        self._told.ended(self._tried[number])
        return self._tried[number]


def _proposed(bench: _Bench, asked: SearchedLayer, seconds: float) -> Iterator[Wiring]:
    """The controller's proposals, the most promising first; exploring happens when the first is asked for."""
    if _PLACE not in cells():
        register(_Place)
    base = _base(bench.plan)
    place = replaced(bench.plan.given["net"], {_PLACE: {"size": max(asked.widths)}})
    config = comparable(base.model_copy(update={"net": place}), base.seed)
    job = prepare(config, bench.table, None)
    generator = torch.Generator().manual_seed(bench.plan.settings.seed)
    with torch_options(job.settings):
        net, _ = first_net(job, None)
        assert isinstance(net, Net)  # a list of layers with one that is replaced
        ranked = explore(
            net,
            share(net, _PLACE, asked.nodes),
            Controller(asked.nodes, asked.widths, generator),
            batches_of(job, "train"),
            batches_of(job, "valid"),
            job.task.loss,
            learning_rate=job.settings.learning_rate,
            seconds=_EXPLORE * seconds,
            epochs=_EPOCHS,
        )
    yield from (one.wiring for one in ranked)


def _base(plan: Plan) -> Config:
    """The config without its net."""
    return Config.parse({key: value for key, value in plan.given.items() if key not in ("search", "net")})


def _drawn(bench: _Bench, asked: SearchedLayer) -> Iterator[Wiring]:
    """Wirings by chance, each once, until there are no more."""
    generator, seen = random.Random(bench.plan.settings.seed), set[Wiring]()
    while len(seen) < count(asked.nodes, asked.widths):
        wiring = draw(asked.nodes, asked.widths, generator)
        if wiring not in seen:
            seen.add(wiring)
            yield wiring


def _paid(tried: Sequence[Tried], seconds: float) -> tuple[Note, ...]:
    """Whether the controller found more than chance did in the same time."""
    best = [best_of([one for one in tried if one.values["found by"] == by]) for by in ("enas", "random")]
    enas, chance = (None if one is None else one.trial for one in best)
    if enas is None or chance is None or enas.metric is None or chance.metric is None:
        return ()
    gain = (chance.cost or 0.0) - (enas.cost or 0.0)
    apart = not _overlap(enas.metric, chance.metric)
    word = ("paid", "有收益") if gain > 0 and apart else ("made no sure difference", "没有确定的差别")
    if gain < 0 and apart:
        word = ("did not pay", "没有收益")
    name = enas.metric.name
    return (
        Note(
            code="enas_against_random",
            en=f"In {seconds:.0f} s each, the controller's best has {name} {enas.metric.value:.4g}, the "
            f"best of random wirings {chance.metric.value:.4g}: it {word[0]}.",
            zh=f"各用 {seconds:.0f} 秒，控制器的最佳结果为{Words('zh').name(name)} {enas.metric.value:.4g}，"
            f"随机结构的最佳结果为 {chance.metric.value:.4g}：{word[1]}。",
        ),
    )


def _overlap(one: Metric, other: Metric) -> bool:
    """Whether two intervals have something in common; without intervals nothing is sure."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return one.low <= other.high and other.low <= one.high
