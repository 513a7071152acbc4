"""What the columns of a table mean: said by the user, hinted at by the format, or inferred and told.

A schema is stored in the bundle; the same schema reads the training file and every later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, Unpack

import numpy as np
from pydantic import model_validator

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note, Record
from unrolled.prepare import calendar, roles
from unrolled.prepare.calendar import CalendarFeature
from unrolled.prepare.columns import Reading
from unrolled.prepare.order import Order, arrange
from unrolled.prepare.regularity import Rhythm, rhythm_of
from unrolled.prepare.roles import Flags, Missing, Resample
from unrolled.prepare.series import Column, Role
from unrolled.prepare.stamps import TimeUnit
from unrolled.prepare.survey import Survey, survey
from unrolled.prepare.table import Table
from unrolled.prepare.wording import say


class Schema(Record):
    """Columns with their meaning, and how time, missing values and the calendar are handled.

    Attributes:
        task: name of the task; in a forecast and in a session the targets' past is an input, an anomaly or a
            pretraining needs no target.
        columns: every column that has a role; those to leave out have the role "ignore".
        time, unit: the time column and how it is written.
        rhythm: step between rows.
        group: the column that names the series of a row.
        missing: what happens to missing inputs: "error" refuses them, "mask" tells the model where they are,
            "fill_forward" repeats the last value of the window, "interpolate" draws a line inside the window.
        calendar: features computed from the time stamps.
        time_delta: the time since the previous row is an input.
        resample: how rows are brought to the step of ``rhythm``, or None.
        several: the column of the file that holds several labels a sequence; its targets are named ``several=label``.
    """

    task: str
    columns: tuple[Column, ...]
    time: str | None = None
    unit: TimeUnit | None = None
    rhythm: Rhythm | None = None
    group: str | None = None
    missing: Missing = "error"
    calendar: tuple[CalendarFeature, ...] = ()
    time_delta: bool = False
    resample: Resample | None = None
    several: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """A schema out of a bundle may have been tampered with: what reading it relies on is checked here."""
        names = [column.name for column in self.columns]
        levels = {"feature": ("row",), "known": ("row",), "static": ("case",)}
        rules = {
            "a tag of something else than classes a row": self.task != "tag"
            or all(c.level == "row" and c.kind == "category" for c in self.of_role("target")),
            "strings of labels of another task, or none": (self.task == "ctc")
            == any(c.spelling is not None for c in self.columns)
            and all(c.level == "case" and c.role == "target" for c in self.columns if c.spelling is not None),
            "a name is used twice": len(set(names)) == len(names),
            "time without its unit": (self.time is None) == (self.unit is None),
            "calendar without time": not self.calendar or self.time is not None,
            "time steps without a rhythm": not (self.time_delta or self.resample) or self.rhythm is not None,
            "rhythm without time": self.rhythm is None or self.time is not None,
            "plain numbers as time stamps": self.rhythm is None or self.rhythm.stamps == (self.unit != "number"),
            "a calendar of plain numbers": not self.calendar or self.unit != "number",
            "a column at the wrong level": all(c.level in levels.get(c.role, (c.level,)) for c in self.columns),
            "targets at two levels": len({column.level for column in self.of_role("target")}) < 2,
            "a forecast of something else than numbers a row": not self.forecast
            or all(c.level == "row" and c.kind == "number" for c in self.of_role("target")),
            "a session of something else than one item a row": not self.session
            or [(c.level, c.kind) for c in self.of_role("target")] == [("row", "category")],
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise ValueError("; ".join(broken))
        return self

    @property
    def frequency(self) -> float | None:
        """Seconds (or units of a plain numeric time) between rows where they keep a step, else None."""
        return self.rhythm.step if self.rhythm is not None and self.rhythm.regular else None

    @property
    def forecast(self) -> bool:
        """The targets' own past is an input, and the truth lies ahead of the window."""
        return self.task == "forecast"

    @property
    def every(self) -> bool:
        """Each step of a sample has its own answer."""
        return self.task in ("tag", "anomaly")

    @property
    def by_row(self) -> bool:
        """Answers are one a row; of anomalies only where their labels are not one a sequence."""
        return self.every and all(column.level == "row" for column in self.of_role("target"))

    @property
    def spelled(self) -> bool:
        """The truth of a sequence is a string of labels, shorter than it."""
        return self.task == "ctc"

    @property
    def session(self) -> bool:
        """Each row is a choice among items: those so far are an input, the truth is the item of the next row."""
        return self.task == "recommend"

    def of_role(self, *wanted: Role) -> tuple[Column, ...]:
        """Columns of one of the roles, in order."""
        return tuple(column for column in self.columns if column.role in wanted)


def infer(table: Table, *, task: str, **flags: Unpack[Flags]) -> tuple[Schema, tuple[Note, ...]]:
    """Say what the columns of ``table`` mean for ``task``; every assumption is a note.

    Args:
        table: the training file.
        task: name of the task.
        flags: see ``roles.Flags``.

    Raises:
        ConfigError: an unknown column, two roles for one, or no single candidate for the target.
        DataError: a target that is missing, constant or of the wrong kind; unreadable or repeated time stamps.
    """
    if not table.rows:
        raise DataError("there are no rows", where=table.source, mend="give a file with data below its header")
    wish, found = roles.wishes(table, flags), survey(table)
    time, unit, time_notes = roles.find_time(table, wish, found)
    group, group_notes = roles.find_group(table, wish, found, time, unit)
    settled = [name for name in (time, group) if name is not None]
    if task == "pretrain":
        wish, target_notes = roles.without_labels(table, wish, settled)
        target: tuple[str, ...] = ()
    else:
        target, target_notes = roles.find_target(table, task, wish, found, settled)

    resample = flags.get("resample")
    repeats = resample is not None or task == "recommend"  # two clicks in one second are no fault
    order = arrange(table, time=time, unit=unit, group=group, repeats=repeats)
    rhythm, rhythm_notes = _rhythm(order, resample, flags.get("frequency"))
    reading = Reading(table, task, wish, found, order, flags.get("spelling"))
    targets, several, class_notes = reading.targets(target)
    rest, rest_notes = reading.rest([*settled, *target])
    # Resampling leaves empty rows wherever there is a gap.
    policy = flags.get("missing") or ("mask" if resample else None)
    missing, missing_notes = _missing((*targets, *rest), found, task, policy)
    wanted = flags.get("calendar", "auto" if task == "forecast" else None)
    features, calendar_notes = _calendar(order, rhythm, wanted)
    time_delta, delta_notes = _time_delta(rhythm, flags.get("time_delta"))
    if task == "recommend":  # sessions are as irregular as people are
        delta_notes = []
    schema = Schema(
        task=task,
        columns=(*targets, *rest),
        time=time,
        unit=unit,
        rhythm=rhythm,
        group=group,
        missing=missing,
        calendar=features,
        time_delta=time_delta,
        resample=resample,
        several=several,
    )
    assumed = (*time_notes, *group_notes, *target_notes, *rest_notes, *rhythm_notes, *calendar_notes, *delta_notes)
    return schema, (*assumed, *class_notes, *missing_notes)


def _rhythm(order: Order, resample: Resample | None, declared: float | None) -> tuple[Rhythm | None, list[Note]]:
    """The step between rows: the user's where one is declared, else the one that the data shows."""
    if order.time is None:
        if resample or declared:
            raise ConfigError(
                "resampling and a frequency need a time column",
                where="option resample" if resample else "option frequency",
                mend="name it with --time",
            )
        return None, []
    rhythm = rhythm_of(order.time, order.starts)
    if declared is not None:
        if not 0 < declared < float("inf"):
            raise ConfigError(f"a step of {declared:g} is not a number above zero", where="option frequency")
        stamps = bool(np.issubdtype(order.time.dtype, np.datetime64))
        regular = resample is not None or (rhythm is not None and rhythm.regular)
        return Rhythm(step=declared, stamps=stamps, regular=regular), []
    if rhythm is None and resample is not None:
        raise ConfigError(
            "no series has two rows that could tell the step", where="option resample", mend="state it with --frequency"
        )
    if rhythm is None:
        return None, []
    if resample is None:
        return rhythm, [say("regular_time", step=rhythm)] if rhythm.regular and not rhythm.gaps else _gaps(rhythm)
    if rhythm.months or rhythm.weekdays:
        raise ConfigError(
            f"rows come every {rhythm}, which is not a fixed number of seconds",
            where="option resample",
            mend="leave --resample out, or say how many seconds with --frequency",
        )
    return rhythm.model_copy(update={"regular": True, "gaps": 0}), []


def _gaps(rhythm: Rhythm) -> list[Note]:
    if not rhythm.regular:
        return []
    return [say("business_days" if rhythm.weekdays else "time_gaps", step=rhythm, count=rhythm.gaps)]


def _time_delta(rhythm: Rhythm | None, wanted: bool | None) -> tuple[bool, list[Note]]:
    """Whether the time since the previous row is an input: where asked for, and where time is irregular."""
    if rhythm is None:
        if wanted:
            raise ConfigError(
                "the time since the previous row needs a time column",
                where="option time_delta",
                mend="name it with --time",
            )
        return False, []
    if rhythm.regular:
        return bool(wanted), []
    given = wanted is not False
    return given, [say("irregular_time" if given else "irregular_unused", step=rhythm)]


def _calendar(
    order: Order, rhythm: Rhythm | None, wanted: roles.Names
) -> tuple[tuple[CalendarFeature, ...], list[Note]]:
    """Calendar features: those asked for, or those that the step and the span let the data show."""
    stamps = order.time is not None and np.issubdtype(order.time.dtype, np.datetime64)
    if wanted == "auto":
        if not stamps or order.time is None:
            return (), []
        filled = np.diff(order.starts) > 0
        first, last = order.time[order.starts[:-1][filled]].min(), order.time[order.starts[1:][filled] - 1].max()
        span = (last - first) / np.timedelta64(1, "s")
        chosen = calendar.choose(rhythm, float(span))
        return chosen, [say("calendar", columns=chosen)] if chosen else []
    names = roles.names(wanted)
    for name in names:
        if name not in calendar.FEATURES:
            raise ConfigError(
                f"there is no calendar feature {name!r}",
                where="option calendar",
                mend=f"choose from {', '.join(calendar.FEATURES)}",
            )
    if names and not stamps:
        raise ConfigError("calendar features need time stamps", where="option calendar", mend="name them with --time")
    return tuple(feature for feature in calendar.FEATURES if feature in names), []


def _missing(
    columns: tuple[Column, ...], found: Mapping[str, Survey], task: str, wanted: Missing | None
) -> tuple[Missing, list[Note]]:
    """The policy for missing values, and what it applies to."""
    forecast = task == "forecast"
    inputs = [c.name for c in columns if c.role != "ignore" and (forecast or c.role != "target")]
    holes = {name: found[name].missing for name in inputs if found[name].missing}
    if not holes or wanted == "error":
        return wanted or "error", []
    policy = wanted or "mask"
    return policy, [say("took_missing", count=sum(holes.values()), columns=list(holes), policy=policy)]
