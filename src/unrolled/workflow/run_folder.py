"""The folder of a run: what stands in it, under which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from unrolled.core.errors import ConfigError
from unrolled.core.files import write_error, write_text
from unrolled.core.records import Note, Run
from unrolled.workflow.config import Config

_NOTES = TypeAdapter(list[Note])


@dataclass(frozen=True)
class RunFolder:
    """Paths inside one run's folder."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def run(self) -> Path:
        return self.path / "run.json"

    @property
    def bundle(self) -> Path:
        return self.path / "model.unrolled"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def assumptions(self) -> Path:
        return self.path / "assumptions.json"

    @classmethod
    def create(cls, path: Path | str | None, *, task: str, parent: Path) -> RunFolder:
        """Make the folder; without a path, a new one in ``parent`` named after the task and the time.

        Raises:
            ConfigError: the folder holds another run.
            UnrolledError: it cannot be written.
        """
        if path is None:
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
            path = parent / f"{task}-{stamp}"
            number = 2
            while path.exists():
                path = parent / f"{task}-{stamp}-{number}"
                number += 1
        folder = cls(Path(path))
        folder.refuse_used()
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(error, folder.path) from error
        return folder

    def refuse_used(self) -> None:
        """Make sure that no run is overwritten.

        Raises:
            ConfigError: the folder holds a run.
        """
        if self.config.exists():
            raise ConfigError(
                "this folder holds a run already",
                where=str(self.path),
                mend="choose another --out, or go on with --resume",
            )

    @classmethod
    def find(cls, path: Path | str) -> RunFolder:
        """The folder of an earlier run.

        Raises:
            ConfigError: there is none.
        """
        folder = cls(Path(path))
        if not folder.config.exists():
            raise ConfigError("there is no run here (no config.yaml)", where=str(path), mend="name a run's folder")
        return folder

    def read_config(self) -> Config:
        """The resolved settings of the run."""
        return Config.read(self.config)

    def begin(self, config: Config, assumptions: Sequence[Note]) -> None:
        """Write what a resumed run needs: the settings, and what was assumed to find them."""
        write_text(self.assumptions, _NOTES.dump_json(list(assumptions), indent=1).decode())
        config.write(self.config)

    def forget(self) -> None:
        """Take back ``begin`` where there is no checkpoint to go on from, so that the folder can be used again."""
        if (self.path / "checkpoint.pt").exists():
            return
        for path in (self.config, self.assumptions, self.path / "metrics.jsonl"):
            path.unlink(missing_ok=True)
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def read_assumptions(self) -> tuple[Note, ...]:
        """What was assumed when the run began.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        try:
            return tuple(_NOTES.validate_json(self.assumptions.read_bytes()))
        except (OSError, ValueError) as error:
            raise ConfigError("cannot be read, or is damaged", where=str(self.assumptions)) from error

    def read_run(self) -> Run:
        """The results of the run.

        Raises:
            ConfigError: the run has not ended, or its record is damaged.
        """
        if not self.run.exists():
            raise ConfigError(
                "this run has not ended",
                where=str(self.path),
                mend=f"finish it with: unrolled train --resume {self.path}",
            )
        try:
            return Run.model_validate_json(self.run.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError("is damaged or of another version", where=str(self.run)) from error

    def write_run(self, run: Run) -> None:
        """Keep the results."""
        write_text(self.run, run.model_dump_json(indent=1))
