"""Who is who in a table: what the user says, then what the format says, then what the data shows.

Nothing is assumed in silence: every assumption is a note.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note
from unrolled.prepare.labels import factorize, runs
from unrolled.prepare.pages import pieces
from unrolled.prepare.regularity import steps_between
from unrolled.prepare.spelling import Spelling
from unrolled.prepare.stamps import TimeUnit, read_time, unit_of
from unrolled.prepare.survey import Survey
from unrolled.prepare.table import Table
from unrolled.prepare.wording import listed, say

Names = str | Sequence[str] | None
Missing = Literal["error", "mask", "fill_forward", "interpolate"]
Resample = Literal["mean", "last"]

_TIME_NAME = re.compile(r"(date|time|datetime|timestamp|trade_date|ds|t|cycle|step|日期|时间|交易日期)$", re.IGNORECASE)
_GROUP_NAME = re.compile(
    r"(.*_)?(id|unit|group|series|ticker|symbol|subject|patient|record|engine|machine|store|item|ts_code|stock|"
    r"股票代码|代码|编号|设备)$",
    re.IGNORECASE,
)
_ITEM_NAME = re.compile(r"(item|product|article|track|movie|商品)(_?id)?$", re.IGNORECASE)
_TARGET_NAME = re.compile(r"(target|y|label|labels|class|rul|目标|标签|类别)$", re.IGNORECASE)
_ROW_NAME = re.compile(r"(|index|idx|id|no|row|nr|#|序号|unnamed.*|column_0)$", re.IGNORECASE)
_ONE_WAY = 0.8  # share of steps that a column of plain numbers must go one way to be taken as time
_WIDE = 30  # so many columns may be the steps of series that stand in rows
_MANY_REPEATS = 0.1  # share of repeated time stamps from which a file is taken to hold several series


class Flags(TypedDict, total=False):
    """What a user may say about a table; all of it optional.

    Keys:
        target, features, known, static, categorical, ignore: column names (one or several). ``features=None`` takes
            every usable column, () none.
        time, group: column names.
        missing: policy for missing values; None lets the data decide ("error" where nothing is missing, else "mask").
        calendar: features from the time stamps, "auto", or () for none; "auto" is the default of a forecast.
        time_delta: give the time since the previous row as an input; None: where time is irregular.
        resample: bring the rows to an even step, by the mean or the last value.
        frequency: that step, in seconds (or in the unit of a plain numeric time).
        spelling: what a string of labels is cut into; None: words where one has white space inside.
    """

    target: Names
    features: Names
    known: Names
    static: Names
    categorical: Names
    ignore: Names
    time: str | None
    group: str | None
    missing: Missing | None
    calendar: Names
    time_delta: bool | None
    resample: Resample | None
    frequency: float | None
    spelling: Spelling | None


@dataclass(frozen=True)
class Wishes:
    """Names that the user gave or the format hints at, all of them checked."""

    target: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    explicit: frozenset[str] = field(default_factory=frozenset)  # named by the user, not by a hint

    @property
    def claimed(self) -> frozenset[str]:
        """Columns whose role is settled, so that they are neither time nor group nor target by inference."""
        return frozenset({*self.target, *(self.features or ()), *self.known, *self.static, *self.ignore})


def names(value: Names) -> tuple[str, ...]:
    """One name or several, each once, as a tuple."""
    return () if value is None else (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))


def wishes(table: Table, flags: Mapping[str, Any]) -> Wishes:
    """Check the user's names and fill in the format's hints where the user is silent.

    Raises:
        ConfigError: a name is not in the table, or has two roles.
    """
    keys = ("target", "features", "known", "static", "categorical", "ignore")
    given = {key: names(flags.get(key)) for key in keys}
    single = {key: flags.get(key) for key in ("time", "group")}
    known = [*table.columns, *table.case_columns]
    for key, value in {**given, **{key: names(one) for key, one in single.items()}}.items():
        for name in value:
            if name not in known:
                raise unknown_column(name, known, where=f"{table.source}, option {key}")
    _refuse_two_roles(given, single)
    hints = table.hints
    spoken = frozenset(name for value in given.values() for name in value) | {one for one in single.values() if one}

    def merged(key: str, hint: tuple[str, ...]) -> tuple[str, ...]:
        return given[key] or tuple(name for name in hint if name not in spoken and name in known)

    return Wishes(
        target=merged("target", hints.target),
        features=None if flags.get("features") is None else given["features"],
        known=merged("known", hints.known),
        static=merged("static", hints.static),
        categorical=tuple(dict.fromkeys((*given["categorical"], *hints.category))),
        ignore=tuple(dict.fromkeys((*given["ignore"], *(name for name in hints.ignore if name not in spoken)))),
        time=single["time"] or (hints.time if hints.time not in spoken else None),
        group=single["group"] or (hints.group if hints.group not in spoken else None),
        explicit=spoken,
    )


def unknown_column(name: str, known: Iterable[str], *, where: str) -> ConfigError:
    """There is no such column; the nearest name is suggested."""
    known = list(known)
    folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    near = near or [other for other in folded if name.casefold() in other][:1]
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    return ConfigError(f"there is no column {name!r}", where=where, mend=f"{hint}the columns are {listed(known)}")


def _refuse_two_roles(given: Mapping[str, tuple[str, ...]], single: Mapping[str, str | None]) -> None:
    roles: dict[str, str] = {}
    pairs = [(name, key) for key in ("target", "known", "static", "ignore") for name in given[key]]
    pairs += [(name, key) for key, name in single.items() if name is not None]
    pairs += [(name, "features") for name in given["features"] if name not in given["target"]]
    for name, key in pairs:
        if name in roles and roles[name] != key:
            raise ConfigError(
                f"column {name!r} is given as {roles[name]} and as {key}",
                where=f"option {key}",
                mend="give it one role",
            )
        roles[name] = key


def find_time(
    table: Table, wish: Wishes, found: Mapping[str, Survey]
) -> tuple[str | None, TimeUnit | None, list[Note]]:
    """The time column, how it is written, and what was assumed.

    Raises:
        DataError: the named column does not hold time.
    """
    if wish.time is not None:
        unit = unit_of(table.columns[wish.time]) if wish.time in table.columns else None
        if unit is None:
            raise DataError(
                "this is not a column of time stamps",
                where=f"{table.source}, column {wish.time!r}",
                mend="write time stamps as 2024-01-31 or 2024-01-31 18:00:00, or name another column with --time",
            )
        notes = [] if wish.time in wish.explicit else [say("took_time", column=wish.time)]
        return wish.time, unit, notes + _unit_note(wish.time, unit)
    free = [name for name in table.columns if name not in wish.claimed and not found[name].empty]
    stamps = [name for name in free if found[name].kind == "time"]
    stamps.sort(key=lambda name: not _TIME_NAME.match(name))
    named = [name for name in free if _TIME_NAME.match(name) and found[name].missing == 0]
    for name in [*stamps, *named]:
        unit = unit_of(table.columns[name])
        if unit is not None and (unit != "number" or _runs_one_way(table.columns[name])):
            return name, unit, [say("took_time", column=name), *_unit_note(name, unit)]
    return None, None, [say("no_time")]


def _unit_note(name: str, unit: TimeUnit) -> list[Note]:
    plain = unit in ("datetime", "text", "number")
    return [] if plain else [say("took_time_unit", column=name, unit=unit.removeprefix("epoch_"))]


def _runs_one_way(column: npt.NDArray[Any]) -> bool:
    """Nearly always up, or nearly always down: a clock of one or several series, not a measurement called time."""
    steps = np.diff(column[: 1 << 20])
    return len(steps) > 0 and max(float(np.mean(steps > 0)), float(np.mean(steps < 0))) >= _ONE_WAY


def find_group(
    table: Table, wish: Wishes, found: Mapping[str, Survey], time: str | None, unit: TimeUnit | None
) -> tuple[str | None, list[Note]]:
    """The column that tells several series in one file apart, and what was assumed."""
    if table.starts is not None:
        # The format says where sequences begin; a named group tells which of them belong together.
        explicit = wish.group is None or wish.group in wish.explicit
        return wish.group, [] if explicit else [say("took_cluster", column=wish.group)]
    if wish.group is not None:
        explicit = wish.group in wish.explicit
        count = len(runs(table.columns[wish.group])[2])
        return wish.group, [] if explicit else [say("took_group", column=wish.group, count=count)]
    if table.block is not None:
        return None, []
    stamps = None if time is None or unit is None else read_time(table.columns[time], unit)
    if stamps is not None and not _repeats(stamps):
        return None, []
    free = [
        name
        for name in table.columns
        if name not in wish.claimed and name != time and found[name].missing == 0 and _may_name(table, found, name)
    ]
    free.sort(key=lambda name: not _GROUP_NAME.match(name))
    if stamps is None:
        free = [name for name in free if _GROUP_NAME.match(name)]
    else:
        free = [name for name in free if _tells_apart(table.columns[name], stamps)]
    if not free:
        return None, []
    count = len(runs(table.columns[free[0]])[2])
    return free[0], [say("took_group", column=free[0], count=count)]


def _may_name(table: Table, found: Mapping[str, Survey], name: str) -> bool:
    """Text or whole numbers, each name on several rows."""
    column, rows = table.columns[name], table.rows
    if found[name].constant or found[name].kind == "time":
        return False
    if found[name].kind == "text":
        return len(found[name].labels) <= rows / 2
    if (column[:1000] != np.floor(column[:1000])).any():
        return False
    return bool((column == np.floor(column)).all()) and len(np.unique(column)) <= rows / 2


def _repeats(stamps: npt.NDArray[Any]) -> bool:
    whole = np.array([0, len(stamps)])
    if all(bool((piece > 0).all()) for piece in steps_between(stamps, whole)):
        return False
    return len(stamps) - len(np.unique(stamps)) >= max(2, _MANY_REPEATS * len(stamps))


def _tells_apart(column: npt.NDArray[Any], stamps: npt.NDArray[Any]) -> bool:
    member, _ = factorize(column)
    moments = np.unique(stamps, return_inverse=True)[1].reshape(-1)
    return len(np.unique(member * (int(moments.max()) + 1) + moments)) == len(stamps)


def find_target(
    table: Table, task: str, wish: Wishes, found: Mapping[str, Survey], taken: Iterable[str]
) -> tuple[tuple[str, ...], list[Note]]:
    """The target columns: named, hinted at, or the only ones possible; of anomalies only those named or hinted at.

    Raises:
        ConfigError: several columns could be meant, or none.
    """
    if task == "anomaly":  # a hint may be a number to predict, which is no label
        said = tuple(name for name in wish.target if name in wish.explicit or found[name].kind == "text")
        return said, [say("took_anomaly_labels", columns=said)] if set(said) - wish.explicit else []
    if wish.target:
        hinted = [name for name in wish.target if name not in wish.explicit]
        return wish.target, [say("took_target", columns=hinted)] if hinted else []
    barred = {*wish.claimed, *taken}
    labels = task in ("classify", "tag", "ctc")
    kinds = ("number", "text") if labels or task in ("recommend", "pairs") else ("number",)
    free = [
        name
        for name in ([] if task == "forecast" else [*table.case_columns]) + [*table.columns]
        if name not in barred
        and found[name].kind in kinds
        and not (found[name].empty or found[name].constant or counts_rows(table, name))
    ]
    named = [name for name in free if (_ITEM_NAME if task == "recommend" else _TARGET_NAME).match(name)]
    cases = [name for name in free if name in table.case_columns]
    texts = [name for name in free if found[name].kind == "text"] if labels else []
    for choice in (free, named, cases, texts):
        if len(choice) == 1:
            return (choice[0],), [say("took_target", columns=choice)]
    if not free:
        raise ConfigError(
            "no column can be the target",
            where=table.source,
            mend=f"the columns are {listed([*table.columns, *table.case_columns])}; name the target with --target",
        )
    wide = "; where every row is a series of its own, say --wide" if len(free) > _WIDE else ""
    raise ConfigError(
        f"{len(free)} columns could be the target",
        where=table.source,
        mend=f"choose with --target: {listed(free)}{wide}",
    )


def without_labels(table: Table, wish: Wishes, taken: Iterable[str]) -> tuple[Wishes, list[Note]]:
    """Wishes with the target, or what is called like one, left out; and what was assumed."""
    kept = {*wish.claimed, *wish.categorical, *taken} - {*wish.target}
    axes = {"x", "y", "z"} <= {name.lower() for name in table.columns}  # then y is an axis
    found = [name for name in (*table.columns, *table.case_columns) if _TARGET_NAME.match(name)]
    named = [name for name in found if name not in kept and not (axes and name.lower() == "y")]
    labels = wish.target or tuple(named)
    notes = [say("took_no_labels", columns=labels)] if labels else []
    return replace(wish, target=(), ignore=(*wish.ignore, *labels)), notes


def counts_rows(table: Table, name: str) -> bool:
    """Whether a column only numbers the rows, by its name and its values."""
    column = table.columns.get(name)
    if column is None or not _ROW_NAME.match(name) or column.dtype == object or len(column) < 2:
        return False
    if not (np.diff(column[:1000].astype(np.float64)) == 1).all():
        return False
    last = column[0] - 1
    for _, piece in pieces(column):
        if not (np.diff(piece, prepend=last) == 1).all():
            return False
        last = piece[-1]
    return True
