"""Rows of ``docs/claims.md``: what the guides say, what was measured, the verdict. Results are kept as text, then read.

Each experiment writes ``results/<name>.json``; the page is made from whatever is there.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.accuracy.curves import surroundings
from unrolled.core.files import write_text

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "claims.md"

Verdict = Literal["holds", "does not hold", "holds in part", "not shown"]

_HEAD = """# Claims, measured

What practical guides say of recurrent nets, and what we measured, made by `python -m benchmarks.advice.claims`. These
are small experiments (minutes, three seeds): a verdict speaks of the data and sizes named beside it, no more. "Not
shown" means that the difference of two means is less than twice its standard error.

"""


@dataclass(frozen=True)
class Row:
    """One claim."""

    claim: str
    guides: str
    measured: str
    verdict: Verdict


def keep(name: str, title: str, rows: Sequence[Row], details: Sequence[str], on: str | None = None) -> None:
    """Write an experiment's rows, with every figure behind them, and on what they were measured (None: here, now)."""
    lines = [*details, surroundings() if on is None else on]
    record = {"title": title, "rows": [asdict(row) for row in rows], "details": [line for line in lines if line]}
    write_text(RESULTS / f"{name}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def compared(
    claim: str, guides: str, pooled: Mapping[str, Sequence[float]], best: str, *others: str, alike: bool = False
) -> Row:
    """Whether ``best`` is ahead of the others (of all where none is named), and whether by more than the seeds spread.

    The difference of two means is compared with twice its standard error. ``alike``: it is enough not to be behind.
    """
    rivals = others or tuple(name for name in pooled if name != best)
    rival = max(rivals, key=lambda name: statistics.fmean(pooled[name]))
    own, theirs = np.array(pooled[best]), np.array(pooled[rival])
    gain = float(own.mean() - theirs.mean())
    error = float(np.sqrt(own.var(ddof=1) / len(own) + theirs.var(ddof=1) / len(theirs)))
    ahead = gain > (-2 if alike else 2) * error
    verdict: Verdict = "holds" if ahead else "does not hold" if gain < -2 * error else "not shown"
    measured = f"{best} against {rival}: {gain:+.4f} (standard error {error:.4f}, {len(own)} runs each)"
    return Row(claim, guides, measured, verdict)


def write_page(names: Sequence[str]) -> None:
    """Write the page from the results of the experiments named that there are."""
    parts = [_HEAD]
    for name in names:
        path = RESULTS / f"{name}.json"
        if path.exists():
            record = json.loads(path.read_text(encoding="utf-8"))
            lines = [f"| {r['claim']} | {r['guides']} | {r['measured']} | {r['verdict']} |" for r in record["rows"]]
            table = "\n".join(
                ["| claim | the guides say | we measured | verdict |", "| --- | --- | --- | --- |", *lines]
            )
            figures = "\n".join(record["details"])
            parts.append(f"## {record['title']}\n\n{table}\n\n```text\n{figures}\n```\n\n")
    write_text(PAGE, "".join(parts).rstrip() + "\n")
