"""The report of one run as one HTML file."""

from __future__ import annotations

from unrolled.core.records import Language, Run
from unrolled.report import sections
from unrolled.report.blocks import contents
from unrolled.report.markup import together
from unrolled.report.page import document
from unrolled.report.words import Words


def render(run: Run, language: Language = "en") -> str:
    """The report of a run: a page that opens offline, on paper and on a phone, in light and dark.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """
    words = Words(language)
    pictured = sections.pictured(run.evaluation, words)
    keys = ["result", *(["pictures"] if pictured else []), "asked", "training", "data", "net", "reproduce"]
    body = together(
        [
            sections.hero(run, words),
            sections.key_figures(run, words),
            contents(keys, words),
            sections.result(run.evaluation, words),
            pictured,
            sections.asked(run, words),
            sections.trained(run, words),
            sections.data(run.data, words),
            sections.net(run.net, words),
            sections.reproduce(run, words),
        ]
    )
    title = words("named", name=words.name(run.facts.task), value=words.names(run.facts.target))
    return document(title, words("report"), body, words)
