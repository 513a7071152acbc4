"""Which column stands where in a batch; the order is the one that ``Arrays`` promises."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.prepare import calendar
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column
from unrolled.program.shapes import Inputs


@dataclass(frozen=True)
class Layout:
    """Columns of a schema by their place in a batch.

    Attributes:
        numbers: numeric row columns of ``x``: targets (forecast), features, known.
        codes: categorical row columns of ``x``: features, known.
        static_numbers, static_codes: case columns of ``static``.
        known_numbers, known_codes: columns of ``known``.
        targets: columns of ``y``.
        calendar: names of the columns made of the calendar, in ``x`` and ``known``.
        time_delta: ``x`` has the time since the previous row.
    """

    numbers: tuple[Column, ...]
    codes: tuple[Column, ...]
    static_numbers: tuple[Column, ...]
    static_codes: tuple[Column, ...]
    known_numbers: tuple[Column, ...]
    known_codes: tuple[Column, ...]
    targets: tuple[Column, ...]
    calendar: tuple[str, ...]
    time_delta: bool

    @classmethod
    def of(cls, schema: Schema) -> Layout:
        """The layout that a schema asks for; in a forecast and in sessions targets are inputs, the first ones."""
        targets = schema.of_role("target")
        features = schema.of_role("feature")
        known = schema.of_role("known")
        static = schema.of_role("static")
        inputs = (*(targets if schema.forecast or schema.session else ()), *features, *known)
        ahead = known if schema.forecast else ()
        return cls(
            numbers=_numbers(inputs),
            codes=_codes(inputs),
            static_numbers=_numbers(static),
            static_codes=_codes(static),
            known_numbers=_numbers(ahead),
            known_codes=_codes(ahead),
            targets=targets,
            calendar=calendar.columns(schema.calendar),
            time_delta=schema.time_delta,
        )

    @property
    def from_time(self) -> int:
        """How many columns of ``x`` are made of time."""
        return len(self.calendar) + self.time_delta

    @property
    def knows_ahead(self) -> bool:
        """Covariates of the rows ahead are read from the series."""
        return bool(self.known_numbers or self.known_codes)

    def inputs(self, masked: tuple[int, ...], length: int | None, *, forecast: bool) -> Inputs:
        """Sizes for a net; ``masked`` are the numeric inputs with a column that says where a value was missing."""
        return Inputs(
            numbers=len(self.numbers) + self.from_time + len(masked),
            categories=_cardinalities(self.codes),
            targets=len(self.targets) if forecast else 0,
            static_numbers=len(self.static_numbers),
            static_categories=_cardinalities(self.static_codes),
            known_numbers=len(self.known_numbers) + (len(self.calendar) if forecast else 0),
            known_categories=_cardinalities(self.known_codes),
            length=length,
            masked=masked,
            time_delta=self.time_delta,
            names=self._names(masked),
        )

    def _names(self, masked: tuple[int, ...]) -> tuple[str, ...]:
        numbers = tuple(column.name for column in self.numbers)
        made = (*self.calendar, *(("time_delta",) if self.time_delta else ()))
        return (*numbers, *made, *(numbers[at] for at in masked), *(column.name for column in self.codes))


def _numbers(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.kind == "number")


def _codes(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.kind == "category")


def _cardinalities(columns: tuple[Column, ...]) -> tuple[int, ...]:
    return tuple(len(column.categories) for column in columns)
