"""Which answer is asked about, and the rows that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from unrolled.core.errors import ConfigError, DataError
from unrolled.data import Batch
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.runtime.windows import to_predict
from unrolled.workflow.model import Model, chunks

_COMPARED, _BATCH = 512, 128


@dataclass(frozen=True)
class Asked:
    """One answer.

    Attributes:
        sample: what the net reads for it.
        number: as ``unrolled predict --all`` lists answers, from 1.
        place: step of the sample that is answered, from 0, where each has its own answer; None: the sample as a whole.
        others: at most 512 samples, evenly spread over the data.
        numbers: of ``others``.
    """

    sample: Samples
    number: int
    place: int | None
    others: Samples
    numbers: npt.NDArray[np.int64]


def asked(model: Model, series: Series, row: int | None) -> Asked:
    """The answer of that number; None takes the last.

    Raises:
        ConfigError: there is no such answer.
        DataError: the data is too short for any.
    """
    schema = model.preprocessor.schema
    samples = _every(model, series)
    answers = samples.rows() if schema.by_row else samples
    if not len(answers):
        raise DataError("there is nothing to answer in it", where=series.source, mend="give more rows")
    number = len(answers) if row is None else row
    if not 1 <= number <= len(answers):
        raise ConfigError(
            f"the data has the answers 1 to {len(answers)}", where=f"--row {row}", mend="choose one of them"
        )
    chosen = np.linspace(0, len(samples) - 1, min(_COMPARED, len(samples))).astype(np.int64)
    at, place = number - 1, None
    if schema.by_row:
        before = np.cumsum(samples.counts)
        at = int(np.searchsorted(before, number - 1, side="right"))
        ahead = int(before[at] - samples.counts[at])
        place = int(samples.lengths[at] - samples.counts[at]) + number - 1 - ahead
    return Asked(samples[slice(at, at + 1)], number, place, samples[chosen], chosen + 1)


def numbers(model: Model, series: Series, samples: Samples) -> npt.NDArray[np.int64]:
    """``(n,)`` which answer each sample ends with, as ``unrolled predict --all`` lists them, from 1."""
    every = _every(model, series)
    answers = every.rows() if model.preprocessor.schema.by_row else every
    return np.searchsorted(answers.end, samples.end) + 1


def _every(model: Model, series: Series) -> Samples:
    """What ``unrolled predict --all`` answers."""
    schema = model.preprocessor.schema
    return to_predict(
        series,
        schema,
        window=model.window,
        horizon=model.preprocessor.horizon if schema.forecast else 0,
        which=None if schema.by_row else "all",
        stride=1,
    )[0]


def batches(model: Model, series: Series, samples: Samples) -> list[Batch]:
    """Samples as a net reads them; their truth is not gathered and stands at 0."""
    found = []
    for some in chunks(samples, _BATCH):
        given = model.preprocessor.arrays(series, some, truth=False).inputs()
        tensors = {name: torch.from_numpy(value) for name, value in given.items() if value is not None}
        found.append(Batch(y=torch.zeros(len(some), 1), **tensors))
    return found
