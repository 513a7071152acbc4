"""A diagnosis as one HTML file."""

from __future__ import annotations

import re
from dataclasses import replace

from unrolled.core.diagnosis import Diagnosis, Drawn, Finding, Level
from unrolled.core.records import BarPicture, HeatPicture, Language
from unrolled.report import charts
from unrolled.report.blocks import card, chart, contents, grid, section, table
from unrolled.report.format import number
from unrolled.report.heat import heat
from unrolled.report.markup import Markup, element, together
from unrolled.report.page import document
from unrolled.report.svg import drawing
from unrolled.report.words import Words

GRADES: dict[Level, str] = {"fine": "good", "watch": "fair", "broken": "poor"}
_KINDS = ("gradient", "cells", "gate", "time_constants", "lyapunov", "contribution", "attention", "loss")
_LISTED = 5  # examples in the terminal
_SIGNS: dict[Level, str] = {"fine": "✓", "watch": "≈", "broken": "!"}


def render(found: Diagnosis, language: Language = "en") -> str:
    """All findings, the worst first, each with its curve.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """
    words = Words(language)
    wrong = [finding for finding in found.findings if finding.level != "fine"]
    samples = _examples(found, words)
    keys = [*(["to_mend"] if wrong else []), "all_findings", *(["examples"] if samples else []), "curves"]
    body = together(
        [
            _hero(found, words),
            contents(keys, words),
            section("to_mend", words, *(_card(finding, words) for finding in wrong)) if wrong else None,
            section("all_findings", words, card(_table(found, words))),
            section("examples", words, *samples) if samples else None,
            section("curves", words, grid(*(chart(one, words) for one in _charts(found, words).values()))),
        ]
    )
    return document(words("named", name=words("diagnosis"), value=found.source), words("diagnosis"), body, words)


def drawings(found: Diagnosis, language: Language = "en") -> dict[str, str]:
    """The pictures as texts of SVG files, by name."""
    return {name: drawing(one) for name, one in _charts(found, Words(language)).items()}


def said(finding: Finding, words: Words) -> str:
    """The finding in one line, with its layer."""
    text = finding.said.text(words.language)
    return words("named", name=finding.place, value=text) if finding.place else text


def listed(finding: Finding, words: Words) -> list[str]:
    """The first samples that a finding points at, one a line."""
    return [
        words(
            "example",
            row=one.row,
            place=words("list").join(part for part in (one.id, one.at) if part),
            truth=one.truth or words("none"),
            answer=one.answer or words("none"),
            figure=number(one.figure, 3),
        )
        for one in finding.examples[:_LISTED]
    ]


def _hero(found: Diagnosis, words: Words) -> Markup:
    counts = {level: sum(finding.level == level for finding in found.findings) for level in GRADES}
    verdict = words("list").join(f"{words.name(level)} {count}" for level, count in counts.items())
    on = words("looked_at", data=found.data, samples=f"{found.samples:,}")
    return element(
        "div",
        element("h1", found.source),
        element("p", verdict, class_="verdict"),
        element("p", _badge(found.level, words), element("span", on), class_="meta"),
        class_="hero",
    )


def _badge(level: Level, words: Words) -> Markup:
    sign = element("span", _SIGNS[level], aria_hidden="true")
    return element("span", sign, words.name(level), class_=f"badge {GRADES[level]}")


def _card(finding: Finding, words: Words) -> Markup:
    lines = [("cause", finding.cause), ("action", finding.action)]
    return card(
        element("p", _badge(finding.level, words), " ", said(finding, words)),
        *(
            element("p", words("named", name=words(key), value=text.text(words.language)), class_="help")
            for key, text in lines
            if text.en
        ),
    )


def _table(found: Diagnosis, words: Words) -> Markup:
    rows = [
        (_badge(finding.level, words), words.name(finding.probe), said(finding, words),
         words("list").join(f"{name} {number(value, 3)}" for name, value in finding.figures.items()))
        for finding in found.findings
    ]  # fmt: skip
    head = (words("verdict"), words("probe"), words("finding"), words("numbers"))
    return table(head, rows, words, text_columns=4, fitting=3)


def _examples(found: Diagnosis, words: Words) -> list[Markup]:
    """Samples that findings point at, each list in a table."""
    head = (words("row"), words("place_in_data"), words("truth"), words("answer"), words("figure"))
    return [
        card(
            table(
                head,
                [
                    (f"{one.row}", words("list").join(part for part in (one.id, one.at) if part), one.truth, one.answer,
                     number(one.figure, 3))
                    for one in finding.examples
                ],
                words,
                text_columns=4,
            ),
            title=finding.said.text(words.language),
        )
        for finding in found.findings
        if finding.examples
    ]  # fmt: skip


def _charts(found: Diagnosis, words: Words) -> dict[str, charts.Chart]:
    """All pictures, by a name that a file can have."""
    drawn = [(finding, picture) for finding in found.findings for picture in finding.pictures]
    named = {_file_name(finding, picture): _chart(finding, picture, words) for finding, picture in drawn}
    return dict(sorted(named.items(), key=lambda entry: _rank(entry[0])))


def _rank(name: str) -> int:
    """Pictures that belong together stand together, whatever the verdicts."""
    return next((at for at, kind in enumerate(_KINDS) if name.startswith(kind)), len(_KINDS))


def _file_name(finding: Finding, picture: Drawn) -> str:
    place = re.sub("[^a-z0-9]+", "-", finding.place.lower()).strip("-")
    return f"{picture.name}-{place}" if place else picture.name


def _chart(finding: Finding, picture: Drawn, words: Words) -> charts.Chart:
    match picture:
        case BarPicture():
            drawn = charts.bar(picture, words)
        case HeatPicture():
            drawn = heat(picture, words)
        case _:
            drawn = charts.curve(picture, words)
    return replace(drawn, title=f"{drawn.title} · {finding.place}") if finding.place else drawn
