"""The candidates of an advice, trained and measured in the given time.

Letters: n samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unrolled.advise.frontier import frontier
from unrolled.advise.halving import Round, by_time, halve, order
from unrolled.advise.profile.guess import part_of
from unrolled.advise.profile.material import Material
from unrolled.advise.rivals import RIVALS, TASKS, Rival
from unrolled.advise.shortlist import Candidate
from unrolled.core.advice import Entrant, Wishes
from unrolled.core.bundle import Bundle
from unrolled.core.diagnosis import Text
from unrolled.core.errors import UnrolledError
from unrolled.core.records import Metric
from unrolled.core.trial import Budget, Trial
from unrolled.evaluate.latency import median_microseconds
from unrolled.evaluate.standings import Standings
from unrolled.nets import Net
from unrolled.prepare.answer import Answer
from unrolled.prepare.table import Table
from unrolled.program.shapes import Inputs, Outputs
from unrolled.report.words import Words
from unrolled.workflow.config import Config
from unrolled.workflow.model import Model
from unrolled.workflow.trial import run_trial

Tell = Callable[[Text], None]
Plan = Callable[[int], Sequence[Round]]

_HALVING = 0.6  # of the time; the rest is for seeds and for judging
_JUDGED = 4000  # samples that the last ones are judged on
_RESAMPLES = 300
_RIVAL = Text(en="a rival without recurrence", zh="不含循环的对手")


@dataclass
class Measuring:
    """Trains candidates in a folder, and knows how much time is left.

    Attributes:
        config: of the job; candidates change its net.
        table: the data, read once.
        parts: materials by name of the part, "train" and "valid" at least.
        folder: of the trials.
        seconds: that all of it may take.
        wishes: limits that a candidate must keep.
        tell: is told what was measured.
        seeds: of the last nets, beside that of the config.
        rivals: that were fitted, by name.
        began: when, on the monotonic clock.
        missed: a candidate did not have all its turns.
    """

    config: Config
    table: Table
    parts: Mapping[str, Material]
    folder: Path
    seconds: float
    wishes: Wishes
    tell: Tell
    seeds: int = 2
    rivals: dict[str, Rival] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    missed: bool = False

    @property
    def left(self) -> float:
        """Seconds."""
        return self.seconds - (time.monotonic() - self.began)

    def run(self, candidates: Sequence[Candidate], plan: Plan | None = None) -> list[Entrant]:
        """Rivals, then nets by halving, then other seeds of the last nets.

        Args:
            candidates: nets, the most promising first.
            plan: of the halving, from the number of candidates; None shares the time.
        """
        entrants = self._rivals()
        known = {candidate.name: candidate for candidate in candidates}
        seconds = _HALVING * max(self.left, 1e-3)
        stages = by_time(len(candidates), seconds) if plan is None else plan(len(candidates))
        found = halve(list(known), stages, lambda name, budget: self._train(known[name], budget), self._rank)
        last = max(map(len, found.values()), default=0)
        seeds = self._seeds([(known[name], trials[-1]) for name, trials in found.items() if len(trials) == last])
        entrants += [self._entrant(known[name], trials, seeds.get(name, ())) for name, trials in found.items()]
        best = frontier({one.name: one.trial for one in entrants})
        return [one.model_copy(update={"on_frontier": one.name in best}) for one in entrants]

    def judge(self, entrants: Sequence[Entrant], part: str) -> tuple[Standings, int]:
        """The rivals and the nets of the last round on one part, paired; and how many samples they answered."""
        material = _thinned(self.parts[part])
        last = max((one.rung for one in entrants if one.trial.model == "net"), default=0)
        answers: dict[str, Answer] = {}
        for one in entrants:
            if one.name in self.rivals:
                answers[one.name] = self.rivals[one.name].answer(material)
            elif one.trial.folder and one.trial.metric is not None and one.rung == last:
                answers[one.name] = model_of(Path(one.trial.folder)).predictor.answer(material.series, material.samples)
        return self._standings(material, answers), len(material.samples)

    def _train(self, candidate: Candidate, budget: Budget, seed: int | None = None) -> Trial | None:
        if self.left <= 0:
            self.missed |= seed is None
            return None
        folder = self.folder / (candidate.name if seed is None else f"{candidate.name}-seed{seed}")
        trial = run_trial(
            candidate_config(self.config, candidate),
            folder,
            budget=budget,
            seed=seed,
            data=self.table,
            name=folder.name,
        )
        self.tell(_told(trial))
        if trial.state == "interrupted":  # Ctrl-C: what was measured until now is judged and written
            self.seconds, self.missed = 0.0, True
        return trial

    def _rank(self, trial: Trial) -> tuple[float, float]:
        return order(trial) if self._fits(trial) else (math.inf, 0.0)

    def _fits(self, trial: Trial) -> bool:
        size, latency = self.wishes.size, self.wishes.latency
        small = size is None or trial.parameters is None or 4 * trial.parameters <= size
        return small and (latency is None or trial.predict_us is None or trial.predict_us <= 1e6 * latency)

    def _seeds(self, last: Sequence[tuple[Candidate, Trial]]) -> dict[str, tuple[float, ...]]:
        """The figures of the last nets, and with other seeds trained as far, in turn, as long as there is time."""
        found = {candidate.name: [trial.metric.value] for candidate, trial in last if trial.metric is not None}
        for seed in range(1, self.seeds + 1):
            for candidate, trial in last:
                if candidate.name not in found or self.left < 1.2 * trial.seconds:
                    continue
                other = self._train(candidate, trial.budget, seed=self.config.seed + seed)
                if other is not None and other.metric is not None:
                    found[candidate.name].append(other.metric.value)
        return {name: tuple(values) for name, values in found.items() if len(values) > 1}

    def _entrant(self, candidate: Candidate, trials: Sequence[Trial], seeds: tuple[float, ...]) -> Entrant:
        trial = trials[-1]
        return Entrant(
            name=candidate.name,
            why=candidate.why,
            rules=candidate.rules,
            trial=trial,
            rung=len(trials),
            seeds=seeds,
            fits=self._fits(trial),
        )

    def _rivals(self) -> list[Entrant]:
        """Those that the task has; a rival that fails is recorded with its reason."""
        if self.parts["train"].task.name not in TASKS:
            return []
        found = []
        for name, fit in RIVALS.items():
            if self.left <= 0:
                break
            trial = self._fitted(name, fit)
            self.tell(_told(trial))
            found.append(Entrant(name=name, why=_RIVAL, trial=trial, fits=self._fits(trial)))
        return found

    def _fitted(self, name: str, fit: Callable[[Material, int], Rival]) -> Trial:
        train, valid, began = self.parts["train"], self.parts["valid"], time.monotonic()
        try:
            rival = fit(train, self.config.seed)
            seconds = time.monotonic() - began
            answer = rival.answer(valid)
        except (UnrolledError, ValueError, MemoryError) as error:  # what scikit-learn says of data that it cannot take
            return Trial(name=name, model=name, state="failed", reason="error", error=str(error).splitlines()[0])
        self.rivals[name] = rival
        standings = self._standings(valid, {name: answer}, resamples=_RESAMPLES)
        return Trial(
            name=name,
            model=name,
            state="done",
            metric=standings.metric(name) if name in standings.statistics else None,
            parameters=rival.parameters,
            predict_us=median_microseconds(rival.prepared(valid)),
            seconds=seconds,
        )

    def _standings(self, material: Material, answers: Mapping[str, Answer], resamples: int = 1000) -> Standings:
        train, part = part_of(self.parts["train"]), part_of(material)
        return Standings.of(material.task, part, answers, train=train, groups=material.groups, resamples=resamples)


def candidate_config(config: Config, candidate: Candidate) -> Config:
    """The settings of the job with the candidate's net and its own settings."""
    return config.over({**candidate.changes, "net": candidate.net})


def judged(entrants: Sequence[Entrant], standings: Standings) -> list[Entrant]:
    """The entrants with their figure on the part that they were judged on."""
    figures: dict[str, Metric] = {name: standings.metric(name) for name in standings.statistics}
    return [one.model_copy(update={"judged": figures.get(one.name)}) for one in entrants]


def model_of(folder: Path) -> Model:
    """The bundle of a trial, computed by torch."""
    bundle = Bundle.read(folder / "model.unrolled")
    manifest = bundle.manifest
    net = Net(manifest.net or [], Inputs.model_validate(manifest.inputs), Outputs.model_validate(manifest.outputs))
    net.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in bundle.weights.items()})
    return Model.of(bundle, net.eval())


def _thinned(material: Material) -> Material:
    """At most 4,000 samples, evenly spread, with their groups."""
    count = len(material.samples)
    if count <= _JUDGED:
        return material
    chosen = np.linspace(0, count - 1, _JUDGED).astype(np.int64)
    groups: Any = None if material.groups is None else material.groups[chosen]
    return replace(material, samples=material.samples[chosen], groups=groups)


def _told(trial: Trial) -> Text:
    if trial.metric is None:
        return Text(en=f"{trial.name}: failed, {trial.error}", zh=f"{trial.name}：失败，{trial.error}")
    name, value = trial.metric.name, f"{trial.metric.value:.4g}"
    return Text(
        en=f"{trial.name}: {name} {value}, {trial.seconds:.1f} s of training",
        zh=f"{trial.name}：{Words('zh').name(name)} {value}，训练 {trial.seconds:.1f} 秒",
    )
