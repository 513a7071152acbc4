"""Runs side by side, as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.core.records import Language, Run
from unrolled.report import contrast
from unrolled.report.blocks import card, chart, command, contents, grid, scores_table, section, table
from unrolled.report.curves import History, training
from unrolled.report.markup import Markup, element, together
from unrolled.report.page import document
from unrolled.report.ranges import ranges
from unrolled.report.scoreboard import find
from unrolled.report.words import Words


def render(runs: Sequence[Run], language: Language = "en") -> str:
    """Two or more runs beside each other: measures, cost, curves over each other, and settings that differ.

    Raises:
        ConfigError: fewer than two runs, or an unknown language.
    """
    words = Words(language)
    names = contrast.several(runs, words)
    body = together(
        [
            _hero(runs, names, words),
            contents(["result", "runs", "training", "reproduce"], words),
            section("result", words, card(_drawn(runs, names, words), _measures(runs, names, words))),
            section("runs", words, card(_table(names, contrast.facts(runs, words), words))),
            _curves(runs, names, words),
            _settings(runs, names, words),
        ]
    )
    return document(words("comparison"), words("comparison"), body, words)


def _hero(runs: Sequence[Run], names: Sequence[str], words: Words) -> Markup:
    return element(
        "div",
        element("h1", words("list").join(names)),
        element("p", contrast.standing(runs, words), class_="verdict"),
        *(element("p", sentence, class_="caution") for sentence in contrast.cautions(runs, words)),
        class_="hero",
    )


def _drawn(runs: Sequence[Run], names: Sequence[str], words: Words) -> Markup | None:
    name = contrast.shared_metric(runs)
    if name is None:
        return None
    return ranges(
        [(label, find(run.evaluation.model, name)) for label, run in zip(names, runs, strict=True)], None, words
    )


def _measures(runs: Sequence[Run], names: Sequence[str], words: Words) -> Markup:
    measures = scores_table(names, contrast.figures(runs, words), words)
    return together([measures, element("p", words("table_help"), class_="help")])


def _curves(runs: Sequence[Run], names: Sequence[str], words: Words) -> Markup:
    histories = [History(name, run.curves, run.facts.best_epoch) for name, run in zip(names, runs, strict=True)]
    charts = [chart(one, words) for one in training(histories, words)]
    return section("training", words, grid(*charts) if charts else card(element("p", words("no_curves"))))


def _settings(runs: Sequence[Run], names: Sequence[str], words: Words) -> Markup:
    rows = contrast.settings(runs)
    differing = _table(names, rows, words) if rows else element("p", words("same_settings"))
    commands = (
        card(element("pre", command(run.facts.command)), title=name)
        for name, run in zip(names, runs, strict=True)
        if run.facts.command
    )
    return section("reproduce", words, card(differing, title=words("differing_settings")), *commands)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], words: Words) -> Markup:
    return table(("", *names), rows, words, fitting=3)
