"""What to build for some data: its profile, the rules, and measured trials where there is time for them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from unrolled.advise import Candidate, Material, Place, Situation, ask, conflicts, shortlist
from unrolled.advise.profile import profile
from unrolled.advise.recommend import chosen, recommend, unmeasured
from unrolled.advise.sentences import text
from unrolled.core.advice import Advice, Conflict, Counsel, Entrant, Profile, Recommendation, Wishes
from unrolled.core.errors import ConfigError, UnrolledError
from unrolled.core.files import write_text
from unrolled.core.records import Language, Note
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.table import Table
from unrolled.report import advice as page
from unrolled.tasks import Forecast
from unrolled.workflow.config import Config
from unrolled.workflow.job import Job, prepare
from unrolled.workflow.measuring import Measuring, Plan, Tell, candidate_config, judged
from unrolled.workflow.run_folder import RunFolder
from unrolled.workflow.source import open_table

_VALID = 0.2  # of the training part, set aside for choosing where the task would learn from all of it
_NO_WISHES = Wishes()


def advise(
    config: Config,
    wishes: Wishes = _NO_WISHES,
    *,
    data: Any = None,
    seconds: float = 0.0,
    plan: Plan | None = None,
    seeds: int = 2,
    folder: Path | None = None,
    tell: Tell = lambda said: None,
) -> Advice:
    """Profile the data, ask the rules, and measure what they and others propose.

    Args:
        config: what the user says of data and task; gaps are filled from the data.
        wishes: what the model must keep to.
        data: frame, array or Table in place of ``config.data.path``.
        seconds: for trials; 0 for none.
        plan: of the halving, from the number of candidates; None shares the time.
        seeds: with which the last nets are trained again, where there is time.
        folder: where trials are kept; None keeps none.
        tell: is told of each trial.

    Raises:
        UnrolledError: the data or the settings are not usable.
    """
    began = time.monotonic()
    table = open_table(config.data, data)
    asked, job = _prepared(config, table)
    parts = {name: _material(job, name) for name in job.sections}
    found = _profile(parts)
    advice = Advice(source=job.source.facts.source, wishes=wishes, profile=found, notes=job.notes)
    if found.too_small.en:
        return advice.model_copy(update={"seconds": time.monotonic() - began})
    said = ask(Situation.of(found, wishes))
    candidates, left_out = shortlist(said, wishes, _place(job))
    disputes, entrants = conflicts(said), list[Entrant]()
    notes = [*job.notes, *left_out, *_not_yet(said)]
    if seconds > 0:
        with TemporaryDirectory() as temporary:
            trials = Path(temporary) if folder is None else folder / "trials"
            measuring = Measuring(asked, table, parts, trials, seconds, wishes, tell, seeds)
            entrants, recommendation = _measured(measuring, config, candidates, plan)
    else:
        recommendation = _unmeasured(config, candidates[0], said, disputes)
    return advice.model_copy(
        update={
            "counsel": said,
            "conflicts": disputes,
            "entrants": tuple(entrants),
            "recommendation": recommendation,
            "notes": tuple(notes),
            "seconds": time.monotonic() - began,
        }
    )


def advise_in(
    out: Path | None,
    runs: Path,
    config: Config,
    wishes: Wishes,
    *,
    seconds: float = 0.0,
    tell: Tell = lambda said: None,
) -> tuple[Advice, Written]:
    """``advise``, with its trials and files in a folder of its own.

    Args:
        out: the folder; None makes a new one in ``runs``.
        runs: see ``out``.
        config, wishes, seconds, tell: as for ``advise``.

    Raises:
        UnrolledError: the data or the settings are not usable, or the folder cannot be used; a new one is not left.
    """
    home = RunFolder.create(out, task="advice", parent=runs).path
    try:
        found = advise(config, wishes, seconds=seconds, folder=home, tell=tell)
    except UnrolledError:
        if not any(home.iterdir()):
            home.rmdir()
        raise
    return write_advice(found, home, config.language)


@dataclass(frozen=True)
class Written:
    """Files of an advice: the page, the numbers, and the settings to train with (None where nothing is advised)."""

    page: Path
    numbers: Path
    config: Path | None


def write_advice(found: Advice, folder: Path, language: Language) -> tuple[Advice, Written]:
    """Write page, numbers and settings; the recommendation comes back with the command that uses them."""
    written = Written(folder / "advice.html", folder / "advice.json", None)
    recommendation = found.recommendation
    if recommendation is not None:
        written = Written(written.page, written.numbers, folder / "config.yaml")
        Config.parse(recommendation.config).write(folder / "config.yaml")
        command = shlex.join(["unrolled", "train", "--config", str(folder / "config.yaml")])
        found = found.model_copy(update={"recommendation": recommendation.model_copy(update={"command": command})})
    write_text(written.numbers, found.model_dump_json(indent=1))
    write_text(written.page, page.render(found, language))
    return found, written


def _prepared(config: Config, table: Table) -> tuple[Config, Job]:
    """The job, with a part to choose by."""
    job = prepare(config, table, None)
    if "valid" in job.sections or job.task.name == "pretrain":
        return config, job
    asked = config.over({"data": {"split": {"valid": _VALID}}})
    return asked, prepare(asked, table, None)


def _material(job: Job, name: str) -> Material:
    section, preprocessor = job.sections[name], job.preprocessor
    if isinstance(job.task, Forecast) and job.task.steps != job.task.settings.horizon:
        preprocessor = Preprocessor.from_json({**preprocessor.to_json(), "horizon": job.task.settings.horizon})
    groups = None if preprocessor.schema.by_row else section.groups
    return Material(job.task, preprocessor.schema, preprocessor, section.series, section.spans, section.samples, groups)


def _profile(parts: dict[str, Material]) -> Profile:
    held = parts.get("valid")
    found = profile(parts["train"], held, judged_on="valid" if held is not None else "")
    if held is None and not found.too_small.en and parts["train"].task.name != "pretrain":
        found = found.model_copy(update={"too_small": text("no_part_to_choose_by")})
    return found


def _place(job: Job) -> Place:
    layout, net = job.preprocessor.layout, job.config.net
    if not isinstance(net, list):
        raise ConfigError(
            "advice chooses the net, and one is given", where="net", mend="leave --net out, or write it as a list"
        )
    length = {int(value) for value in job.sections["train"].samples.lengths}
    kinds = (tuple(c.name for c in layout.numbers), tuple(c.name for c in layout.codes))
    return Place(
        task=job.task.name,
        own=net,
        inputs=job.preprocessor.inputs(length.pop() if len(length) == 1 else None),
        outputs=job.task.outputs(job.preprocessor.schema),
        kinds=kinds,
    )


def _unmeasured(
    config: Config, own: Candidate, said: tuple[Counsel, ...], disputes: tuple[Conflict, ...]
) -> Recommendation:
    firing = sum(counsel.state == "fires" for counsel in said)
    return unmeasured(own.name, _settings(config, own), firing, tuple(one.said for one in disputes))


def _measured(
    measuring: Measuring, config: Config, candidates: Sequence[Candidate], plan: Plan | None
) -> tuple[list[Entrant], Recommendation]:
    _refuse_incomparable(measuring.parts["train"])
    entrants = measuring.run(candidates, plan)
    best = chosen(entrants)
    if best is None:
        own = candidates[0]
        refused = Recommendation(entrant=own.name, said=text("no_net"), config=_settings(config, own))
        return entrants, refused
    part = "test" if "test" in measuring.parts else "valid"
    standings, count = measuring.judge(entrants, part)
    entrants = judged(entrants, standings)
    candidate = next(one for one in candidates if one.name == best.name)
    made = recommend(best, entrants, standings, part, count, measuring.wishes, _settings(config, candidate))
    if measuring.missed:
        made = made.model_copy(update={"unsupported": (*made.unsupported, text("out_of_time"))})
    return entrants, made


def _refuse_incomparable(material: Material) -> None:
    """Nothing can be chosen where no figure says which answer is better."""
    if material.task.name == "pretrain" or not material.series.of_role("target"):
        what = "a pretraining" if material.task.name == "pretrain" else "a task without labels"
        raise ConfigError(f"{what} has no figure to compare by", where="--measure", mend="leave it out")


def _settings(config: Config, candidate: Candidate) -> dict[str, Any]:
    """What the user said, with the net: the rest is filled in when it is trained."""
    return candidate_config(config, candidate).model_dump(mode="json")


def _not_yet(said: tuple[Counsel, ...]) -> list[Note]:
    if not any(one.state == "fires" and "precision" in one.answers for one in said):
        return []
    return [
        Note(
            code="int8_not_measured",
            en="Weights of 8 bits are advised but not part of the trials: sizes and latencies are those of 32 bits.",
            zh="建议使用 8 位权重，但实测中未包含：大小和延迟均按 32 位计。",
        )
    ]


__all__ = ["Written", "advise", "advise_in", "write_advice"]
