"""A results file that grows run by run: a run that is repeated replaces its own line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from unrolled.core.files import write_text


class Ledger:
    """Lines of runs, between a heading and what is said of all of them.

    Args:
        path: of the results file; runs that it holds under the same heading are kept.
        heading: the settings, by which runs can be compared.
        run: what a line of a run begins with; its groups tell runs apart.
        judged: what is said below, of all lines.
    """

    def __init__(self, path: Path, heading: str, run: str, judged: Callable[[list[str]], list[str]]) -> None:
        self._path, self._heading, self._run, self._judged = path, heading, re.compile(run), judged
        old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        same = bool(old) and old[0] == heading
        self._lines = {self._key(line): line for line in old if same and self._run.match(line)}

    def add(self, line: str) -> None:
        """Write down one run."""
        self._lines[self._key(line)] = line
        lines = [self._lines[key] for key in sorted(self._lines)]
        write_text(self._path, "\n".join([self._heading, "", *lines, "", *self._judged(lines)]) + "\n")

    def _key(self, line: str) -> tuple[str, ...]:
        found = self._run.match(line)
        return found.groups() if found else ()
