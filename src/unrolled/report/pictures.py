"""A record's pictures as cards: charts, and the confusion matrix as a table anybody can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from unrolled.core.records import (
    ConfusionPicture,
    CurvePicture,
    ForecastPicture,
    Picture,
    ResidualPicture,
    ScatterPicture,
    ScorePicture,
)
from unrolled.report import charts
from unrolled.report.blocks import card, chart, folded, grid, table
from unrolled.report.format import number
from unrolled.report.markup import Markup, element, together
from unrolled.report.words import Words

_OF_A_KIND = 12  # at most so many pictures of one kind
_POINTS = 36_000  # at most so many points in all forecasts together, which keeps the file under 5 MB
_MATRIX_CLASSES = 24  # more classes are listed by their confusions
_CONFUSIONS = 20
_LONG = 3  # class names longer than this stand upright over their column


def pictures(items: Sequence[Picture], words: Words) -> tuple[Markup, ...]:
    """All pictures in the order given; beyond twelve of a kind they are counted, not drawn."""
    shown = [picture for at, picture in enumerate(items) if _rank(items, at) < _OF_A_KIND]
    if not shown:
        return ()
    forecasts = sum(picture.kind == "forecast" for picture in shown)
    drawn = grid(*(block for picture in shown for block in _cards(picture, forecasts, words)))
    if len(shown) == len(items):
        return (drawn,)
    return drawn, element("p", words("shown_of", shown=len(shown), total=len(items)), class_="help")


def _rank(items: Sequence[Picture], at: int) -> int:
    """How many pictures of its kind stand before it."""
    return sum(picture.kind == items[at].kind for picture in items[:at])


def _cards(picture: Picture, forecasts: int, words: Words) -> tuple[Markup, ...]:
    match picture:
        case ForecastPicture():
            return (chart(charts.forecast(picture, words, _POINTS // forecasts), words),)
        case ResidualPicture():
            return tuple(chart(drawing, words) for drawing in charts.residual(picture, words))
        case ScatterPicture():
            return (chart(charts.scatter(picture, words), words),)
        case CurvePicture():
            return (chart(charts.curve(picture, words), words),)
        case ScorePicture():
            return (chart(charts.score(picture, words), words),)
        case ConfusionPicture():
            return _confusion(picture, words)


def _confusion(picture: ConfusionPicture, words: Words) -> tuple[Markup, ...]:
    if len(picture.classes) <= _MATRIX_CLASSES:
        body = together([_matrix(picture, words), element("p", words("confusion_help"), class_="help")])
    else:
        body = _worst(picture, words)
    wide = "card wide" if len(picture.classes) > 8 else "card"
    return card(body, title=words("confusion_title"), class_=wide), card(_by_class(picture, words), class_=wide)


def _matrix(picture: ConfusionPicture, words: Words) -> Markup:
    names = picture.classes
    long = any(len(name) > _LONG for name in names)
    head = element(
        "tr",
        element("td", style="background:none"),
        *(element("th", element("span", name, class_="clip"), scope="col", title=name, class_="long" if long else None)
          for name in names),
    )  # fmt: skip
    rows = (
        element("tr", element("th", element("span", name, class_="clip"), scope="row", title=name),
                *_row(counts, index, names))
        for index, (name, counts) in enumerate(zip(names, picture.counts, strict=True))
    )  # fmt: skip
    built = element("table", element("thead", head), element("tbody", *rows), class_="matrix")
    return element("div", built, class_="scroll", tabindex=0, role="region", aria_label=words("confusion_title"))


def _row(counts: Sequence[int], true: int, names: Sequence[str]) -> Iterator[Markup]:
    total = max(1, sum(counts))
    for predicted, count in enumerate(counts):
        yield element(
            "td",
            f"{count:,}",
            class_="hit" if predicted == true else None,
            style=f"--share:{100 * count / total:.0f}%",
            title=f"{names[true]} → {names[predicted]}: {count:,}",
        )


def _worst(picture: ConfusionPicture, words: Words) -> Markup:
    pairs = [
        (count, picture.classes[true], picture.classes[predicted])
        for true, counts in enumerate(picture.counts)
        for predicted, count in enumerate(counts)
        if count and true != predicted
    ]
    if not pairs:
        return element("p", words("no_confusions"))
    worst = sorted(pairs, key=lambda pair: -pair[0])[:_CONFUSIONS]
    head = (words("true_class"), words("predicted_class"), words("count"))
    rows = [(true, predicted, f"{count:,}") for count, true, predicted in worst]
    intro = words("confusion_large", classes=len(picture.classes), count=len(worst))
    return together([element("p", intro, class_="help"), table(head, rows, words, text_columns=2)])


def _by_class(picture: ConfusionPicture, words: Words) -> Markup:
    head = (words("class"), words("precision"), words("recall"), words.name("f1"), words("count"))
    rows = [
        (name, number(precision, 3), number(recall, 3), number(f1, 3), f"{sum(counts):,}")
        for name, precision, recall, f1, counts in zip(
            picture.classes, picture.precision, picture.recall, picture.f1, picture.counts, strict=True
        )
    ]
    if len(rows) <= _MATRIX_CLASSES:
        return together([element("h3", words("per_class")), table(head, rows, words)])
    worst_first = sorted(range(len(rows)), key=lambda at: -1.0 if isnan(picture.f1[at]) else picture.f1[at])
    return folded(words("per_class_worst"), table(head, [rows[at] for at in worst_first], words))
