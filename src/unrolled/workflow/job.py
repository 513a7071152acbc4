"""What a job works with: its completed config, its data, and what was fitted to the training part.

Letters: S sequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from unrolled.cells import load_file
from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.core.validation import validated
from unrolled.prepare import rollout
from unrolled.prepare.pairing import SIDE
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.tasks import Forecast, Regress, Task, make_task
from unrolled.train import TrainSettings
from unrolled.workflow.config import Config, DataSettings
from unrolled.workflow.defaults import before_reading, complete
from unrolled.workflow.fine_tuning import as_before
from unrolled.workflow.section import Section, sections
from unrolled.workflow.source import Source, guess_task, load, open_table


@dataclass(frozen=True)
class Job:
    """A completed config with the data it speaks of, and the task with what it learnt from the training part."""

    config: Config
    source: Source
    task: Task
    settings: TrainSettings
    sections: dict[str, Section]
    preprocessor: Preprocessor
    notes: tuple[Note, ...]
    weights: npt.NDArray[np.float32] | None


def prepare(config: Config, data: Any, weights: npt.ArrayLike | None) -> Job:
    """Read the data, fill the gaps of the config, and fit to the training part what depends on it.

    Args:
        config, data, weights: as for ``workflow.train.train``.

    Raises:
        UnrolledError: the data or the settings are not usable; the message says what to do.
    """
    for path in config.cells:
        load_file(path)
    config = _resolved(as_before(config))
    table = open_table(config.data, data)
    name = config.task.get("name") or "auto"
    notes: list[Note] = []
    if name == "auto":
        name, note = guess_task(table, config.data)
        notes.append(note)
    # A user's own function becomes its name, so that the config stays plain data.
    options = make_task(name, _options(config)).settings.model_dump(mode="json", exclude_unset=True)
    config = config.model_copy(update={"task": {"name": name, **options}})
    config = before_reading(config, name)
    source = load(table, config.data, name)
    part = source.parts["train"]
    config, chosen = complete(config, name, part.series, part.spans, validated="valid" in source.parts)
    task = make_task(name, _options(config))
    settings = validated(TrainSettings, config.train, where="train")
    found, left_out = sections(source, task, config.data)
    own = found["train"]
    preprocessor = _preprocessor(config.data, source.schema, task, own.series).fit(
        own.series, own.spans, least=getattr(task.settings, "least", 1)
    )
    _refuse_nothing(preprocessor, source)
    if isinstance(task, Forecast):
        if task.steps < task.settings.horizon:
            rollout.check(preprocessor.inputs())
    else:
        truth = {name: preprocessor.truth(part.series, part.samples)[:, 0] for name, part in found.items()}
        task = task.fit(truth["train"])  # in the other parts, an unknown label is an error before training
    return Job(
        config=config,
        source=source,
        task=task,
        settings=settings,
        sections=found,
        preprocessor=preprocessor,
        notes=(*source.notes, *notes, *chosen, *left_out, *preprocessor.notes),
        weights=None if weights is None else _weights(weights, part.series),
    )


def _refuse_nothing(preprocessor: Preprocessor, source: Source) -> None:
    inputs = preprocessor.inputs()
    if not inputs.numbers + len(inputs.categories):
        raise DataError(
            "there is no column that changes from row to row to predict from",
            where=source.facts.source,
            mend="give the file such a column, name some with --features, or choose another --task",
        )


def _resolved(config: Config) -> Config:
    """The seed of the job is that of split and training too; the threads, on which last digits depend, are told."""
    split = config.data.split
    if split.seed is None:
        split = split.model_copy(update={"seed": config.seed})
    data = config.data.model_copy(update={"split": split})
    own = {"seed": config.seed, "threads": torch.get_num_threads()}
    return config.model_copy(update={"data": data, "train": {**own, **config.train}})


def _options(config: Config) -> dict[str, Any]:
    return {key: value for key, value in config.task.items() if key != "name"}


def _weights(given: npt.ArrayLike, series: Series) -> npt.NDArray[np.float32]:
    weights = np.asarray(given, dtype=np.float32)
    if weights.shape != (len(series.ids),):
        raise DataError(
            f"the weights have the shape {weights.shape}, but there are {len(series.ids)} sequences",
            where=series.source,
            mend="give one weight a sequence",
        )
    return weights


def _preprocessor(data: DataSettings, schema: Schema, task: Task, series: Series) -> Preprocessor:
    scale = [] if data.scale == "none" else [data.scale]
    transforms: dict[str, Any] = {role: scale for role in ("target", "feature", "known", "static")}
    if data.transform != "none":
        transforms["target"] = [data.transform, *scale]
    if task.name == "pairs":
        transforms[SIDE] = []  # it is 0 and 1, and says where a pair is cut
    return Preprocessor(
        schema.model_copy(update={"columns": tuple(_derived(column, series) for column in schema.columns)}),
        horizon=task.steps if isinstance(task, Forecast) else 0,
        transforms=transforms,
        per_series=isinstance(task, Forecast) and data.scale_by == "series",
        cap=task.settings.cap if isinstance(task, Regress) else None,
    )


def _derived(column: Column, series: Series) -> Column:
    """The column as the derived series has it; of strings of labels, whose categories are the labels, as it is."""
    if column.spelling is not None:
        return column
    return next((own for own in series.columns if own.name == column.name and own.role == "target"), column)
