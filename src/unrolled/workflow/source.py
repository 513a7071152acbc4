"""From the user's data to series, parts and a schema: the first half of every job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import DataFacts, Note
from unrolled.data import Parts, Spans, split, whole
from unrolled.prepare.append import append
from unrolled.prepare.build import build
from unrolled.prepare.facts import facts
from unrolled.prepare.labels import factorize, in_order, runs
from unrolled.prepare.read import read
from unrolled.prepare.roles import Flags
from unrolled.prepare.schema import Schema, infer
from unrolled.prepare.series import Series
from unrolled.prepare.table import Array, Table
from unrolled.workflow.config import DataSettings

_FEW_LABELS = 10  # so many different whole numbers are labels
_FEW_CHANGES = 4  # a number that changes in fewer than one row in so many may belong to the series


@dataclass(frozen=True)
class SourcePart:
    """Rows of one part; ``groups`` names the group (patient, engine) of each sequence where there are any."""

    series: Series
    spans: Spans
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class Source:
    """The data of a job, read and divided.

    Attributes:
        schema: how the files are read.
        parts: "train", "valid" and "test"; a part that does not exist is absent.
        facts: for the report.
        options: of the reader, for later files.
        notes: every assumption made on the way.
    """

    schema: Schema
    parts: dict[str, SourcePart]
    facts: DataFacts
    options: dict[str, Any]
    notes: tuple[Note, ...]


def open_table(settings: DataSettings, given: Any = None) -> Table:
    """Read the training data: the file of the settings, or what was handed over in Python."""
    source = settings.path if given is None else given
    if source is None:
        raise ConfigError("no data was given", where="data.path", mend="name a file or folder")
    return _read(source, read_options(settings))


def guess_task(table: Table, settings: DataSettings) -> tuple[str, Note]:
    """What to do with this data: what the format says, else what the target looks like."""
    task, reason_en, reason_zh = _guess(table, settings)
    return task, Note(
        code="took_task", en=f"Took the task '{task}': {reason_en}.", zh=f"任务设为“{task}”：{reason_zh}。"
    )


def load(table: Table, settings: DataSettings, task: str) -> Source:
    """Schema, series and parts.

    Raises:
        ConfigError, DataError: the flags or the data are not usable; the message says where.
    """
    schema, notes = infer(table, task=task, **_flags(settings))
    options = {**read_options(settings), **table.options}
    paths = {name: getattr(settings, name) for name in ("valid", "test")}
    held = {name: _read(path, options) for name, path in paths.items() if path is not None}
    if task == "tag":
        schema = _with_labels(schema, held.values())
    series = build(table, schema)
    groups = _groups(table, schema)
    parts = _divide(series, settings, schema, groups)
    found = {name: SourcePart(series, getattr(parts, name), groups) for name in ("train", "valid", "test")}
    for name, given in held.items():
        other = build(given, schema)
        if schema.forecast and _continues(series, other):
            found[name] = SourcePart(*append(series, other))
        else:
            found[name] = SourcePart(other, whole(other), _groups(given, schema))
    described = facts(series, schema, table.source)
    return Source(
        schema=schema,
        parts={name: part for name, part in found.items() if part.spans},
        facts=described,
        options=options,
        notes=(*series.notes, *notes, *parts.notes),
    )


def _with_labels(schema: Schema, tables: Iterable[Table]) -> Schema:
    """The schema with the tags of held-out files too: there are many, and one that training lacks counts as missed."""
    columns = []
    for column in schema.columns:
        if column.role == "target":
            cells = [table.columns[column.name] for table in tables if column.name in table.columns]
            fresh = in_order({label for part in cells for label in factorize(part)[1]} - set(column.categories))
            column = column.model_copy(update={"categories": (*column.categories, *fresh)})
        columns.append(column)
    return schema.model_copy(update={"columns": tuple(columns)})


def _read(source: Any, options: dict[str, Any]) -> Table:
    return source if isinstance(source, Table) else read(source, **options)


def read_options(settings: DataSettings) -> dict[str, Any]:
    """What the settings say of how files are read."""
    meant: dict[str, Any] = {"categorical": list(settings.categorical)} if settings.categorical else {}
    if settings.wide:
        meant |= {"wide": True, "labels": [*settings.target, *settings.static]}
    if settings.options.get("pair"):
        meant["labels"] = [*settings.target, *settings.static]
    return {**meant, **settings.model_dump(mode="json")["options"]}


def _continues(earlier: Series, later: Series) -> bool:
    """The later file goes on with the same series: a forecast there looks back on the earlier one."""
    ends = dict(zip(earlier.ids, earlier.starts[1:] - 1, strict=True))
    if not set(later.ids) <= ends.keys():
        return False
    if earlier.time is None or later.time is None:
        return True
    return all(later.time[b] > earlier.time[ends[i]] for i, b in zip(later.ids, later.starts[:-1], strict=True))


def _guess(table: Table, settings: DataSettings) -> tuple[str, str, str]:
    if table.hints.task is not None and (not settings.target or table.hints.task == "pairs"):
        return table.hints.task, "the file format says so", "由文件格式决定"
    target = next(iter(settings.target or table.hints.target), None)
    if target in table.case_columns:
        if table.case_columns[target].dtype == object:
            return "classify", "the target is one label a sequence", "目标是每个序列一个标签"
        return _of_number(table.case_columns[target])
    if target in table.columns and _holds_labels(table.columns[target]):
        return "classify", f"the target '{target}' holds labels", f"目标“{target}”是类别标签"
    if target in table.columns and _rests(table, target, settings):
        return _of_number(table.columns[target])
    return "forecast", "the target is a number that changes along time", "目标是随时间变化的数值"


def _holds_labels(values: Array) -> bool:
    """Text in which values come back; where nearly each row has its own, it is neither labels nor numbers."""
    return values.dtype.kind == "O" and len(set(values)) <= max(2, len(values) // 2)


def _of_number(values: Array) -> tuple[str, str, str]:
    """The task for one number a sequence: a few whole numbers are labels."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) <= _FEW_LABELS and (known == np.round(known)).all():
        return "classify", f"the target is one of {len(known)} whole numbers", f"目标只取 {len(known)} 个整数值"
    return "regress", "the target is one number a sequence", "目标是每个序列一个数值"


def _rests(table: Table, target: str, settings: DataSettings) -> bool:
    """The number is the same in all rows of a series, so that there is nothing to forecast."""
    values = table.columns[target]
    if values.dtype.kind != "f" or len(runs(values)[0]) - 1 > len(values) / _FEW_CHANGES:
        return False
    schema, _ = infer(table, task="regress", **_flags(settings))
    return schema.group is not None and all(column.level == "case" for column in schema.of_role("target"))


def _flags(settings: DataSettings) -> Flags:
    flags: Flags = {
        "target": settings.target,
        "features": settings.features,
        "known": settings.known,
        "static": settings.static,
        "categorical": settings.categorical,
        "ignore": settings.ignore,
        "time": settings.time,
        "group": settings.group,
        "missing": settings.missing,
        "time_delta": settings.time_delta,
        "resample": settings.resample,
        "frequency": settings.frequency,
        "spelling": settings.spelling,
    }
    if settings.calendar is not None:
        flags["calendar"] = settings.calendar
    return flags


def _groups(table: Table, schema: Schema) -> Sequence[str] | None:
    """Name of each sequence's group, where the format gives one that is not the sequence itself."""
    if schema.group is None or schema.group not in table.case_columns:
        return None
    return [str(name) for name in table.case_columns[schema.group]]


def _divide(series: Series, settings: DataSettings, schema: Schema, groups: Sequence[str] | None) -> Parts:
    wanted = settings.split
    absent = {name: 0 for name in ("valid", "test") if getattr(settings, name) is not None}
    asked = wanted.model_copy(update=absent)
    parts = split(series, asked, ordered=schema.forecast, sessions=schema.session, groups=groups)
    if not np.isfinite(series.values[: 1 << 12]).any():
        raise DataError(
            "no column holds values that differ from row to row",
            where=series.source,
            mend="give a file with a number or word in each row that changes",
        )
    return parts
