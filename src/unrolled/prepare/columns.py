"""What each column of a table is for: target, feature of some kind, or left out with a reason.

Letters: S sequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.records import Note
from unrolled.prepare.labels import SEPARATOR, factorize, in_order, name_of, split_labels
from unrolled.prepare.order import Order, varies
from unrolled.prepare.roles import Wishes, counts_rows
from unrolled.prepare.series import Column, Level, Role
from unrolled.prepare.spelling import Spelling, alphabet, cut, guessed
from unrolled.prepare.survey import Survey
from unrolled.prepare.table import Table
from unrolled.prepare.wording import say

_MANY_CLASSES = 100
_FEW_LABELS = 20
_LABELLED = ("classify", "tag", "anomaly")
"""Tasks whose targets are classes."""


@dataclass(frozen=True)
class Reading:
    """A table and all that deciding over its columns needs."""

    table: Table
    task: str
    wish: Wishes
    found: Mapping[str, Survey]
    order: Order
    spelling: Spelling | None = None

    def targets(self, chosen: tuple[str, ...]) -> tuple[list[Column], str | None, list[Note]]:
        """The target columns; the one column that holds several labels a sequence, if any; and what to tell.

        Raises:
            DataError, ConfigError: a target that cannot be learnt.
        """
        notes = []
        for name in chosen:
            self._check_target(name)
            if self._target_level(name) != self._target_level(chosen[0]):
                raise ConfigError(
                    f"one of {chosen[0]!r} and {name!r} has one value a sequence, the other one a row",
                    where="option target",
                    mend="predict them with two models",
                )
            if self.found[name].missing and self.task != "forecast":
                notes.append(say("missing_truth", count=self.found[name].missing, columns=[name]))
        if self.task == "ctc":
            return [self._spelled_column(name) for name in chosen], None, notes
        if self.task in ("recommend", "pairs"):
            return [self._class_column(name) for name in chosen], None, notes
        if self.task not in _LABELLED:
            level = [self._target_level(name) for name in chosen]
            return [Column(name=n, role="target", level=at) for n, at in zip(chosen, level, strict=True)], None, notes
        one_label = self.task != "classify"
        several = [
            name for name in chosen if not one_label and any(SEPARATOR in label for label in self.found[name].labels)
        ]
        if not several:
            return [self._class_column(name) for name in chosen], None, notes
        if len(chosen) > 1:
            raise ConfigError(
                f"{several[0]!r} holds several labels a sequence and cannot be combined with other targets",
                where="option target",
                mend="name this column alone, or give one column a label",
            )
        labels = split_labels(self._cells(several[0]))[1]
        one = Column(name="", role="target", kind="category", level=self._level(several[0]), categories=("0", "1"))
        columns = [one.model_copy(update={"name": f"{several[0]}={label}"}) for label in labels]
        return columns, several[0], [*notes, say("took_labels", column=several[0], count=len(labels))]

    def rest(self, taken: list[str]) -> tuple[list[Column], list[Note]]:
        """Every column that is not ``taken``, and what was assumed about it."""
        columns: list[Column] = []
        reasons: dict[str, list[str]] = {}
        for name in [*self.table.columns, *self.table.case_columns]:
            if name in taken:
                continue
            reason = self._reason_to_drop(name)
            if reason is not None:
                reasons.setdefault(reason, []).append(name)
            columns.append(Column(name=name, role="ignore") if reason else self._feature(name))
        reasons.pop("unasked", None)
        notes = [say(reason, columns=dropped) for reason, dropped in reasons.items()]
        return columns, notes + self._told(columns)

    def _cells(self, name: str) -> npt.NDArray[Any]:
        case = self.table.case_columns.get(name)
        return self.table.columns[name] if case is None else case

    def _level(self, name: str) -> Level:
        """Case level: from the format, or one value throughout every one of several sequences."""
        if name in self.table.case_columns:
            return "case"
        if self._in_picture(name):
            return "row"
        several = 1 < len(self.order.ids) < self.table.rows and self.table.block is None
        return "case" if several and not varies(self.order.take(self._cells(name)), self.order.starts) else "row"

    def _in_picture(self, name: str) -> bool:
        """Whether it is one place of a picture, which without any of its places is none, however still it stands."""
        return bool(self.table.hints.frame) and name in self.table.columns

    def _target_level(self, name: str) -> Level:
        return "row" if self.task in ("forecast", "recommend") else self._level(name)

    def _check_target(self, name: str) -> None:
        survey, where = self.found[name], f"{self.table.source}, column {name!r}"
        other = "name another with --target"
        if survey.empty:
            raise DataError("the target has no value at all", where=where, mend=other)
        if survey.kind == "time":
            raise DataError("time stamps cannot be the target", where=where, mend=other)
        if self.task in ("forecast", "recommend") and name in self.table.case_columns:
            raise DataError(
                f"{self.task} needs one value a row, this column has one a sequence", where=where, mend=other
            )
        if self.task == "tag" and self._level(name) == "case":
            raise DataError(
                "there is one label a sequence, and tags are one a row",
                where=where,
                mend="use --task classify, or name the column of the sequences with --group",
            )
        if self.task == "ctc":
            self._check_strings(name)
        elif self.task not in (*_LABELLED, "recommend", "pairs") and survey.kind == "text":
            raise DataError(
                f"the target is text ({survey.labels[0]!r}, ...), a number is needed",
                where=where,
                mend=f"{other}, or use --task classify",
            )
        if not survey.constant or self.task == "anomaly":
            return
        same = survey.labels[0] if survey.labels else name_of(survey.low)
        if self.task in _LABELLED:
            raise DataError(f"there is one class only: {same!r}", where=where, mend="give examples of two or more")
        raise DataError(f"the target is {same} everywhere: there is nothing to predict", where=where, mend=other)

    def _class_column(self, name: str) -> Column:
        classes = self._labels(name)
        broken = self.found[name].kind == "number" and not all(float(label).is_integer() for label in classes)
        if broken and len(classes) > _MANY_CLASSES:
            raise ConfigError(
                f"{name!r} has {len(classes)} different numbers: this is a quantity, not a class",
                where=self.table.source,
                mend="use --task regress or --task forecast, or name another target",
            )
        return Column(name=name, role="target", kind="category", level=self._target_level(name), categories=classes)

    def _check_strings(self, name: str) -> None:
        """Each sequence must have one string."""
        where = f"{self.table.source}, column {name!r}"
        if self.found[name].kind != "text":
            raise DataError(
                "strings of labels are needed, and this column holds numbers (which lose zeros in front)",
                where=where,
                mend=f"read it as text: --categorical {name}",
            )
        if self._level(name) != "case":
            raise DataError(
                "ctc needs one string of labels a sequence, this column changes from row to row",
                where=where,
                mend="name the column of the sequences with --group, or use --task tag for one label a row",
            )

    def _spelled_column(self, name: str) -> Column:
        """A string of labels a sequence; its categories are the labels."""
        texts = self._labels(name)
        spelling = self.spelling or guessed(texts)
        longest = max(len(cut(text, spelling)) for text in texts)
        labels = alphabet(texts, spelling)
        if longest == 1:
            raise ConfigError(
                f"each string in {name!r} is one label, such as {texts[0]!r}",
                where=self.table.source,
                mend="use --task classify, or say how strings are cut with --set data.spelling=characters",
            )
        return Column(name=name, role="target", kind=spelling, level="case", categories=labels)

    def _labels(self, name: str) -> tuple[str, ...]:
        return self.found[name].labels or in_order(factorize(self._cells(name))[1])

    def _reason_to_drop(self, name: str) -> str | None:
        """Code of the note that says why a column is left out ("unasked": the user knows), or None to keep it."""
        wish, survey = self.wish, self.found[name]
        asked = name in (*(wish.features or ()), *wish.known, *wish.static)
        if name in wish.ignore or (wish.features is not None and not asked):
            return "unasked"
        if survey.empty:
            return "dropped_empty"
        if self._in_picture(name):
            return None
        if survey.constant:
            return "dropped_constant"
        if survey.kind == "time":
            return "ignored_time"
        if asked:
            return None
        if name in self.table.case_columns:
            return "ignored_level"
        if counts_rows(self.table, name):
            return "ignored_row_number"
        text = survey.kind == "text" and name not in wish.categorical
        return "ignored_text" if text and self._too_many(name) else None

    def _too_many(self, name: str) -> bool:
        """Whether texts are names or prose rather than categories."""
        count, rows = len(self.found[name].labels), self.found[name].rows
        if self._level(name) == "case":
            return count > len(self.order.ids) / 2
        most = rows if self.task == "tag" else min(max(_FEW_LABELS, rows // 20), 1000)  # words that are tagged
        return count > most or count > rows / 2

    def _feature(self, name: str) -> Column:
        wish = self.wish
        level: Level = "case" if name in wish.static else "row" if name in wish.known else self._level(name)
        role: Role = "known" if name in wish.known else "static" if level == "case" else "feature"
        if name not in wish.categorical and self.found[name].kind == "number":
            return Column(name=name, role=role, level=level)
        return Column(name=name, role=role, kind="category", level=level, categories=self._labels(name))

    def _told(self, columns: list[Column]) -> list[Note]:
        """What was assumed about the columns that stay."""
        unsaid = [column for column in columns if column.role != "ignore" and column.name not in self.wish.explicit]
        features = [column.name for column in unsaid if column.role == "feature"]
        static = [column.name for column in unsaid if column.role == "static"]
        category = [column.name for column in unsaid if column.kind == "category"]
        told = (("took_features", features), ("took_static", static), ("took_category", category))
        return [say(code, columns=names) for code, names in told if names]
