"""The same records for the terminal: what the command line prints with ``console.print``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from unrolled.core.diagnosis import Diagnosis
from unrolled.core.explanation import Explanation
from unrolled.core.records import DataFacts, Evaluation, Language, Metric, NetFacts, Note, Run, Scores
from unrolled.report import contrast, scoreboard
from unrolled.report import explanation as why
from unrolled.report.diagnosis import GRADES, listed, said
from unrolled.report.format import number, plain, size
from unrolled.report.words import Words

if TYPE_CHECKING:
    from unrolled.evaluate import Backtest

_SHARES = 12  # columns that are listed
_STYLES = {"good": "bold green", "fair": "bold yellow", "poor": "bold red"}


def verdict(evaluation: Evaluation, language: Language = "en") -> Text:
    """The evaluation in one sentence, with its level in a colour and in a word."""
    words, found = Words(language), evaluation.verdict
    return Text.assemble((words(found.level), _STYLES[found.level]), "  ", plain(found.text(language)))


def assumptions(notes: Sequence[Note], language: Language = "en") -> Group:
    """What was assumed, under its heading; nothing where nothing was."""
    return Group(_heading(Words(language)("assumptions")), *_notes(notes, language)) if notes else Group()


def data(facts: DataFacts, language: Language = "en") -> Group:
    """Source, sizes, columns by role, and the notes on the data."""
    words = Words(language)
    low, middle, high = facts.length
    length = words("length_three", low=f"{low:,}", median=f"{middle:,}", high=f"{high:,}") if low < high else f"{low:,}"
    roles = dict.fromkeys(str(column.get("role", "feature")) for column in facts.columns)
    pairs = [
        (words("rows"), f"{facts.rows:,}"),
        (words("series"), f"{facts.series:,}"),
        (words("length"), length),
        (words("frequency"), words.step(facts.frequency or "")),
        (words("span"), " – ".join(facts.span or ())),
        (words("parts"), words("list").join(f"{words.name(part)} {count:,}" for part, count in facts.parts.items())),
        *(
            (words("named", name=words("columns"), value=words.name(role)), _members(facts, role, words))
            for role in roles
        ),
    ]
    heading = _heading(words("named", name=words("data"), value=facts.source))
    return Group(heading, _pairs(pairs), *_notes(facts.notes, language))


def net(facts: NetFacts, language: Language = "en") -> Group:
    """One line a layer, and the sum."""
    words = Words(language)
    table = _table((words("layer"), words("output_shape"), words("parameters")), text_columns=2)
    for name, shape, count in facts.layers:
        _row(table, name, shape, f"{count:,}")
    table.add_section()
    _row(table, words("total"), size(facts.bytes), f"{facts.parameters:,}", style="bold")
    return Group(_heading(words("net")), table)


def evaluation(found: Evaluation, language: Language = "en") -> Group:
    """The model beside its baselines, the notes on it, and the verdict as the last line."""
    words = Words(language)
    everyone = (found.model, *found.baselines)
    part = words("part_samples", part=words.name(found.part), count=f"{found.count:,}")
    caution = scoreboard.caution(found, words)
    return Group(
        _heading(words("named", name=words("result"), value=part)),
        _scores([words.name(scores.name) for scores in everyone], scoreboard.scoreboard(everyone, words), words),
        *([Text(plain(caution), "yellow")] if caution else []),
        *_notes(found.notes, language),
        verdict(found, language),
    )


def backtest(found: Backtest, language: Language = "en") -> Group:
    """Means over all origins with their lowest and highest, then the main measure of each origin."""
    words = Words(language)
    everyone = _over_origins(found)
    names = [words.name(scores.name) for scores in everyone]
    main = everyone[0].metrics[0]
    rows = [
        scoreboard.Row(origin.origin, scoreboard.row_of(main.name, (origin.model, *origin.baselines)))
        for origin in found.origins
    ]
    return Group(
        _heading(words("backtest", count=len(rows))),
        _scores(names, scoreboard.scoreboard(everyone, words), words),
        Text(words("backtest_help"), "dim"),
        _heading(words("by_origin", metric=words.name(main.name))),
        _scores(names, rows, words, head="origin"),
    )


def _over_origins(found: Backtest) -> list[Scores]:
    """The summary as figures whose range is that of the origins."""
    better = {metric.name: metric.better for origin in found.origins for metric in origin.model.metrics}
    return [
        Scores(
            name=name,
            metrics=tuple(
                Metric(name=one.name, value=one.mean, low=one.lowest, high=one.highest, better=better[one.name])
                for one in spreads
                if one.name in better
            ),
        )
        for name, spreads in found.summary.items()
    ]


def comparison(runs: Sequence[Run], language: Language = "en") -> Group:
    """Runs side by side: measures, cost, settings that differ; which is better, as the last line.

    Raises:
        ConfigError: fewer than two runs.
    """
    words = Words(language)
    names = contrast.several(runs, words)
    rest = _table(("", *names))
    for row in contrast.facts(runs, words):
        _row(rest, *row)
    differing = contrast.settings(runs)
    if differing:
        rest.add_section()
    for row in differing:
        _row(rest, *row)
    return Group(
        _scores(names, contrast.figures(runs, words), words),
        rest,
        *([] if differing else [Text(words("same_settings"))]),
        *(Text(f"! {sentence}", "yellow") for sentence in contrast.cautions(runs, words)),
        Text(plain(contrast.standing(runs, words)), "bold"),
    )


def _scores(names: Sequence[str], rows: Sequence[scoreboard.Row], words: Words, head: str = "figure") -> Table:
    table = _table((words(head), *names))
    for row in rows:
        table.add_row(Text(plain(row.name)), *(_score(cell) for cell in row.cells))
    return table


def diagnosis(found: Diagnosis, language: Language = "en") -> Group:
    """All findings, the worst first, with cause and action where something is to be mended."""
    words = Words(language)
    table = Table.grid(padding=(0, 2))
    for finding in found.findings:
        lines = [plain(said(finding, words))]
        lines += [
            plain(words("named", name=words(key), value=text.text(language)))
            for key, text in (("cause", finding.cause), ("action", finding.action))
            if text.en
        ]
        lines += [plain(example) for example in listed(finding, words)]
        head = Text(words.name(finding.level), _STYLES[GRADES[finding.level]])
        table.add_row(head, Text(words.name(finding.probe)), Text("\n".join(lines)))
    on = words("looked_at", data=found.data, samples=f"{found.samples:,}")
    return Group(_heading(words("named", name=words("diagnosis"), value=on)), table)


def explanation(found: Explanation, language: Language = "en") -> Group:
    """The answer in one sentence, what added to it, what would change it, and rows like it."""
    words = Words(language)
    steps = [(name, number(total, 3)) for name, total in why.strongest(found)]
    parts: list[Text | Table] = [
        Text(plain(why.verdict(found, words)), "bold"),
        Text(plain(why.added_up(found, words)), "dim"),
        _filled((words("columns"), words("share_added")), why.shares(found)[:_SHARES]),
        _filled((words("step"), words("share_added")), steps),
        _filled((words("held"), words("then")), why.changes(found, words)),
    ]
    if found.neighbours:
        parts.append(_filled(why.neighbour_head(words), why.neighbours(found, words)))
    return Group(_heading(why.title(found, words)), *parts)


def _filled(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = _table(head, text_columns=len(head) - 1)
    for row in rows:
        _row(table, *row)
    return table


def _score(cell: scoreboard.Cell) -> Text:
    text = Text(f"✓ {cell.text}" if cell.best else cell.text, "bold green" if cell.best else "", justify="right")
    return text.append(f"\n{cell.interval}", "dim not bold") if cell.interval else text


def _table(head: Sequence[str], text_columns: int = 1) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for index, name in enumerate(head):
        table.add_column(Text(plain(name)), justify="left" if index < text_columns else "right", overflow="fold")
    return table


def _row(table: Table, *cells: str, style: str = "") -> None:
    table.add_row(*(Text(plain(cell)) for cell in cells), style=style)


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        if value:
            table.add_row(Text(name, "dim"), Text(plain(value)))
    return table


def _members(facts: DataFacts, role: str, words: Words) -> str:
    return words("list").join(str(column["name"]) for column in facts.columns if column.get("role", "feature") == role)


def _heading(text: str) -> Text:
    return Text(plain(text), "bold")


def _notes(notes: Sequence[Note], language: Language) -> list[Text]:
    ordered = sorted(notes, key=lambda note: note.level != "warning")
    return [
        Text(f"{'!' if note.level == 'warning' else '·'} {plain(note.text(language))}", _NOTE_STYLES[note.level])
        for note in ordered
    ]


_NOTE_STYLES = {"warning": "yellow", "info": ""}
