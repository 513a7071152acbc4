"""An explained answer as one HTML file, and its pictures as SVG."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unrolled.core.explanation import Change, Explanation, Scale
from unrolled.core.records import Language
from unrolled.report.blocks import card, chart, contents, grid, section, table
from unrolled.report.charts import PALETTE, Chart, Option, alt, bars, cartesian, line, short_times
from unrolled.report.format import number, percent, plain
from unrolled.report.heat import heat
from unrolled.report.markup import Markup, element, together
from unrolled.report.page import document
from unrolled.report.svg import drawing
from unrolled.report.words import Words

_BARS, _LINES = 15, 3  # columns that are drawn by themselves

_BECAUSE: dict[Scale, str] = {
    "probability": "because_probability",
    "log_probability": "because_log_probability",
    "number": "because_number",
    "score": "because_score",
}
_THEN: dict[Scale, str] = {
    "probability": "then_probability",
    "log_probability": "then_log_probability",
    "score": "then_score",
}


def render(found: Explanation, language: Language = "en") -> str:
    """The answer, what each input added to it, what would change it, and rows like it.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """
    words = Words(language)
    keys = ["shares", "changes", *(["neighbours"] if found.neighbours else [])]
    body = together(
        [
            element("div", element("h1", title(found, words)), element("p", verdict(found, words), class_="verdict"),
                    element("p", added_up(found, words), class_="meta"), class_="hero"),
            contents(keys, words),
            section("shares", words, _text(found, words) if found.tokens else None,
                    grid(*(chart(one, words) for one in _charts(found, words).values()))),
            section("changes", words, card(table((words("held"), words("then")), changes(found, words), words,
                                                 text_columns=2))),
            _neighbours(found, words) if found.neighbours else None,
        ]
    )  # fmt: skip
    return document(title(found, words), words("explanation"), body, words)


def drawings(found: Explanation, language: Language = "en") -> dict[str, str]:
    """The pictures as texts of SVG files, by name."""
    return {name: drawing(one) for name, one in _charts(found, Words(language)).items()}


def title(found: Explanation, words: Words) -> str:
    """Which answer it is."""
    place = words("list").join(part for part in (found.id, *short_times([found.at])) if part)
    return words("why", task=words.name(found.task), place=plain(place), row=f"{found.row:,}")


def verdict(found: Explanation, words: Words) -> str:
    """The answer beside that for an average row."""
    figure, rest = (_figure(found, value) for value in (found.figure, found.rest))
    return words(
        _BECAUSE[found.scale],
        answer=said(found.answer, found, words),
        explained=found.explained or words("nothing"),
        figure=figure,
        rest=rest,
        limit=number(found.threshold, 3),
    )


def said(answer: str, found: Explanation, words: Words) -> str:
    """An answer as people say it; of anomalies whether there is an alarm."""
    if found.scale == "score":
        return words("alarm" if answer == "yes" else "no_alarm")
    return answer or words("nothing")


def added_up(found: Explanation, words: Words) -> str:
    """How exactly the shares make up the difference."""
    total = sum(share.share for share in found.columns)
    return words("added_up", total=_figure(found, total, sign=True), gap=percent(found.gap))


def changes(found: Explanation, words: Words) -> list[tuple[str, str]]:
    """What is held at its average, and what the answer is then."""
    return [(_part(change, found, words), _then(change, found, words)) for change in found.changes]


def shares(found: Explanation) -> list[tuple[str, str]]:
    """Columns with what they added."""
    return [(share.name, _figure(found, share.share, sign=True)) for share in found.columns]


def strongest(found: Explanation, count: int = 5) -> list[tuple[str, float]]:
    """The steps that added most, in order of time, and what they added."""
    totals = [sum(step.shares.values()) for step in found.steps]
    best = sorted(range(len(totals)), key=lambda at: -abs(totals[at]))[:count]
    names = _names(found)
    return [(names[at], totals[at]) for at in sorted(best)]


def _names(found: Explanation) -> list[str]:
    """Of the steps: their words, or their times."""
    if found.tokens:
        return [plain(next(iter(step.values.values()), "")) for step in found.steps]
    return [plain(at) for at in short_times([step.at for step in found.steps])]


def neighbours(found: Explanation, words: Words) -> list[tuple[str, ...]]:
    """Rows like it."""
    return [
        (
            str(one.row),
            words("list").join(part for part in (one.id, *short_times([one.at])) if part),
            said(one.answer, found, words),
            one.truth,
            number(one.figure, 2),
        )
        for one in found.neighbours
    ]


def neighbour_head(words: Words) -> tuple[str, ...]:
    return (words("row"), words("place_in_data"), words("answer"), words("truth"), words("distance"))


def _neighbours(found: Explanation, words: Words) -> Markup:
    rows = table(neighbour_head(words), neighbours(found, words), words, text_columns=4)
    return section("neighbours", words, card(rows, element("p", words("neighbours_help"), class_="help")))


def _part(change: Change, found: Explanation, words: Words) -> str:
    if change.name:
        return change.name
    times = short_times([step.at for step in found.steps])
    first, last = times[change.begin - 1], times[change.end - 1]
    if found.tokens:
        text = " ".join(next(iter(step.values.values())) for step in found.steps[change.begin - 1 : change.end])
        return words("word_held", word=text, step=change.begin)
    if change.begin == change.end:
        return words("step_held", at=first)
    return words("steps_held", begin=first, end=last)


def _then(change: Change, found: Explanation, words: Words) -> str:
    figure = _figure(found, change.figure)
    if found.scale == "number":
        return figure
    told = words(_THEN[found.scale], explained=found.explained or words("nothing"), figure=figure)
    return words("flips", answer=said(change.answer, found, words), said=told) if change.flips else told


def _figure(found: Explanation, value: float, *, sign: bool = False) -> str:
    text = number(value, 3)
    return f"+{text}" if sign and value > 0 else text


def _text(found: Explanation, words: Words) -> Markup:
    """The words, each in the shade of what it added."""
    totals = [sum(step.shares.values()) for step in found.steps]
    most = max((abs(total) for total in totals), default=0.0) or 1.0
    spans = []
    for step, total in zip(found.steps, totals, strict=True):
        color = "var(--model)" if total >= 0 else "var(--second)"
        shade = f"background: color-mix(in srgb, {color} {60 * abs(total) / most:.0f}%, transparent)"
        word = next(iter(step.values.values()), "")
        spans.append(element("span", word, style=shade, title=_figure(found, total, sign=True)))
        spans.append(Markup(" "))
    return card(element("p", *spans), element("p", words("text_help"), class_="help"))


def _charts(found: Explanation, words: Words) -> dict[str, Chart]:
    return dict(_drawn(found, words))


def _drawn(found: Explanation, words: Words) -> Iterator[tuple[str, Chart]]:
    axis: Option = {"type": "category", "data": _names(found)}
    if len(found.columns) > 1:
        names = [plain(share.name) for share in found.columns[:_BARS]]
        drawn = [bars(words("share_added"), [share.share for share in found.columns[:_BARS]], "var(--model)")]
        axis_of_names: Option = {"type": "category", "data": names}
        yield "columns", _made(words("shares_by_column"), axis_of_names, drawn, words, wide=True)
    totals = [sum(step.shares.values()) for step in found.steps]
    plotted = bars if found.tokens else line  # words stand side by side, times follow each other
    lines = [plotted(words("all_columns"), totals, "var(--truth)")]
    own = [share.name for share in found.columns if any(share.name in step.shares for step in found.steps)]
    if len(own) > 1:
        lines += [
            line(name, [step.shares[name] for step in found.steps], color)
            for name, color in zip(own[:_LINES], PALETTE, strict=False)
        ]
    yield "steps", _made(words("shares_by_step"), axis, lines, words, wide=True)
    for name in own[:_LINES]:
        values = [_value(step.values.get(name, "")) for step in found.steps]
        if any(value is not None for value in values):
            drawn = [line(name, values, "var(--model)")]
            yield f"value-{own.index(name) + 1}", _made(words("value_of", name=name), axis, drawn, words)
    for picture in found.pictures:
        key = f"{picture.name}-{picture.place}" if picture.place else picture.name
        yield re.sub("[^a-z0-9_]+", "-", key.lower()), heat(picture, words)
    weights = [step.attention for step in found.steps if step.attention is not None]
    if weights:
        yield "attention", _made(words("attention"), axis, [plotted(words("weight"), weights, "var(--third)")], words)


def _made(name: str, axis: Option, drawn: list[Option], words: Words, *, wide: bool = False) -> Chart:
    return Chart(name, cartesian(dict(axis), drawn), alt(name, drawn, len(axis["data"]), words), wide=wide)


def _value(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # a category, or missing
        return None
