"""An advice as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unrolled.core.advice import Advice, Counsel, Entrant, Recommendation
from unrolled.core.diagnosis import Text
from unrolled.core.records import Language
from unrolled.report import charts, scoreboard
from unrolled.report.advice_rows import COSTS, DETAILS, entrant_head, entrant_row, margin, wishes
from unrolled.report.blocks import (
    as_yaml,
    card,
    chart,
    code,
    contents,
    facts,
    folded,
    grid,
    notes,
    score,
    scores_table,
    section,
    table,
)
from unrolled.report.blocks import command as typed
from unrolled.report.charts import Chart, Option
from unrolled.report.format import duration, plain
from unrolled.report.markup import Markup, element, together
from unrolled.report.page import document
from unrolled.report.words import Words


def render(found: Advice, language: Language = "en") -> str:
    """Recommendation, measurements, rules and profile.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """
    words = Words(language)
    parts: dict[str, Sequence[Markup | None]] = {
        "recommendation": _recommendation(found, words),
        "entrants": _entrants(found, words),
        "rules": _rules(found, words),
        "known": _known(found, words),
        "notes": [notes(found.notes, words)] if found.notes else [],
    }
    shown = {key: children for key, children in parts.items() if children}
    body = [_hero(found, words), contents(list(shown), words)]
    body += [section(key, words, *children) for key, children in shown.items()]
    return document(words("named", name=words("advice"), value=found.source), words("advice"), together(body), words)


def _hero(found: Advice, words: Words) -> Markup:
    asked = words("of", task=words.name(found.profile.task), target=words.names(found.profile.target))
    said = found.profile.too_small if found.recommendation is None else found.recommendation.said
    spent = words("named", name=words("time_spent"), value=duration(found.seconds, words.language))
    return element(
        "div",
        element("h1", asked),
        element("p", said.text(words.language), class_="verdict"),
        element("p", element("span", found.source), element("span", spent), class_="meta"),
        class_="hero",
    )


def _recommendation(found: Advice, words: Words) -> list[Markup | None]:
    made = found.recommendation
    if made is None:
        return []
    lists = [("supported", made.supported), ("unsupported", made.unsupported), ("more", made.more)]
    cards: list[Markup | None] = [card(_list(texts, words), title=words(key)) for key, texts in lists if texts]
    asked = [pair for pair in wishes(found.wishes, words) if pair[1]]
    if asked:
        cards.append(card(facts(asked), title=words("wishes")))
    settings = folded(words("settings"), code(as_yaml(made.config)))
    return [*cards, card(_to_train(made), settings, title=words("to_train"))]


def _to_train(made: Recommendation) -> Markup | None:
    return element("p", typed(made.command)) if made.command else None


def _list(texts: Iterable[Text], words: Words) -> Markup:
    return element("ul", *(element("li", text.text(words.language)) for text in texts))


def _entrants(found: Advice, words: Words) -> list[Markup]:
    if not found.entrants:
        return []
    best = found.recommendation.entrant if found.recommendation is not None else ""
    columns = (*COSTS, *DETAILS)
    rows = [
        [score(cell, words) for cell in entrant_row(one, one.name == best, words, columns)] for one in found.entrants
    ]
    head = entrant_head(found.entrants, words, columns)
    return [
        card(table(head, rows, words, text_columns=1), element("p", words("frontier_help"), class_="help")),
        chart(_frontier(found.entrants, words), words),
    ]


def _frontier(entrants: Sequence[Entrant], words: Words) -> Chart:
    """Figure against latency, those on the frontier in another colour."""
    groups: dict[str, list[Option]] = {}
    metric = next((one.metric.name for one in entrants if one.metric is not None), "")
    for one in entrants:
        if one.metric is not None and one.latency is not None:
            name = words("on_frontier") if one.on_frontier else words("entrant")
            point = [charts.figure(1000 * one.latency), charts.figure(one.metric.value)]
            groups.setdefault(name, []).append({"name": plain(one.name), "value": point})
    label = {"show": True, "position": "right", "formatter": "{b}", "color": "var(--ink)"}
    series: list[Option] = [
        {
            "type": "scatter",
            "name": name,
            "data": points,
            "symbolSize": 10,
            "label": label,
            "itemStyle": {"color": color},
        }
        for (name, points), color in zip(groups.items(), charts.PALETTE, strict=False)
    ]
    axis = {"type": "log", "name": words("named", name=words("latency"), value="ms"), "nameLocation": "middle",
            "nameGap": 26}  # fmt: skip
    option = charts.cartesian(axis, series or [charts.line("", [], "var(--model)")], trigger="item")
    option["yAxis"] |= {"name": words.name(metric), "nameLocation": "middle", "nameGap": 40}
    title = words("frontier_title")
    return Chart(title, option, charts.alt(title, series, len(entrants), words), wide=True)


def _rules(found: Advice, words: Words) -> list[Markup]:
    states = [("rules_fire", "fires"), ("rules_near", "nearly")]
    cards = [
        card(_counsel([one for one in found.counsel if one.state == state], words), title=words(key))
        for key, state in states
        if any(one.state == state for one in found.counsel)
    ]
    if found.conflicts:
        cards.insert(0, card(_list((one.said for one in found.conflicts), words), title=words("rules_disagree")))
    return cards


def _counsel(said: Sequence[Counsel], words: Words) -> Markup:
    head = [words(key) for key in ("rule", "because", "rule_advice", "reason", "says_who", "margin")]
    language = words.language
    rows = [
        (
            element("code", one.code),
            one.because.text(language) or words("always"),
            one.advice.text(language),
            one.reason.text(language),
            one.source,
            margin(one),
        )
        for one in said
    ]
    return table(head, rows, words, text_columns=5)


def _known(found: Advice, words: Words) -> list[Markup]:
    language, profile = words.language, found.profile
    rows = [(one.said.text(language), one.method.text(language)) for one in profile.facts]
    cards = [card(table((words("fact"), words("method")), rows, words, text_columns=2))]
    if profile.guesses:
        names = [words.name(scores.name) for scores in profile.guesses]
        title = words("without_net", part=words.name(profile.judged_on))
        board = scoreboard.scoreboard(profile.guesses, words)
        cards.append(card(scores_table(names, board, words), title=title))
    if profile.pictures:
        cards.append(grid(*(chart(charts.curve(picture, words), words) for picture in profile.pictures)))
    return cards
