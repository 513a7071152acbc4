"""Who is told how a job goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from unrolled.core.records import DataFacts, Evaluation, NetFacts, Note
from unrolled.train import Hook
from unrolled.workflow.run_folder import RunFolder


class Listener(Protocol):
    """Who is told how a job goes: the terminal, a notebook, nobody."""

    def data(self, facts: DataFacts, notes: Sequence[Note]) -> None: ...
    def net(self, facts: NetFacts) -> None: ...
    def hooks(self) -> Sequence[Hook]: ...
    def judged(self, evaluation: Evaluation) -> None: ...
    def written(self, folder: RunFolder) -> None: ...


class Silent:
    """A listener that says nothing."""

    def data(self, facts: DataFacts, notes: Sequence[Note]) -> None:
        pass

    def net(self, facts: NetFacts) -> None:
        pass

    def hooks(self) -> Sequence[Hook]:
        return ()

    def judged(self, evaluation: Evaluation) -> None:
        pass

    def written(self, folder: RunFolder) -> None:
        pass
