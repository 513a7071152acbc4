"""A bundle at work on new data: read, prepare, compute in chunks, decode.

Letters: n samples, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError
from unrolled.core.records import Note
from unrolled.core.validation import restored
from unrolled.prepare import decode
from unrolled.prepare.answer import Answer, joined
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.build import build
from unrolled.prepare.decoding import AlarmDecoding, AnomalyDecoding, Decoding, NumberDecoding, StringDecoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.rollout import rollout
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Series
from unrolled.prepare.table import Table
from unrolled.program.shapes import Outputs
from unrolled.runtime.audio import AudioStream
from unrolled.runtime.forward import Forward, PlanForward
from unrolled.runtime.hearing import hears
from unrolled.runtime.prediction import Prediction
from unrolled.runtime.rows import RowStream
from unrolled.runtime.spotter import Spotter
from unrolled.runtime.windows import Which, to_predict

_NUMBERS = 1 << 22  # of one activation of 256 units, held at once
_UNITS = 256
_MOST = 1024  # samples at once
_FURTHEST = 1_000_000  # steps ahead

Values = npt.NDArray[np.floating[Any]]


class Settings(BaseModel):
    """The part of a manifest's ``settings`` that predictions need; keys for others are passed over.

    Attributes:
        decoding: how outputs are read.
        window: rows that a prediction looks back on; None takes whole sequences.
        reading: under "schema", what the columns mean.
        options: of the reader, where the training file needed any.
        obstacles: what keeps the net from running step by step, layer by layer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    decoding: Decoding
    window: int | None = Field(None, ge=1, le=10_000_000)
    reading: Schema = Field(alias="schema")
    options: dict[str, Any] = {}
    obstacles: tuple[Note, ...] = ()


class Predictor:
    """Predicts from files, frames, tables or series with nothing but a bundle.

    Args:
        bundle: as read from its file.
        forward: computes the net in the place of the plan; a bundle of a user's own module needs one.

    Raises:
        BundleError: a part of the bundle is damaged, or it has no plan and there is no ``forward``.

    Example:
        >>> answer = Predictor(Bundle.read("model.unrolled")).predict("new.csv").table()
    """

    def __init__(self, bundle: Bundle, forward: Forward | None = None) -> None:
        manifest = bundle.manifest
        self.bundle = bundle
        self.forward = forward or PlanForward(manifest, bundle.weights)
        self.settings = restored(Settings, manifest.settings, where="the manifest")
        self.outputs = restored(Outputs, manifest.outputs, where="the manifest")
        self.preprocessor = Preprocessor.from_json(manifest.preprocessing)
        self._agree()

    def predict(
        self, source: Any, *, which: Which | None = None, stride: int = 1, beam: int | None = None, **options: Any
    ) -> Prediction:
        """Predict from new data; a target column is not needed, except as the past of a forecast.

        Args:
            source: a file, folder or frame that ``prepare.read`` takes, a ``Table`` or a ``Series``.
            which: "last" makes one prediction a sequence, "all" one every ``stride`` rows; None means "all" where
                the target changes along the sequence and is neither forecast nor the item of a session, "last"
                otherwise.
            stride: rows between two windows.
            beam: prefixes that the search for strings of labels keeps; None as in training.
            options: of the reader, before those that the training file needed.

        Raises:
            DataError: the data lacks what the model needs.
            ConfigError: ``which``, ``stride`` or ``beam`` does not suit the task.
            BundleError: the plan fails on it.
        """
        decoding = self.settings.decoding if beam is None else _widened(self.settings.decoding, beam)
        series = self.series(source, **options)
        samples, notes = to_predict(
            series,
            self.preprocessor.schema,
            window=self.settings.window,
            horizon=self.preprocessor.horizon,
            which=which,
            stride=stride,
        )
        answered = samples.rows() if self.preprocessor.schema.by_row else samples
        ids = tuple(series.ids[s] for s in answered.series.tolist())
        answer = self.answer(series, samples, decoding)
        return Prediction(answer, ids, self.times(series, answered), (*series.notes, *notes))

    def stream(self) -> RowStream | AudioStream | Spotter:
        """Answers as data arrives, with the net's state carried on.

        Row by row (``RowStream``); of a model that was trained on recordings, sample by sample: after each frame
        (``AudioStream``), or of strings of labels each label that begins (``Spotter``).

        Raises:
            ConfigError: the net or its preparation needs rows that are still to come; the message says which and why.
        """
        if hears(self.settings):
            return Spotter(self) if isinstance(self.settings.decoding, StringDecoding) else AudioStream(self)
        return RowStream(self)

    def check_steps(self) -> None:
        """Refuse a net of which a layer is known to need the whole sequence.

        Raises:
            ConfigError: the message names the layer.
        """
        for note in self.settings.obstacles:
            raise ConfigError(
                f"this bundle cannot stream: {note.en}", where="the net", mend="predict whole sequences instead"
            )

    def series(self, source: Any, **options: Any) -> Series:
        """New data as the model reads it; arguments and errors as of ``predict``."""
        if isinstance(source, Series):
            return source
        if not isinstance(source, Table):
            from unrolled.prepare.read import read

            source = read(source, **{**self.reading, **options})
        return build(source, self.settings.reading)

    @property
    def reading(self) -> dict[str, Any]:
        """Options of the reader that the training file needed."""
        from unrolled.prepare.readers.options import MEANING

        return {key: value for key, value in self.settings.options.items() if key in MEANING}

    def answer(self, series: Series, samples: Samples, decoding: Decoding | None = None) -> Answer:
        """Predictions of chosen windows, decoded as in training or as given, in chunks of bounded memory."""
        decoding = decoding or self.settings.decoding
        longest = int(samples.lengths.max(initial=1))
        size = max(1, min(_MOST, _NUMBERS // max(longest * _UNITS, self.outputs.size)))
        chunks = [samples[slice(at, at + size)] for at in range(0, len(samples), size)]
        return joined([self._decoded(series, chunk, decoding) for chunk in chunks or [samples]])

    def output(self, arrays: Arrays) -> Values:
        """``(n, S, M, V)`` in model scale; a net of fewer steps than the horizon is rolled out.

        Where each step has its own answer, as ``decode.by_row`` makes it.
        """
        decoding = self.settings.decoding
        if arrays.answered is not None:
            return decode.by_row(self._run(arrays), arrays, decoding)
        if isinstance(decoding, NumberDecoding) and decoding.horizon > self.outputs.steps:
            targets = len(decoding.targets)
            return rollout(self._run, arrays, horizon=decoding.horizon, targets=targets, point=decoding.point)
        return self._run(arrays)

    def invert(self, values: Values, series: Series, samples: Samples) -> Values:
        """Model scale to original units: ``(n, S, M)`` of a forecast, ``(n, M)`` otherwise."""
        if self.preprocessor.schema.forecast:
            return self.preprocessor.invert(values, series, samples)
        return self.preprocessor.invert(values[:, None], series, samples)[:, 0]

    def _run(self, arrays: Arrays) -> Values:
        return self.forward(**arrays.inputs())

    def _decoded(self, series: Series, samples: Samples, decoding: Decoding) -> Answer:
        out = self.outputs
        counts = samples.counts if self.preprocessor.schema.every else None
        if not len(samples):
            steps = max(out.steps, self.preprocessor.horizon)
            shape = (0, steps, out.targets, out.values)
            unusual = isinstance(decoding, AnomalyDecoding)
            output: Values = np.empty((0, out.values, out.targets, 1) if unusual else shape)
        else:
            output = self.output(self.preprocessor.arrays(series, samples, truth=False))
        invert = partial(self.invert, series=series, samples=samples)
        return decode.decode(output, decoding, invert, counts=counts)

    def times(self, series: Series, samples: Samples) -> npt.NDArray[Any] | None:
        """``(n, S)`` of a forecast's steps, ``(n,)`` of the row that is answered, None for answers to sequences."""
        schema = self.preprocessor.schema
        if schema.forecast:
            return self.preprocessor.times(series, samples) if len(samples) else None
        if not schema.by_row and all(column.level == "case" for column in schema.of_role("target")):
            return None
        if series.time is None:
            return samples.end - series.starts[samples.series]
        return np.asarray(series.time[samples.end - 1])

    def _agree(self) -> None:
        """The parts of the bundle speak of the same net."""
        decoding, schema = self.settings.decoding, self.preprocessor.schema
        targets, answers = targets_of(decoding)
        reading = self.settings.reading
        roles = [[(column.name, column.role, column.level) for column in part.columns] for part in (reading, schema)]
        expected: dict[str, tuple[Any, Any]] = {
            "schema": (reading.model_copy(update={"columns": ()}), schema.model_copy(update={"columns": ()})),
            "columns": (roles[0], roles[1]),
            "task": (self.bundle.manifest.task, decoding.task),
            "task of the schema": (schema.task, decoding.task),
            "targets": (tuple(column.name for column in schema.of_role("target")), targets),
            "number of targets": (self.outputs.targets, answers),
            "answers of every step": (self.outputs.every, schema.every or schema.spelled),
            "strings of labels": (self.outputs.blank, schema.spelled),
        }
        if isinstance(decoding, AnomalyDecoding):
            expected["answers of every row"] = (decoding.by_row, schema.by_row)
            expected["steps ahead"] = (decoding.ahead, self.outputs.values)
        if isinstance(decoding, StringDecoding):
            expected["number of labels"] = (len(decoding.labels) + 1, self.outputs.values)
            expected["labels"] = (decoding.labels, self.preprocessor.classes[0])
        if isinstance(decoding, NumberDecoding) and schema.forecast:
            expected["horizon"] = (decoding.horizon, self.preprocessor.horizon)
            expected["steps"] = (self.outputs.steps in (1, decoding.horizon) and decoding.horizon <= _FURTHEST, True)
        if isinstance(self.forward, PlanForward):
            plan = self.forward.plan
            inputs = self.preprocessor.inputs(plan.inputs.length)
            expected |= {"inputs": (inputs.sizes, plan.inputs.sizes), "outputs": (self.outputs, plan.outputs)}
        for name, (one, other) in expected.items():
            if one != other:
                raise BundleError(f"its parts contradict each other about the {name}", where="the manifest")


def _widened(decoding: Decoding, beam: int) -> Decoding:
    """The decoding with another width of its beam."""
    if not isinstance(decoding, StringDecoding):
        raise ConfigError(
            f"it is for strings of labels (ctc), and this is a model for {decoding.task}",
            where="option beam",
            mend="leave it out",
        )
    if beam < 1:
        raise ConfigError(f"must be at least 1, it is {beam}", where="option beam")
    return decoding.model_copy(update={"width": beam})


def targets_of(decoding: Decoding) -> tuple[tuple[str, ...], int]:
    """The target columns that a decoding speaks of, and how many targets its net answers."""
    if isinstance(decoding, AnomalyDecoding):
        return (decoding.target,) if decoding.target else (), len(decoding.channels)
    names = (decoding.target,) if isinstance(decoding, AlarmDecoding) else decoding.targets
    return names, len(names)
