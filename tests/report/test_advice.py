"""An advice as a page and in the terminal: whole, in both languages, with foreign names made harmless."""

from __future__ import annotations

import math

import pytest
from rich.console import Console
from tests.report.reading import Page

from unrolled.core.advice import Advice, Comparison, Conflict, Counsel, Entrant, Fact, Profile, Recommendation, Wishes
from unrolled.core.diagnosis import Text
from unrolled.core.records import CurvePicture, Language, Metric, Note, Scores
from unrolled.core.trial import Trial
from unrolled.report.advice import render
from unrolled.report.advice_terminal import advice as shown

EVIL = "<script>alert(1)</script>\x1b[31m"


def both(said: str) -> Text:
    return Text(en=said, zh=f"中文 {said}")


def entrant(name: str, value: float | None, **facts: object) -> Entrant:
    metric = None if value is None else Metric(name="accuracy", value=value, low=value - 0.1, high=1.0, better="higher")
    trial = Trial(
        name=name,
        state="failed" if value is None else "done",
        error="diverged" if value is None else "",
        metric=metric,
        parameters=1234,
        predict_us=math.nan if value is None else 800.0,
    )
    return Entrant.model_validate({"name": name, "why": both("why"), "trial": trial, **facts})


def made(name: str = "gru") -> Advice:
    counsel = [
        Counsel(code="small_data", topic="amount", state=state, margin=margin, because=both("few"), advice=both("GRU."),
                reason=both("less to learn"), source="guides", answers={"cell": "gru"})
        for state, margin in (("fires", 0.5), ("nearly", -0.1))
    ]  # fmt: skip
    return Advice(
        source=name,
        wishes=Wishes(device="watch", size=250e3, latency=5e-3, assumed=("size",)),
        profile=Profile(
            task="classify",
            target=(name,),
            facts=(Fact(code="a", topic="size", said=both("40 samples."), method=both("counted"), level="watch"),),
            guesses=(Scores(name="majority", metrics=(Metric(name="accuracy", value=0.5, better="higher"),)),),
            judged_on="valid",
            pictures=(CurvePicture(name="autocorrelation", x_label="lag", y_label="correlation", x=(0.0, 1.0),
                                   lines={name: (1.0, 0.5)}),),
        ),
        counsel=tuple(counsel),
        conflicts=(Conflict(question="cell", sides={"gru": ("a",), "lstm": ("b",)}, said=both("they disagree")),),
        entrants=(
            entrant(name, 0.9, rung=2, on_frontier=True, seeds=(0.9, 0.91)),
            entrant("broken", None, fits=False),
        ),
        recommendation=Recommendation(
            entrant=name,
            said=both("Train it."),
            supported=(both("better"),),
            unsupported=(both("not shown"),),
            more=(both("more data"),),
            comparisons=(Comparison(other="x", gain=0.1, low=0.0, high=0.2, said=both("so")),),
            config={"net": name},
            command="unrolled train --config config.yaml",
        ),
        notes=(Note(code="n", en="a note", zh="说明"),),
    )  # fmt: skip


def printed(found: Advice, language: Language, width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as captured:
        console.print(shown(found, language))
    return captured.get()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_and_terminal_say_all_of_it(language: Language) -> None:
    found = made()
    page, text = Page(render(found, language)).text, " ".join(printed(found, language, width=400).split())
    said = [found.recommendation.said, *found.recommendation.supported, *found.recommendation.unsupported,
            *found.recommendation.more, found.conflicts[0].said, found.profile.facts[0].said,
            found.counsel[0].advice, found.counsel[0].because] if found.recommendation else []  # fmt: skip
    assert said
    for one in said:
        assert one.text(language) in page and one.text(language) in text
    for figure in ("0.900", "1,234", "small_data", "+50.0 %", "−10.0 %"):
        assert figure in page and figure in text, figure
    assert ("recommended" if language == "en" else "推荐") in page and "diverged" in page
    assert "unrolled train --config config.yaml" in text


def test_the_picture_has_a_point_for_each_that_was_measured() -> None:
    frontier = Page(render(made())).options[0]
    points = [point["name"] for series in frontier["series"] for point in series["data"]]
    assert points == ["gru"]


def test_too_little_data_says_why_and_nothing_else() -> None:
    found = made().model_copy(update={"recommendation": None, "entrants": (), "counsel": (), "conflicts": ()})
    found = found.model_copy(update={"profile": found.profile.model_copy(update={"too_small": both("Too few.")})})
    page, text = Page(render(found)).text, printed(found, "en")
    assert "Too few." in page and "Too few." in text and "Nothing is advised" in text
    assert "Rules" not in page and "To train it" not in page


def test_foreign_names_do_nothing() -> None:
    source = render(made(EVIL))
    page = Page(source)
    assert len(page.scripts) == 2 and "<script>alert" not in source
    assert "\x1b" not in source and "\x1b[31m" not in printed(made(EVIL), "en")


@pytest.mark.parametrize("width", [60, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, printed(made(), "en", width).splitlines())) <= width


def test_a_long_chinese_reason_is_folded_not_cut() -> None:
    found = made()
    reason = Text(en="few", zh="细胞状态可在数十步内传递信息" * 6)
    found = found.model_copy(update={"counsel": (found.counsel[0].model_copy(update={"reason": reason}),)})
    text = printed(found, "zh", width=80)
    assert "…" not in text and "".join(text.split()).count("细胞状态") == 6


def test_words_of_a_table_stay_whole_at_80_columns() -> None:
    text = printed(made(), "en", width=80)
    for word in ("Accuracy", "validation", "Parameters", "recommended", "frontier"):
        assert word in text, word
