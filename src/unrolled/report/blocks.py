"""The building blocks of a page: cards, lists of facts, notes, tables, charts, code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import yaml

from unrolled.core.records import Note
from unrolled.report.charts import Chart, Option
from unrolled.report.format import number, simple
from unrolled.report.markup import Child, Markup, element, embedded_json, together
from unrolled.report.scoreboard import Cell, Row
from unrolled.report.words import Words

ROW_LIMIT = 200


def section(key: str, words: Words, *children: Child) -> Markup:
    """A section with its heading, reachable from the table of contents by ``#key``."""
    return element("section", element("h2", words(key), id=f"{key}-title"), *children,
                   id=key, aria_labelledby=f"{key}-title")  # fmt: skip


def contents(keys: Sequence[str], words: Words) -> Markup:
    """Links to the sections."""
    links = (element("li", element("a", words(key), href=f"#{key}")) for key in keys)
    return element("nav", element("ul", *links), aria_label=words("contents"))


def card(*children: Child, title: str = "", class_: str = "card") -> Markup:
    """A box with an optional title."""
    return element("div", element("h3", title) if title else None, *children, class_=class_)


def facts(pairs: Iterable[tuple[str, Child]]) -> Markup:
    """Names with their values; pairs without a value are left out."""
    rows = ([element("dt", name), element("dd", value)] for name, value in pairs if value)
    return element("dl", *(item for row in rows for item in row), class_="facts")


def figures(cards: Iterable[tuple[str, ...]], words: Words) -> Markup:
    """Key figures: name, value, and lines of small print."""
    boxes = (
        element("div", element("dt", name), element("dd", value), *(element("dd", line) for line in small if line))
        for name, value, *small in cards
    )
    return element("dl", *boxes, class_="figures", aria_label=words("key_figures"))


def notes(items: Sequence[Note], words: Words) -> Markup | None:
    """Notes as a list, warnings first; None where there are none."""
    if not items:
        return None
    ordered = sorted(items, key=lambda note: note.level != "warning")
    return element("ul", *(_note(note, words) for note in ordered), class_="notes")


def _note(note: Note, words: Words) -> Markup:
    warning = note.level == "warning"
    label = together([element("b", words("warning")), " · "]) if warning else None
    return element("li", label, note.text(words.language), class_="warning" if warning else None)


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Child]],
    words: Words,
    *,
    text_columns: int = 1,
    foot: Sequence[str] = (),
    highlighted: int = 0,
    fitting: int = 5,
) -> Markup:
    """A table whose first column names the rows; columns after ``text_columns`` hold figures.

    The column ``highlighted`` stands out (0: none). With more than ``fitting`` columns each row becomes a block on
    a phone. Rows beyond ``ROW_LIMIT`` are counted, not shown.
    """
    kinds = ["" if index < text_columns else "number" for index in range(len(head))]
    if highlighted:
        kinds[highlighted] += " model"
    top = element("tr", *(element("th", name, scope="col", class_=kind or None)
                           for name, kind in zip(head, kinds, strict=True)))  # fmt: skip
    body = [element("tr", *_cells(row, head, kinds)) for row in rows[:ROW_LIMIT]]
    bottom = element("tfoot", element("tr", *_cells(foot, head, kinds))) if foot else None
    hidden = len(rows) - ROW_LIMIT
    more = element("p", words("more_rows", count=f"{hidden:,}"), class_="help") if hidden > 0 else None
    built = element(
        "table", element("thead", top), element("tbody", *body), bottom, class_="stack" if len(head) > fitting else None
    )
    return together([element("div", built, class_="scroll"), more])


def scores_table(names: Sequence[str], rows: Sequence[Row], words: Words, *, highlighted: int = -1) -> Markup:
    """Measures with their intervals in small print; one column stands out."""
    return table(
        (words("figure"), *names),
        [(row.name, *(score(cell, words) for cell in row.cells)) for row in rows],
        words,
        highlighted=highlighted + 1,
        fitting=3,
    )


def score(cell: Cell, words: Words) -> Markup:
    """A figure with its interval in small print."""
    best = {"class_": "best", "title": words("best")} if cell.best else {}
    small = element("small", cell.interval) if cell.interval else None
    return together([element("span", cell.text, **best), small])


def _cells(row: Sequence[Child], head: Sequence[str], kinds: Sequence[str]) -> list[Markup]:
    first = element("th", row[0], scope="row")
    rest = zip(row[1:], head[1:], kinds[1:], strict=True)
    return [first, *(element("td", cell, data_label=name, class_=kind or None) for cell, name, kind in rest)]


def chart(drawing: Chart, words: Words) -> Markup:
    """A chart in a card: the place where it is drawn, its description as JSON, and a note."""
    plot = element("div", element("noscript", words("no_script")), class_="plot", role="img", aria_label=drawing.alt)
    data = element("script", embedded_json(drawing.option), type="application/json")
    note = element("figcaption", drawing.note) if drawing.note else None
    scale = _scale(drawing.option["cells"]) if "cells" in drawing.option else None
    figure = element("figure", plot, data, scale, note)
    return card(figure, title=drawing.title, class_="card wide" if drawing.wide else "card")


def _scale(cells: Option) -> Markup:
    """The colours of a heat map between their lowest and their highest figure."""
    colors = ", ".join(cells["color"])
    bar = element("i", style=f"background: linear-gradient(to right, {colors})", aria_hidden="true")
    return element("div", number(cells["min"], 3), bar, number(cells["max"], 3), class_="scale")


def grid(*cards: Markup) -> Markup:
    """Cards beside each other where the screen is wide enough."""
    return element("div", *cards, class_="grid")


def code(text: str) -> Markup:
    """Text as typed, over several lines."""
    return element("pre", element("code", text))


def command(text: str) -> Markup:
    """A command line, broken between its words only, not at the hyphens of an option."""
    spaced = (child for word in text.split(" ") for child in (element("span", word, class_="word"), " "))
    return element("code", *list(spaced)[:-1])


def as_yaml(value: object) -> str:
    """Settings as a person would write them."""
    return yaml.safe_dump(simple(value), sort_keys=False, allow_unicode=True, width=100).rstrip()


def folded(title: str, *children: Child, open_: bool = False) -> Markup:
    """A part that opens on a click."""
    return element("details", element("summary", title), *children, open=open_)
