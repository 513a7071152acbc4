"""An advice for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from unrolled.core.advice import Advice, Counsel, Recommendation
from unrolled.core.diagnosis import Text
from unrolled.core.records import Language
from unrolled.report import scoreboard
from unrolled.report.advice_rows import COSTS, entrant_head, entrant_row, margin
from unrolled.report.format import plain
from unrolled.report.words import Words


def advice(found: Advice, language: Language = "en") -> Group:
    """Profile, rules, measurements, and the recommendation as the last lines."""
    words = Words(language)
    parts: list[RenderableType] = [*_known(found, words), *_rules(found, words), *_entrants(found, words)]
    if found.recommendation is None:
        return Group(*parts, Line(words("nothing_advised"), "bold red"), _said(found.profile.too_small, words))
    return Group(*parts, *_recommendation(found.recommendation, words))


def _known(found: Advice, words: Words) -> list[RenderableType]:
    lines: list[RenderableType] = [_heading(words("known"))]
    for fact in found.profile.facts:
        watched = fact.level == "watch"
        lines.append(
            Line(f"{'!' if watched else '·'} {plain(fact.said.text(words.language))}", "yellow" if watched else "")
        )
    if found.profile.guesses:
        lines.append(_heading(words("without_net", part=words.name(found.profile.judged_on))))
        for scores in found.profile.guesses:
            first = scoreboard.scoreboard([scores], words)[0]
            lines.append(
                Line(f"· {words.name(scores.name)}: {first.name} {first.cells[0].text} {first.cells[0].interval}")
            )
    return lines


def _rules(found: Advice, words: Words) -> list[RenderableType]:
    if not found.counsel:
        return []
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")
    for one in found.counsel:
        table.add_row(Line(words.name(one.state), "bold" if one.state == "fires" else "dim"), Line(one.code),
                      Line(plain(_counsel(one, words))))  # fmt: skip
    return [_heading(words("rules")), table, *(_said(one.said, words, "yellow") for one in found.conflicts)]


def _counsel(one: Counsel, words: Words) -> str:
    """Advice, condition with margin, reason, source."""
    because = one.because.text(words.language) or words("always")
    tight = "" if one.margin is None else f", {words('margin').lower()} {margin(one)}"
    lines = [one.advice.text(words.language), f"{because}{tight}", f"{one.reason.text(words.language)} [{one.source}]"]
    return "\n".join(lines)


def _entrants(found: Advice, words: Words) -> list[RenderableType]:
    if not found.entrants:
        return []
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for at, name in enumerate(entrant_head(found.entrants, words, COSTS)):
        table.add_column(Line(plain(name)), justify="right" if at else "left", overflow="fold")
    best = "" if found.recommendation is None else found.recommendation.entrant
    for one in found.entrants:
        cells = entrant_row(one, one.name == best, words, COSTS)
        table.add_row(*map(_cell, cells), style="bold green" if one.name == best else "")
    return [_heading(words("entrants")), table]


def _cell(cell: scoreboard.Cell) -> Line:
    return Line(plain(cell.text)).append(f"\n{plain(cell.interval)}" if cell.interval else "", "dim not bold")


def _recommendation(made: Recommendation, words: Words) -> list[RenderableType]:
    lists = [("supported", made.supported), ("unsupported", made.unsupported), ("more", made.more)]
    lines: list[RenderableType] = []
    for key, texts in lists:
        lines += _listed(words(key), texts, words)
    lines += [_heading(words("recommendation")), _said(made.said, words, "bold")]
    return [*lines, *([Line(f"  {made.command}")] if made.command else [])]


def _listed(title: str, texts: Iterable[Text], words: Words) -> list[RenderableType]:
    lines: list[RenderableType] = [Line(f"· {plain(text.text(words.language))}") for text in texts]
    return [_heading(title), *lines] if lines else []


def _said(text: Text, words: Words, style: str = "") -> Line:
    return Line(plain(text.text(words.language)), style)


def _heading(text: str) -> Line:
    return Line(plain(text), "bold")
