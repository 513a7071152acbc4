"""A results file that grows run by run: a run that is repeated replaces its own line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from unrolled.core.files import write_text


class Ledger:
    """Lines of runs, between a heading and what is said of all of them.

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
        self._columns = [columns] if columns else []

    @property
    def lines(self) -> list[str]:
        """Of all runs so far, in the order of what tells them apart."""
        old = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        found = (
            {self._key(line): line for line in old[1:] if self._run.match(line)} if old[:1] == [self._heading] else {}
        )
        return [found[key] for key in sorted(found)]

    def add(self, line: str) -> None:
        """Write down one run."""
        every = {self._key(each): each for each in (*self.lines, line)}
        lines = [every[key] for key in sorted(every)]
        below = self._judged(lines)
        write_text(self._path, "\n".join([self._heading, "", *self._columns, *lines, "", *below]) + "\n")

    def _key(self, line: str) -> tuple[str, ...]:
        found = self._run.match(line)
        return found.groups() if found else ()
