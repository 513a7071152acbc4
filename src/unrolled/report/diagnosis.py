"""A diagnosis as one HTML file."""

from __future__ import annotations

from dataclasses import replace

from unrolled.core.diagnosis import Diagnosis, Finding, Level
from unrolled.core.records import CurvePicture, Language
from unrolled.report import charts
from unrolled.report.blocks import card, chart, contents, grid, section, table
from unrolled.report.format import number
from unrolled.report.markup import Markup, element, together
from unrolled.report.page import document
from unrolled.report.words import Words

GRADES: dict[Level, str] = {"fine": "good", "watch": "fair", "broken": "poor"}
_SIGNS: dict[Level, str] = {"fine": "✓", "watch": "≈", "broken": "!"}


def render(found: Diagnosis, language: Language = "en") -> str:
    """All findings, the worst first, each with its curve.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """
    words = Words(language)
    wrong = [finding for finding in found.findings if finding.level != "fine"]
    keys = [*(["to_mend"] if wrong else []), "all_findings", "curves"]
    body = together(
        [
            _hero(found, words),
            contents(keys, words),
            section("to_mend", words, *(_card(finding, words) for finding in wrong)) if wrong else None,
            section("all_findings", words, card(_table(found, words))),
            section("curves", words, grid(*_charts(found, words))),
        ]
    )
    return document(words("named", name=words("diagnosis"), value=found.source), words("diagnosis"), body, words)


def said(finding: Finding, words: Words) -> str:
    """The finding in one line, with its layer."""
    text = finding.said.text(words.language)
    return words("named", name=finding.place, value=text) if finding.place else text


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
        (words.name(finding.probe), finding.place, words.name(finding.level), finding.said.text(words.language),
         words("list").join(f"{name} {number(value, 3)}" for name, value in finding.figures.items()))
        for finding in found.findings
    ]  # fmt: skip
    head = (words("probe"), words("place"), words("verdict"), words("finding"), words("numbers"))
    return table(head, rows, words, text_columns=5)


def _charts(found: Diagnosis, words: Words) -> list[Markup]:
    return [_chart(finding, picture, words) for finding in found.findings for picture in finding.pictures]


def _chart(finding: Finding, picture: CurvePicture, words: Words) -> Markup:
    drawn = charts.curve(picture, words)
    return chart(replace(drawn, title=f"{drawn.title} · {finding.place}") if finding.place else drawn, words)
