"""What a job shows in the terminal while it runs; results on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from unrolled.core.records import DataFacts, Evaluation, Language, NetFacts, Note
from unrolled.report import terminal
from unrolled.train import Hook, Progress
from unrolled.workflow.run_folder import RunFolder


class Screen:
    """Prints the facts of a job as they become known.

    Args:
        language: of the words.
        quiet: only the verdict and the files.
    """

    def __init__(self, language: Language = "en", *, quiet: bool = False) -> None:
        self._language, self._quiet = language, quiet
        self._console = Console(highlight=False)

    def data(self, facts: DataFacts, notes: Sequence[Note]) -> None:
        if not self._quiet:
            self._console.print(terminal.data(facts, self._language))
            self._console.print(terminal.assumptions(notes, self._language))

    def net(self, facts: NetFacts) -> None:
        if not self._quiet:
            self._console.print(terminal.net(facts, self._language))

    def hooks(self) -> Sequence[Hook]:
        return () if self._quiet else (Progress(self._language),)

    def judged(self, evaluation: Evaluation) -> None:
        if self._quiet:
            self._console.print(terminal.verdict(evaluation, self._language))
        else:
            self._console.print(terminal.evaluation(evaluation, self._language))

    def written(self, folder: RunFolder) -> None:
        for path in (folder.bundle, folder.report):
            self._console.print(str(path), soft_wrap=True)
