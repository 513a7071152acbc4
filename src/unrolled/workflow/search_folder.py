"""The folder of a search: what stands in it, under which name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from unrolled.core.errors import ConfigError
from unrolled.core.files import write_error, write_text
from unrolled.core.search import SearchRecord, Value
from unrolled.core.trial import Trial
from unrolled.workflow.search_plan import Plan
from unrolled.workflow.trial import read_trial, write_trial

_VALUES = TypeAdapter(dict[str, Value])


@dataclass(frozen=True)
class SearchFolder:
    """Paths inside one search's folder; each trial has a run's folder of its own under ``trials``."""

    path: Path

    @property
    def plan(self) -> Path:
        return self.path / "search.yaml"

    @property
    def record(self) -> Path:
        return self.path / "search.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def best(self) -> Path:
        return self.path / "best.yaml"

    @classmethod
    def create(cls, path: Path | str | None, *, parent: Path) -> SearchFolder:
        """Make the folder; without a path, a new one in ``parent`` named after the time.

        Raises:
            ConfigError: the folder holds another search.
            UnrolledError: it cannot be written.
        """
        folder = cls(Path(path) if path is not None else parent / f"search-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        if folder.plan.exists():
            raise ConfigError(
                "this folder holds a search already",
                where=str(folder.path),
                mend="choose another --out, or go on with --resume",
            )
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(error, folder.path) from error
        return folder

    @classmethod
    def find(cls, path: Path | str) -> SearchFolder:
        """The folder of an earlier search.

        Raises:
            ConfigError: there is none.
        """
        folder = cls(Path(path))
        if not folder.plan.exists():
            raise ConfigError(
                "there is no search here (no search.yaml)", where=str(path), mend="name a search's folder"
            )
        return folder

    def url(self, plan: Plan) -> str:
        """Of the database."""
        return plan.settings.storage or f"sqlite:///{self.path.absolute() / 'trials.db'}"

    def study(self, plan: Plan) -> str:
        """Name of the search in its database."""
        return plan.settings.study or self.path.absolute().name

    def trial(self, number: int) -> Path:
        """Folder of a trial."""
        return self.path / "trials" / f"{number:04d}"

    def numbers(self) -> list[int]:
        """Of the trials that were begun here, in order."""
        found = (path.name for path in (self.path / "trials").glob("[0-9]*") if (path / "values.json").exists())
        return sorted(int(name) for name in found)

    def begin(self, number: int, values: dict[str, Value]) -> Path:
        """Make a trial's folder and note its values there, so that it can be told again to a database that lost it."""
        home = self.trial(number)
        write_text(home / "values.json", _VALUES.dump_json(values, indent=1).decode())
        return home

    def values(self, number: int) -> dict[str, Value]:
        """The values of a trial that was begun here.

        Raises:
            ConfigError: its file is damaged.
        """
        path = self.trial(number) / "values.json"
        try:
            return _VALUES.validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError("cannot be read, or is damaged", where=str(path)) from error

    def ended(self, number: int) -> Trial | None:
        """The record of a trial that ended here; None where it did not."""
        trial = read_trial(self.trial(number))
        return None if trial is None or trial.state == "interrupted" else trial

    def write_lost(self, number: int, reason: str) -> Trial:
        """The record of a trial whose process was killed."""
        home = self.trial(number)
        trial = Trial(name=home.name, state="failed", reason="out_of_memory", error=reason, folder=str(home))
        write_trial(home, trial)
        return trial

    @contextmanager
    def claimed(self, number: int) -> Iterator[bool]:
        """Whether this process may work on a trial: nobody else does. The claim ends with the process."""
        import fcntl

        home = self.trial(number)
        home.mkdir(parents=True, exist_ok=True)
        with (home / "claim").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            handle.write(str(os.getpid()))
            handle.flush()
            yield True

    def read_record(self) -> SearchRecord:
        """The results.

        Raises:
            ConfigError: there are none yet, or they are damaged.
        """
        try:
            return SearchRecord.model_validate_json(self.record.read_bytes())
        except FileNotFoundError as error:
            raise ConfigError(
                "this search has no results yet",
                where=str(self.path),
                mend=f"go on with it: unrolled search --resume {self.path}",
            ) from error
        except (OSError, ValueError) as error:
            raise ConfigError("is damaged or of another version", where=str(self.record)) from error
