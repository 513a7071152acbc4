"""A results file that grows run by run: a run that is repeated replaces its own line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks.accuracy.curves import surroundings
from unrolled.core.files import write_text


class Ledger:
    """Lines of runs, between a heading and what is said of all of them; at the end, on which machines and commits.

    The file is read anew before a line is added, so that processes may share it, each with runs of its own.

    Args:
        path: of the results file; runs that it holds under the same heading are kept.
        heading: the settings, by which runs can be compared.
        run: what a line of a run begins with; its groups tell runs apart.
        judged: what is said below, of all lines.
        columns: names of the figures, above the lines.
    """

    def __init__(
        self, path: Path, heading: str, run: str, judged: Callable[[list[str]], list[str]], columns: str = ""
    ) -> None:
        self._path, self._heading, self._run, self._judged = path, heading, re.compile(run), judged
        self._columns, self._here = [columns] if columns else [], surroundings()

    @property
    def lines(self) -> list[str]:
        """Of all runs so far, in the order of what tells them apart."""
        return self._sorted(self._old())

    def add(self, line: str) -> None:
        """Write down one run."""
        old = self._old()
        lines = self._sorted([*old, line])
        places = [each for each in old if re.match(r"\d{4}-\d\d-\d\d, ", each) and each != self._here]
        below = [*self._judged(lines), "", *places, self._here]
        write_text(self._path, "\n".join([self._heading, "", *self._columns, *lines, "", *below]) + "\n")

    def _old(self) -> list[str]:
        """The file's lines below the same heading."""
        old = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return old[1:] if old[:1] == [self._heading] else []

    def _sorted(self, lines: list[str]) -> list[str]:
        runs = {found.groups(): line for line in lines if (found := self._run.match(line))}
        return [runs[key] for key in sorted(runs)]
