"""A search as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.core.records import Language
from unrolled.core.search import SearchRecord, Tried
from unrolled.report import search_charts as charts
from unrolled.report.blocks import (
    as_yaml,
    card,
    chart,
    code,
    command,
    contents,
    facts,
    folded,
    grid,
    notes,
    section,
    table,
)
from unrolled.report.format import MISSING, duration, interval, moment, number, size
from unrolled.report.markup import Markup, element, together
from unrolled.report.page import document
from unrolled.report.words import Words

_HEAD = ("trial", "state", "result", "interval", "size", "parameters", "answer_time", "step_time", "training_time")


def render(record: SearchRecord, language: Language = "en") -> str:
    """Best trial, history, what mattered, what is on the frontier, and every trial.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """
    words = Words(language)
    pictured = bool(charts.measured(record))
    unbeaten = ["frontier"] if record.frontier else []  # trials that were cut short are on no frontier
    ended = ["all_trials"] if record.tried else []
    keys = ["search_best", *(["curves"] if pictured else []), *unbeaten, *ended, "reproduce"]
    body = together(
        [
            _hero(record, words),
            contents(keys, words),
            section("search_best", words, _best(record, words)),
            section("curves", words, grid(*_charts(record, words))) if pictured else None,
            section("frontier", words, card(_trials(_on_frontier(record), words))) if unbeaten else None,
            section("all_trials", words, card(_trials(record.tried, words), element("p", words("trials_help"))))
            if ended
            else None,
            section("reproduce", words, *_reproduce(record, words)),
        ]
    )
    return document(words("named", name=words("search"), value=record.name), words("search"), body, words)


def standing(record: SearchRecord, words: Words) -> str:
    """The outcome in one sentence."""
    best = None if record.best is None else record.of(record.best).trial.metric
    count = len(record.tried)
    if best is None:
        return words("nothing_found", count=count) if count else words("nothing_ended")
    given = f"{words.name(best.name)} {number(best.value)}"
    spread = f" ({interval(best)})" if interval(best) else ""
    return words("found_only" if count == 1 else "found_best", count=count, number=record.best, metric=given + spread)


def counts(record: SearchRecord, words: Words) -> str:
    """How many trials there were of each kind."""
    states = [one.trial.state for one in record.tried]
    kinds = [f"{words.name(state)} {states.count(state)}" for state in charts.STATES if state in states]
    return words("list").join([*kinds, duration(record.seconds, words.language)])


def row(one: Tried, words: Words) -> list[str]:
    """A trial's figures, in the order of the table."""
    trial = one.trial
    state = words.name(trial.reason) if trial.state == "failed" else words.name(trial.state)
    return [
        str(one.number),
        state,
        MISSING if trial.metric is None else f"{words.name(trial.metric.name)} {number(trial.metric.value)}",
        "" if trial.metric is None else interval(trial.metric),
        MISSING if trial.bytes is None else size(trial.bytes),
        MISSING if trial.parameters is None else f"{trial.parameters:,}",
        _microseconds(trial.predict_us),
        _microseconds(trial.step_us),
        duration(trial.seconds, words.language),
        words("list").join(f"{path} {charts.text(value)}" for path, value in one.values.items()),
    ]


def _hero(record: SearchRecord, words: Words) -> Markup:
    return element(
        "div",
        element("h1", record.name),
        element("p", standing(record, words), class_="verdict"),
        element("p", counts(record, words), class_="meta"),
        notes(record.notes, words),
        class_="hero",
    )


def _best(record: SearchRecord, words: Words) -> Markup:
    if record.best is None:
        return card(element("p", standing(record, words)))
    best = record.of(record.best)
    chosen = [(path, charts.text(value)) for path, value in best.values.items()]
    names = [words(key) for key in _HEAD]
    figures = [pair for pair in zip(names, row(best, words), strict=False) if pair[1] not in ("", MISSING)]
    return together(
        [
            card(facts(chosen), title=words("chosen")),
            card(facts(figures), title=words("numbers")),
            card(element("pre", command(record.command)), element("p", words("best_help"), class_="help")),
        ]
    )


def _charts(record: SearchRecord, words: Words) -> list[Markup]:
    drawn = [charts.history(record, words)]
    if record.importance:
        drawn.append(charts.importance(record, words))
    if record.frontier:
        drawn.append(charts.frontier(record, words))
    drawn.append(charts.parallel(record, words))
    return [chart(one, words) for one in drawn]


def _on_frontier(record: SearchRecord) -> list[Tried]:
    return [record.of(number) for number in record.frontier]


def _trials(tried: Sequence[Tried], words: Words) -> Markup:
    """Words before figures, or a long choice would squeeze them."""
    head = [*(words(key) for key in _HEAD), words("chosen")]
    rows = [row(one, words) for one in tried]
    ordered = [[*cells[:2], cells[-1], *cells[2:-1]] for cells in (head, *rows)]
    return table(ordered[0], ordered[1:], words, text_columns=3)


def _reproduce(record: SearchRecord, words: Words) -> list[Markup]:
    failed = [f"{one.number}: {one.trial.error}" for one in record.tried if one.trial.error]
    return [
        card(
            facts(
                [
                    (words("created"), moment(record.created)),
                    *sorted(record.environment.items()),
                ]
            )
        ),
        folded(words("settings"), code(as_yaml(record.settings))),
        *([folded(words("failures"), code("\n".join(failed)))] if failed else []),
    ]


def _microseconds(value: float | None) -> str:
    return MISSING if value is None else f"{number(value, 3)} µs"
