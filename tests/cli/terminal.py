"""The command, run in this process as from a shell."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest import mock

from unrolled.cli.main import main


class Outcome(NamedTuple):
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def files(self) -> list[str]:
        """The last two lines of a training: bundle and report."""
        return self.out.splitlines()[-2:]


def unrolled(*arguments: object, environment: Mapping[str, str] | None = None) -> Outcome:
    """Run ``unrolled`` with arguments."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["unrolled", *map(str, arguments)]
    code: object = 0
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict("os.environ", {"COLUMNS": "200", **(environment or {})}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Outcome(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())


TINY = ("--epochs", 1, "--batch-size", 16, "--set", "net=[{gru: {size: 4}}]")
"""Options that make a training small."""
