"""Who is trained on, who chooses, who judges: by time, by group, by case, or as given.

A span is ``(sequence, first row, end row)``: the rows whose truth belongs to a part. A window of a later part may
look back into rows of an earlier one; a truth never stands in two parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from unrolled.core.errors import DataError
from unrolled.core.records import Note, Record
from unrolled.prepare.series import Series

Span = tuple[int, int, int]
Spans = list[Span]
VALID_SHARE = 0.15  # of the data, where nobody says another
_SCARCE = 600  # labelled sequences
_ALL_TRAINED_ON = Note(
    code="no_validation",
    en=f"Fewer than {_SCARCE} labelled sequences: none is set aside for validation, so training does not stop early "
    "and probabilities are not calibrated; --valid-share 0.15 changes that.",
    zh=f"带标签的序列少于 {_SCARCE} 个：不划出验证集，训练不会提前停止，概率也未校准；可用 --valid-share 0.15 修改。",
)


def _share(given: Any) -> Any:
    """Refuse a share that means nothing."""
    if isinstance(given, str):
        try:
            np.datetime64(given)
        except ValueError:
            raise ValueError("a fraction, a number of rows or sequences, or a date such as 2024-06-30") from None
    elif isinstance(given, int | float) and not (0 <= given < 1 or (given >= 1 and given % 1 == 0)):
        raise ValueError("a fraction below 1, or a whole number of rows or sequences")
    return given


Share = Annotated[float | int | str, Field(union_mode="left_to_right"), BeforeValidator(_share)]
"""A fraction below 1; rows (time) or sequences (case, group) from 1 up; or the ISO date at which a part begins."""


class SplitSettings(Record):
    """How the data is divided.

    Attributes:
        by: "time" (each sequence is cut along time), "group" (all sequences of a group stay together), "case"
            (sequence by sequence, classes kept in proportion), "start" (whole sequences, those that begin last are
            held out); "auto" lets the task and the data decide.
        valid, test: a fraction, a number of rows or sequences, or the ISO date at which the part begins;
            0 for none. ``valid=None`` is 0.15, or none where labelled sequences are too few to spare any.
        seed: of the drawing (group and case); None takes the job's.
    """

    by: Literal["auto", "time", "group", "case", "start"] = "auto"
    valid: Share | None = None
    test: Share = 0.2
    seed: int | None = None


class Parts(Record):
    """Spans of the three parts; the notes say how they were made."""

    train: Spans
    valid: Spans
    test: Spans
    notes: tuple[Note, ...] = ()


def split(
    series: Series,
    settings: SplitSettings,
    *,
    ordered: bool,
    sessions: bool = False,
    groups: Sequence[str] | None = None,
) -> Parts:
    """Divide ``series``.

    Args:
        series: the data.
        settings: what the user asked.
        ordered: the task predicts along time (forecasting), so "auto" means "time".
        sessions: the sequences are sessions that came one after another, so "auto" means "start".
        groups: ``(S,)`` name of each sequence's group (patient, engine, ticker), or None.

    Raises:
        DataError: a part would be empty.
    """
    by = settings.by
    scarce = settings.valid is None and _scarce(series)
    if settings.valid is None:
        settings = settings.model_copy(update={"valid": 0 if scarce else VALID_SHARE})
    if by == "auto" and sessions:
        by = "start"
    if by == "auto":
        along = any(column.level == "row" for column in series.of_role("target"))
        by = "time" if ordered or len(series.ids) == 1 else ("group" if groups is not None or along else "case")
    if by == "time":
        parts = _by_time(series, settings)
    elif by == "start":
        parts = _by_start(series, settings)
    elif by == "group":
        parts = _by_group(series, settings, groups if groups is not None else series.ids)
    else:
        parts = _by_case(series, settings)
    if not parts.train:
        raise DataError(
            "nothing is left to train on after the split",
            where=series.source,
            mend="make --valid-share and --test-share smaller, or give more data",
        )
    return parts.model_copy(update={"notes": (*parts.notes, _ALL_TRAINED_ON)}) if scarce else parts


def _scarce(series: Series) -> bool:
    """So few labelled sequences that each is worth more in training than in validation."""
    labelled = any(column.kind == "category" and column.level == "case" for column in series.of_role("target"))
    return labelled and len(series.ids) < _SCARCE


def whole(series: Series) -> Spans:
    """Every row of every sequence."""
    return [(s, int(a), int(b)) for s, (a, b) in enumerate(zip(series.starts[:-1], series.starts[1:], strict=True))]


def _by_time(series: Series, settings: SplitSettings) -> Parts:
    train: Spans = []
    valid: Spans = []
    test: Spans = []
    for s, begin, end in whole(series):
        test_at = _cut(series, settings.test, begin, end, end - begin)
        valid_at = _cut(series, settings.valid, begin, test_at, end - begin)
        train.append((s, begin, valid_at))
        valid.append((s, valid_at, test_at))
        test.append((s, test_at, end))
    note = Note(
        code="split_by_time",
        en="Split along time: the model never sees a row later than those it is trained on before it is judged.",
        zh="按时间划分：训练数据全部早于验证和测试数据。",
    )
    return Parts(train=_filled(train), valid=_filled(valid), test=_filled(test), notes=(note,))


def _cut(series: Series, share: Share | None, begin: int, end: int, length: int) -> int:
    """Row at which the last part of ``begin:end`` starts."""
    if isinstance(share, str):
        if series.time is None or not np.issubdtype(series.time.dtype, np.datetime64):
            raise _no_time(series, share)
        return begin + int(np.searchsorted(series.time[begin:end], np.datetime64(share)))
    rows = 0 if share is None else round(length * share) if share < 1 else int(share)
    return max(begin, end - rows)


def _no_time(series: Series, share: str) -> DataError:
    return DataError(
        f"a split at the date {share!r} needs a time column", where=series.source, mend="name it with --time"
    )


def _filled(spans: Spans) -> Spans:
    return [span for span in spans if span[2] > span[1]]


def _by_start(series: Series, settings: SplitSettings) -> Parts:
    """Whole sequences in the order of their first rows (of the file where there is no time)."""
    begins = series.starts[:-1] if series.time is None else series.time[series.starts[:-1]]
    order = np.argsort(begins, kind="stable")
    cuts = [len(order)]
    for share in (settings.test, settings.valid):
        if isinstance(share, str):
            if not np.issubdtype(begins.dtype, np.datetime64):
                raise _no_time(series, share)
            cuts.append(min(cuts[-1], int(np.searchsorted(begins[order], np.datetime64(share)))))
        else:
            count = 0 if share is None else round(len(order) * share) if share < 1 else int(share)
            cuts.append(max(1, cuts[-1] - count))
    part = np.zeros(len(order), dtype=np.int64)
    part[order[cuts[2] : cuts[1]]], part[order[cuts[1] :]] = 1, 2
    note = Note(
        code="split_by_start",
        en="Split by the time at which sequences begin: the model is judged on the latest ones.",
        zh="按序列的开始时间划分：用最晚的序列评估模型。",
    )
    return _parts(series, part, note)


def _by_group(series: Series, settings: SplitSettings, groups: Sequence[str]) -> Parts:
    names, member = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    order = np.random.default_rng(settings.seed or 0).permutation(len(names))
    part_of_group = _deal(order, settings)
    note = Note(
        code="split_by_group",
        en=f"Split by group: each of the {len(names)} groups stands in one part only.",
        zh=f"按组划分：共 {len(names)} 组，每组只出现在一个部分中。",
    )
    return _parts(series, part_of_group[member], note)


def _by_case(series: Series, settings: SplitSettings) -> Parts:
    random = np.random.default_rng(settings.seed or 0)
    total = len(series.ids)
    shares = {name: _fraction(getattr(settings, name), total) for name in ("valid", "test")}
    settings, classes = settings.model_copy(update=shares), _classes(series)
    part = np.zeros(total, dtype=np.int64)
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        part[own] = _deal(random.permutation(len(own)), settings)
    note = Note(
        code="split_by_case",
        en="Split sequence by sequence at random, every class in proportion.",
        zh="按序列随机划分，各类别比例保持一致。",
    )
    return _parts(series, part, note)


def _fraction(share: Share | None, total: int) -> Share | None:
    """A number of sequences as a fraction, so that each class gives its proportion of them."""
    return share / total if not isinstance(share, str | None) and 1 <= share < total else share


def _classes(series: Series) -> npt.NDArray[np.float32]:
    """Code of the first categorical target of each sequence; all alike where there is none."""
    for column in series.of_role("target"):
        if column.kind == "category" and column.level == "case":
            return series.cases[:, series.index(column)]
        if column.kind == "category":
            codes: npt.NDArray[np.float32] = series.values[series.starts[1:] - 1, series.index(column)]
            return codes
    return np.zeros(len(series.ids), dtype=np.float32)


def _deal(order: npt.NDArray[np.int64], settings: SplitSettings) -> npt.NDArray[np.int64]:
    """Part (0 train, 1 valid, 2 test) of each of ``len(order)`` members; training always keeps one."""
    count = len(order)
    part = np.zeros(count, dtype=np.int64)
    free = count - 1
    at = 0
    for number, share in ((2, settings.test), (1, settings.valid)):
        if isinstance(share, str) or share is None:
            raise DataError(f"a split at a date ({share!r}) only goes with --split time", mend="use --split time")
        wanted = min(free, round(count * share) if share < 1 else int(share))
        part[order[at : at + wanted]] = number
        at, free = at + wanted, free - wanted
    return part


def _parts(series: Series, part: npt.NDArray[np.int64], note: Note) -> Parts:
    spans = whole(series)
    train, valid, test = ([spans[s] for s in np.flatnonzero(part == number)] for number in range(3))
    return Parts(train=train, valid=valid, test=test, notes=(note,))
