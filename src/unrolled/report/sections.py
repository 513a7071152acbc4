"""The sections of a run's report, from the verdict to the settings."""

from __future__ import annotations

from typing import Any

from unrolled.core.records import DataFacts, Evaluation, NetFacts, Run, Verdict
from unrolled.report import scoreboard
from unrolled.report.blocks import (
    as_yaml,
    card,
    chart,
    code,
    command,
    facts,
    figures,
    folded,
    grid,
    notes,
    scores_table,
    section,
    table,
)
from unrolled.report.curves import History, training
from unrolled.report.format import duration, interval, moment, number, percent, size
from unrolled.report.markup import Child, Markup, element
from unrolled.report.pictures import pictures
from unrolled.report.ranges import ranges
from unrolled.report.words import Words

_SIGNS = {"good": "✓", "fair": "≈", "poor": "!"}
_LISTED = 8  # values of a list that are written out in a cell


def hero(run: Run, words: Words) -> Markup:
    """What was asked in one line, and the verdict in one sentence."""
    asked = words("of", task=words.name(run.facts.task), target=words.names(run.facts.target))
    return element(
        "div",
        element("h1", asked),
        element("p", run.evaluation.verdict.text(words.language), class_="verdict"),
        element("p", badge(run.evaluation.verdict, words), element("span", run.facts.name),
                element("span", run.data.source), element("span", moment(run.facts.created)), class_="meta"),
        class_="hero",
    )  # fmt: skip


def badge(verdict: Verdict, words: Words) -> Markup:
    """Good, fair or poor: a sign, a word and a colour."""
    sign = element("span", _SIGNS[verdict.level], aria_hidden="true")
    return element("span", sign, words(verdict.level), class_=f"badge {verdict.level}")


def key_figures(run: Run, words: Words) -> Markup:
    """The main measure, the best baseline, and what the net costs."""
    main, rival = scoreboard.main_metric(run.evaluation), scoreboard.best_baseline(run.evaluation)
    cards: list[tuple[str, ...]] = [
        (words("parameters"), f"{run.net.parameters:,}", size(run.net.bytes)),
        (words("epochs"), f"{run.facts.epochs:,}", words("best_epoch_is", epoch=run.facts.best_epoch)),
        (words("training_time"), duration(run.facts.seconds, words.language)),
    ]
    if main is not None:
        name = words.name(main.name)
        if rival is not None:
            small = (words.name(rival[0].name), interval(rival[1]))
            cards.insert(0, (words("best_baseline", metric=name), number(rival[1].value), *small))
        cards.insert(0, (name, number(main.value), interval(main)))
    return figures(cards, words)


def asked(run: Run, words: Words) -> Markup:
    """Task, target, data, part, command, and what was assumed."""
    evaluation = run.evaluation
    measured = words("part_samples", part=words.name(evaluation.part), count=f"{evaluation.count:,}")
    pairs: list[tuple[str, Child]] = [
        (words("task"), words.name(run.facts.task)),
        (words("target"), words.names(run.facts.target)),
        (words("source"), run.data.source),
        (words("measured_on"), measured),
        (words("command"), command(run.facts.command) if run.facts.command else None),
    ]
    assumed = notes(run.facts.assumptions, words)
    heading = element("h3", words("assumptions")) if assumed else None
    return section("asked", words, card(facts(pairs), heading, assumed))


def result(evaluation: Evaluation, words: Words) -> Markup:
    """The model beside its baselines, honest when one of them wins."""
    main = scoreboard.main_metric(evaluation)
    everyone = (evaluation.model, *evaluation.baselines)
    names = [words.name(scores.name) for scores in everyone]
    found = [scoreboard.find(scores, main.name) if main else None for scores in everyone]
    sentence = scoreboard.caution(evaluation, words)
    said = notes(evaluation.notes, words)
    return section(
        "result",
        words,
        card(
            ranges(list(zip(names, found, strict=True)), 0, words),
            element("p", sentence, class_="caution") if sentence else None,
            scores_table(names, scoreboard.scoreboard(everyone, words), words, highlighted=0),
            element("p", words("table_help"), class_="help"),
            _detail(evaluation, words),
            title=words("beside_baselines"),
        ),
        card(said, title=words("evaluation_notes")) if said else None,
    )


def _detail(evaluation: Evaluation, words: Words) -> Markup | None:
    names, rows = scoreboard.detail(evaluation.model, words)
    return folded(words("detail"), scores_table(names, rows, words)) if rows else None


def pictured(evaluation: Evaluation, words: Words) -> Markup | None:
    """Forecasts, errors, confusions and curves; None where the evaluation has no picture."""
    drawn = pictures(evaluation.pictures, words)
    return section("pictures", words, *drawn) if drawn else None


def trained(run: Run, words: Words) -> Markup:
    """The training curves."""
    history = History(run.facts.name, run.curves, run.facts.best_epoch)
    charts = training([history], words)
    drawn = grid(*(chart(one, words) for one in charts)) if charts else card(element("p", words("no_curves")))
    return section("training", words, drawn)


def data(facts_: DataFacts, words: Words) -> Markup:
    """What the file held, and what is to be known about it."""
    low, middle, high = facts_.length
    length = words("length_three", low=f"{low:,}", median=f"{middle:,}", high=f"{high:,}")
    parts = (f"{words.name(part)} {count:,}" for part, count in facts_.parts.items())
    pairs: list[tuple[str, Child]] = [
        (words("source"), facts_.source),
        (words("rows"), f"{facts_.rows:,}"),
        (words("series"), f"{facts_.series:,}"),
        (words("length"), length if low != high else f"{low:,}"),
        (words("frequency"), words.step(facts_.frequency) if facts_.frequency else None),
        (words("span"), " – ".join(facts_.span) if facts_.span else None),
        (words("parts"), words("list").join(parts)),
        (words("fingerprint"), element("code", facts_.fingerprint) if facts_.fingerprint else None),
    ]
    said = notes(facts_.notes, words)
    return section(
        "data",
        words,
        card(facts(pairs)),
        card(said, title=words("notes")) if said else None,
        card(_columns(facts_.columns, words), title=words("columns")) if facts_.columns else None,
    )


def _columns(columns: tuple[dict[str, Any], ...], words: Words) -> Markup:
    keys = list(dict.fromkeys(key for column in columns for key in column))
    wordy = [key for key in keys if not all(isinstance(column.get(key), int | float | None) for column in columns)]
    ordered = [*sorted(wordy, key=lambda key: key != "name"), *(key for key in keys if key not in wordy)]
    rows = [[_value(key, column.get(key), words) for key in ordered] for column in columns]
    return table([words.name(key) for key in ordered], rows, words, text_columns=len(wordy))


def _value(key: str, value: Any, words: Words) -> str:
    match value:
        case None:
            return number(None)
        case float() | int() if key == "missing" and 0 <= value <= 1:
            return percent(value)
        case bool() | str():
            return words.name(str(value)) if key in ("role", "kind", "level") else str(value)
        case int() | float():
            return f"{value:,}" if isinstance(value, int) else number(value)
        case list() | tuple() if len(value) > _LISTED:
            return f"{words('list').join(map(str, value[:_LISTED]))} … ({len(value):,})"
        case list() | tuple():
            return words("list").join(map(str, value))
        case _:
            return str(value)


def net(facts_: NetFacts, words: Words) -> Markup:
    """One line a layer, the sum, and the specification."""
    layers = table(
        (words("layer"), words("output_shape"), words("parameters")),
        [(name, shape, f"{count:,}") for name, shape, count in facts_.layers],
        words,
        text_columns=2,
        foot=(words("total"), size(facts_.bytes), f"{facts_.parameters:,}"),
    )
    spec = facts_.spec if isinstance(facts_.spec, str) else as_yaml(facts_.spec)
    return section("net", words, card(layers), card(folded(words("spec"), code(spec))))


def reproduce(run: Run, words: Words) -> Markup:
    """The command, every setting, and where it ran."""
    environment = facts((name, value) for name, value in run.facts.environment.items())
    return section(
        "reproduce",
        words,
        card(element("pre", command(run.facts.command)), title=words("command")) if run.facts.command else None,
        card(
            folded(words("settings"), code(as_yaml(run.config)), open_=True),
            folded(words("environment"), environment) if run.facts.environment else None,
        ),
    )
