"""A net that starts from the weights of a bundle: what it takes over, and what it does not, is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from unrolled.core.records import Note
from unrolled.prepare.wording import listed
from unrolled.train import warm_start
from unrolled.workflow.job import Job
from unrolled.workflow.predict import open_bundle


def take_over(job: Job, net: nn.Module) -> tuple[Note, ...]:
    """Copy the weights of the bundle that ``job`` starts from into ``net``; what was and what was not is told.

    Raises:
        ConfigError: no weight fits, or one has another shape.
    """
    assert job.config.start_from is not None
    bundle = open_bundle(job.config.start_from)
    taken = warm_start(net, bundle.weights, job.settings.warm_layers)
    new = [name for name in net.state_dict() if name not in taken]
    left = [name for name in bundle.weights if name not in taken]
    notes = [_taken(job.config.start_from, taken, new, left)]
    before = _inputs(bundle.manifest.settings.get("schema"))
    now = _inputs(job.preprocessor.schema.model_dump())
    if before and before != now:
        notes.append(_other_columns(before, now))
    return tuple(notes)


def _inputs(schema: Any) -> list[str]:
    """Names of the columns that a net reads row by row, in order."""
    if not isinstance(schema, dict):
        return []
    roles = ("target", "feature", "known") if schema.get("task") == "forecast" else ("feature", "known")
    columns = schema.get("columns", [])
    return [column["name"] for role in roles for column in columns if column["role"] == role]


def _taken(source: str, taken: Sequence[str], new: Sequence[str], left: Sequence[str]) -> Note:
    found, fresh, other = (listed(_layers(names)) for names in (taken, new, left))
    return Note(
        code="took_weights",
        en=f"Took over the weights of {found} from {source}"
        + (f"; {fresh} start{'s' if len(_layers(new)) == 1 else ''} anew" if new else "")
        + (f"; {other} there {'is' if len(_layers(left)) == 1 else 'are'} not used" if left else "")
        + ".",
        zh=f"从 {source} 接用 {found} 的权重"
        + (f"；{fresh} 重新开始训练" if new else "")
        + (f"；其中的 {other} 未使用" if left else "")
        + "。",
    )


def _other_columns(before: Sequence[str], now: Sequence[str]) -> Note:
    return Note(
        code="other_columns",
        level="warning",
        en=f"The weights were learnt on the columns {listed(before)}, and now read {listed(now)}.",
        zh=f"权重是在列 {listed(before)} 上学到的，而现在读取的是 {listed(now)}。",
    )


def _layers(names: Sequence[str]) -> list[str]:
    """The layers that weights belong to: ``layers.1`` of ``layers.1.gru.weight``."""
    parts = (name.split(".") for name in names)
    return list(dict.fromkeys(".".join(part[:2] if part[0] == "layers" else part[:1]) for part in parts))
