"""A search in the terminal: a line a trial, and the outcome."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from unrolled.core.records import Language
from unrolled.core.search import SearchRecord, Tried
from unrolled.report import search as page
from unrolled.report.format import MISSING, plain
from unrolled.report.words import Words

_SHOWN = 10  # of the frontier


def ended(tried: Tried, language: Language = "en") -> Text:
    """One trial, with what it reached or why it failed."""
    words = Words(language)
    number, state, *figures, chosen = page.row(tried, words)
    told = [figure for figure in figures if figure not in ("", MISSING)]
    style = {"failed": "red", "pruned": "dim"}.get(tried.trial.state, "")
    why = [tried.trial.error] if tried.trial.error else []
    return Text(plain(f"{number:>4}  " + " · ".join([state, *told, chosen, *why])), style)


def outcome(record: SearchRecord, language: Language = "en") -> Group:
    """The frontier, how many there were, and the best in one sentence."""
    words = Words(language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("trial", "result", "size", "answer_time", "chosen"):
        table.add_column(words(name), overflow="fold")
    for number in record.frontier[:_SHOWN]:
        cells = page.row(record.of(number), words)
        table.add_row(cells[0], cells[2], cells[4], cells[6], plain(cells[-1]))
    best = Text(page.standing(record, words), "bold")
    told = [Text(plain(f"· {note.text(language)}")) for note in record.notes]
    unbeaten = (Text(words("frontier"), "bold"), table) if record.frontier else ()
    return Group(*unbeaten, Text(page.counts(record, words), "dim"), *told, best)
