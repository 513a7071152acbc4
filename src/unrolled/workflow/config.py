"""Everything a job can be told, in one record; YAML in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field

from unrolled.core.errors import ConfigError
from unrolled.core.files import write_text
from unrolled.core.records import Language, Record
from unrolled.core.validation import validated
from unrolled.data import SplitSettings
from unrolled.prepare.roles import Missing, Resample
from unrolled.prepare.spelling import Spelling

Names = Annotated[tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]


class DataSettings(Record):
    """Where the data is and what its columns mean.

    Attributes:
        path: training file, or folder of records; None where the data is handed over in Python.
        valid, test: files of the other parts, where they are given.
        wide: each row of the file is one series, one cell a step (as in the M4 files).
        options: of the reader ("lead": "MLII", "delimiter": ";", ...).
        target, features, known, static, categorical, ignore: column names; empty lets the data decide.
        time, group: column names.
        missing: what happens to missing inputs; None lets the data decide.
        resample, frequency: bring the rows to an even step, in seconds.
        calendar: features from the time stamps; None lets the task decide, () for none.
        time_delta: the time since the previous row is an input; None: where time is irregular.
        scale: of the numeric columns, fitted on the training part.
        scale_by: "column" or "series" (each series its own scale).
        transform: of the targets, before the scale.
        window: rows that a prediction looks back on; None lets the task decide.
        stride: rows between two training windows.
        spelling: what strings of labels are cut into, for ctc; null takes words where one has white space inside.
        split: how the parts are made where they are not given.
    """

    path: str | None = None
    valid: str | None = None
    test: str | None = None
    wide: bool = False
    options: dict[str, Any] = {}
    target: Names = ()
    features: Names | None = None
    known: Names = ()
    static: Names = ()
    categorical: Names = ()
    ignore: Names = ()
    time: str | None = None
    group: str | None = None
    missing: Missing | None = None
    resample: Resample | None = None
    frequency: float | None = Field(None, gt=0)
    calendar: Names | None = None
    time_delta: bool | None = None
    scale: Literal["standard", "minmax", "robust", "none"] = "standard"
    scale_by: Literal["auto", "column", "series"] = "auto"
    transform: Literal["none", "log", "difference", "log_return"] = "none"
    window: int | None = Field(None, ge=1)
    stride: int = Field(1, ge=1)
    spelling: Spelling | None = None
    split: SplitSettings = SplitSettings()


class Config(Record):
    """One job: data, task, net, training. What is left out is filled in, and the run folder keeps the result.

    Attributes:
        data: see ``DataSettings``.
        task: ``{"name": ..., option: ...}``; the options are those of the task's settings.
        net: a preset's name, a list of layers, or None for the task's preset.
        train: options of ``train.TrainSettings``; what is absent is the task's default.
        cells: Python files that register cells of one's own, run before the net is built.
        start_from: a bundle whose weights are taken over (all of them, or those of ``train.warm_layers``).
        seed: of every random choice (split, initial weights, order, dropout).
        language: of the report, "en" or "zh".
    """

    data: DataSettings = DataSettings()
    task: dict[str, Any] = {}
    net: str | list[Any] | None = None
    train: dict[str, Any] = {}
    cells: Names = ()
    start_from: str | None = None
    seed: int = Field(0, ge=0, lt=2**31)
    language: Language = "en"

    @classmethod
    def parse(cls, given: Mapping[str, Any], where: str = "") -> Config:
        """Check plain data.

        Raises:
            ConfigError: an unknown key (with the nearest known one), or a value that does not fit.
        """
        return validated(cls, given, where=where)

    @classmethod
    def read(cls, path: Path | str) -> Config:
        """Read a YAML file.

        Raises:
            ConfigError: the file is missing, is not YAML, or does not fit.
        """
        path = Path(path)
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"cannot be read ({error.strerror})", where=str(path)) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            first = str(error).splitlines()[0]
            raise ConfigError(f"is not YAML: {first}", where=str(path)) from error
        if not isinstance(given, dict):
            raise ConfigError("must have the keys data, task, net, train", where=str(path))
        return cls.parse(given, where=path.name)

    def write(self, path: Path | str) -> None:
        """Write the YAML file that ``read`` reads."""
        write_text(path, self.to_yaml())

    def to_yaml(self) -> str:
        """Keys in the order of the record, no aliases."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def over(self, given: Mapping[str, Any], where: str = "options") -> Config:
        """This config with the entries of nested ``given`` in the place of its own; None leaves what stands.

        Raises:
            ConfigError: an unknown key, or a value that does not fit.
        """
        return Config.parse(_over(self.model_dump(), given), where=where)

    def changed(self, assignments: Sequence[str]) -> Config:
        """The config after ``key=value`` assignments such as ``train.learning_rate=0.01``.

        Raises:
            ConfigError: not of that form, or the key or the value does not fit.
        """
        plain = self.model_dump(mode="json")
        for assignment in assignments:
            key, equals, value = assignment.partition("=")
            if not equals or not key:
                raise ConfigError(
                    f"{assignment!r} is not an assignment", where="--set", mend="write it as train.epochs=20"
                )
            *parents, last = key.split(".")
            place = plain
            for parent in parents:
                place = place.setdefault(parent, {}) if isinstance(place, dict) else {}
            place[last] = _value(value)
        return Config.parse(plain)


def _over(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in given.items():
        if isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = _over(below if isinstance(below, Mapping) else {}, value)
        elif value is not None:
            merged[key] = value
    return merged


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is not a value", where="--set", mend="quote it") from error
