"""Why a model answered one row as it did: shares of the inputs, what changes the answer, and rows like it."""

from __future__ import annotations

from typing import Literal

from unrolled.core.diagnosis import Example
from unrolled.core.records import HeatPicture, Record

Scale = Literal["probability", "log_probability", "number", "score"]
"""What kind of number is explained: a probability from 0 to 1, its natural logarithm, a number in the units of the
target, or how unusual a row is in standard deviations of the errors."""


class Share(Record):
    """What one input added to the answer, over all its steps, in the units of the answer."""

    name: str
    share: float


class Change(Record):
    """The answer with a part of the input held at its average.

    Attributes:
        name: the column; "" of a stretch of all columns.
        begin, end: its first and last step, from 1; 0 where a column was held over all steps.
        answer: what the model says then.
        figure: the explained number then.
        flips: the answer is another one.
    """

    name: str = ""
    begin: int = 0
    end: int = 0
    answer: str
    figure: float
    flips: bool = False


class Step(Record):
    """One step that the model read.

    Attributes:
        at: time stamp, or number of the row in its sequence.
        values: as the file has them, by column.
        shares: what each column added here.
        attention: weight of the step; None in a net without attention.
    """

    at: str
    values: dict[str, str]
    shares: dict[str, float]
    attention: float | None = None


class Explanation(Record):
    """One answer explained.

    The shares of all steps and columns add up to ``figure - rest``.

    Attributes:
        source, data: the model and the file.
        id, at, row: which answer; ``row`` counts as ``unrolled predict --all`` lists them, from 1.
        task: of the model.
        target: what is answered.
        answer: as predicted.
        explained: name of the number that is explained: the class or the string of labels whose probability it is, or
            the target.
        scale: what kind of number that is.
        threshold: of a score, above which there is an alarm.
        figure: that number for this row, and ``rest`` for an average one.
        gap: how far the shares are from adding up, over the sum of their sizes.
        columns: the inputs, the one with the largest share first.
        steps: in order of time.
        changes: the most telling ones first.
        neighbours: rows of the data that the model takes to be most alike; their ``figure`` is the distance, where 1
            is that of two rows drawn at random.
        tokens: the steps are words of a text.
        pictures: what each column added over time, and where steps look in layers with attention between them.
    """

    source: str
    data: str
    id: str
    at: str = ""
    row: int
    task: str
    target: str
    answer: str
    explained: str
    scale: Scale
    threshold: float | None = None
    figure: float
    rest: float
    gap: float
    columns: tuple[Share, ...]
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    neighbours: tuple[Example, ...]
    tokens: bool = False
    pictures: tuple[HeatPicture, ...] = ()
