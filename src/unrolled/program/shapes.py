"""What goes into a net and what comes out: the contract between data, nets, plans and tasks."""

from __future__ import annotations

from unrolled.core.records import Record


class Inputs(Record):
    """Sizes of a net's inputs.

    ``x`` is ``(B, T, numbers + len(categories))``: numeric inputs first, then one column of codes a categorical
    column; a column with cardinality n has codes 0 .. n, where n means "not seen in training".
    The first ``targets`` numeric inputs are the targets' own past (forecasting; 0 otherwise); the last ones are the
    marks, in the order of ``masked``, and before them stands the time since the row before.
    ``static`` is ``(B, static_numbers + len(static_categories))``, ``known`` is
    ``(B, steps, known_numbers + len(known_categories))``; both absent when they have no column.
    """

    numbers: int
    categories: tuple[int, ...] = ()
    targets: int = 0
    static_numbers: int = 0
    static_categories: tuple[int, ...] = ()
    known_numbers: int = 0
    known_categories: tuple[int, ...] = ()
    length: int | None = None  # T where it is fixed (windows), None where sequences differ
    masked: tuple[int, ...] = ()  # numeric inputs with a mark of missing values, 1 where one is
    time_delta: bool = False  # log2 of the time since the row before, in usual steps, is an input
    names: tuple[str, ...] = ()  # of the columns of x, where they are known; a mark has the name of what it marks

    @property
    def sizes(self) -> Inputs:
        """The sizes alone; bundles of early versions do not say what their columns mean."""
        return self.model_copy(update={"masked": (), "time_delta": False, "names": ()})


class Outputs(Record):
    """A net returns ``(B, steps, targets, values)``; with ``every`` an answer a step, ``(B, T, targets, values)``.

    Forecast: steps = horizon, values = 1 (point) or the number of quantiles. Classification: steps = targets = 1,
    values = classes. Regression: steps = values = 1. Tags: every, values = classes. Anomalies: every, targets =
    numeric inputs, values = steps ahead. Strings of labels: every and blank, values = labels and the blank.
    """

    steps: int = 1
    targets: int = 1
    values: int = 1
    every: bool = False  # each step of the input has its own answer; steps is 1
    blank: bool = False  # as every, but layers may thin the steps, and behind a sequence's end value 0 is certain

    @property
    def size(self) -> int:
        return self.steps * self.targets * self.values
