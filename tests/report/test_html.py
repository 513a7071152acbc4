import base64
import hashlib
import math
import re
from itertools import pairwise

import pytest
from tests.report.reading import Page
from tests.report.runs import RUNS, classify_run, failure_run, forecast_run

from unrolled.core.records import ForecastPicture, Language, Run
from unrolled.report import comparison, html

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def pages(language: Language) -> dict[str, str]:
    made = {task: html.render(build(), language) for task, build in RUNS.items()}
    return made | {"comparison": comparison.render([forecast_run(), forecast_run()], language)}


PAGES = {(name, language): text for language in LANGUAGES for name, text in pages(language).items()}


@pytest.fixture(params=sorted(PAGES), ids=" ".join)
def source(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param]


def changed(run: Run, **changes: object) -> Run:
    return run.model_copy(update={"evaluation": run.evaluation.model_copy(update=changes)})


def test_nothing_outside_the_file_is_referenced(source: str) -> None:
    page = Page(source)
    addresses = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "action")
    ]
    assert addresses and all(address.startswith("#") for address in addresses)
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "form"})
    (style,) = [text for tag, text in page.texts if tag == "style"]
    assert "url(" not in style and "@import" not in style


def test_only_the_two_known_scripts_may_run(source: str) -> None:
    page = Page(source)
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in page.scripts]
    assert len(hashes) == 2
    known = " ".join(f"'sha256-{one}'" for one in hashes)
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src {known}"
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_headings_and_links_make_an_outline(source: str) -> None:
    page = Page(source)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} == {section["id"] for section in page.all("section")}
    assert all(section["aria-labelledby"] in ids for section in page.all("section"))


def test_it_is_readable_without_eyes_and_on_a_phone(source: str) -> None:
    page = Page(source)
    plots = [attributes for tag, attributes in page.tags if attributes.get("class") == "plot"]
    assert plots and all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    assert all(button["aria-label"] for button in page.all("button"))
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))


def test_every_chart_has_its_data_and_the_file_is_small(source: str) -> None:
    page = Page(source)
    plots = [attributes for tag, attributes in page.tags if attributes.get("class") == "plot"]
    assert len(page.options) == len(plots) >= 5
    assert all(series["data"] for option in page.options for series in option["series"])
    assert len(source.encode()) < 1_000_000


@pytest.mark.parametrize("task", sorted(RUNS))
def test_a_report_says_what_matters(task: str) -> None:
    run = RUNS[task]()
    for language in LANGUAGES:
        verdict = run.evaluation.verdict.text(language)
        page = Page(PAGES[task, language])
        assert page.all("html") == [{"lang": "zh-CN" if language == "zh" else "en"}]
        assert page.text.index(verdict) < page.text.index("50,753")
        for expected in ("unrolled train", "learning_rate: 0.001", "lstm", "203 kB", "2,766", "2.13.0", "节假日"):
            assert expected in page.text
        for note in (*run.data.notes, *run.evaluation.notes, *run.facts.assumptions):
            assert note.text(language) in page.text


def test_languages_do_not_mix() -> None:
    # The data of this run is in Latin letters save one column's name, "节假日".
    english = Page(PAGES["forecast", "en"]).text.replace("节假日", "")
    assert not re.search("[\u4e00-\u9fff]", english)
    chinese = Page(PAGES["forecast", "zh"]).text
    for word in ("Baseline", "Verdict", "Training", "Model", "Parameters", "Settings", "Columns", "Epochs"):
        assert word not in chinese


def test_warnings_stand_before_other_notes() -> None:
    text = Page(PAGES["forecast", "en"]).text
    assert text.index("Time stamps are irregular") < text.index("The file is UTF-8")


def test_the_best_is_marked_even_where_it_is_a_baseline() -> None:
    page = Page(html.render(failure_run()))
    best = [text for tag, text in page.texts if tag == "span" and text in ("0.8100", "0.8300")]
    assert "0.8300" in best
    assert "does better than this model (0.8300 against 0.8100)" in page.text
    assert len([1 for _, attributes in page.tags if attributes.get("class") == "best"]) == 3


def test_a_run_with_almost_nothing_still_has_a_report() -> None:
    run = classify_run()
    bare = changed(
        run, baselines=(), pictures=(), notes=(), model=run.evaluation.model.model_copy(update={"metrics": ()})
    )
    bare = bare.model_copy(
        update={
            "curves": (),
            "config": {},
            "data": run.data.model_copy(
                update={"columns": (), "notes": (), "parts": {}, "span": None, "fingerprint": ""}
            ),
            "facts": run.facts.model_copy(update={"target": (), "command": "", "assumptions": (), "environment": {}}),
            "net": run.net.model_copy(update={"layers": (), "spec": "my_module:Net"}),
        }
    )
    page = Page(html.render(bare))
    assert page.options == []
    assert "No training curve was recorded." in page.text and "my_module:Net" in page.text
    assert "pictures" not in {section["id"] for section in page.all("section")}


def test_figures_that_are_not_numbers_are_dashes_and_gaps() -> None:
    run = forecast_run()
    metrics = tuple(one.model_copy(update={"value": math.nan, "low": math.nan}) for one in run.evaluation.model.metrics)
    model = run.evaluation.model.model_copy(update={"metrics": metrics})
    curves = tuple(row | {"valid_loss": math.nan, "grad_norm": math.inf} for row in run.curves)
    page = Page(html.render(changed(run, model=model).model_copy(update={"curves": curves})))
    assert len(page.options) == 3 + 4  # gradient norm has no finite value, so no chart
    assert "RMSE of the model is not a number" in page.text
    assert not re.search(r"\bnan\b", page.text, re.IGNORECASE)


def test_three_hundred_classes_are_listed_by_their_confusions() -> None:
    source = html.render(classify_run(tuple(f"类别-{at}" for at in range(300))))
    page = Page(source)
    assert "300 classes are too many for a matrix" in page.text
    assert "100 more rows are not shown." in page.text
    assert not [1 for table in page.all("table") if table.get("class") == "matrix"]
    assert len(source.encode()) < 1_000_000


def test_a_class_that_never_came_has_dashes_and_no_share() -> None:
    run = classify_run(("a", "b"))
    picture = run.evaluation.pictures[0].model_copy(
        update={
            "counts": ((3, 0), (0, 0)),
            "precision": (1.0, math.nan),
            "recall": (1.0, math.nan),
            "f1": (1.0, math.nan),
        }
    )
    page = Page(html.render(changed(run, pictures=(picture,))))
    shares = [cell["style"] for cell in page.all("td") if "--share" in cell.get("style", "")]
    assert shares == ["--share:100%", "--share:0%", "--share:0%", "--share:0%"]


def test_the_largest_report_stays_under_five_megabytes() -> None:
    run = forecast_run()
    steps = 50_000
    values = tuple(1000 * math.pi + at / 7 for at in range(steps))
    times = tuple(f"2024-01-01T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.123456789" for at in range(steps))
    long = ForecastPicture(
        target="y" * 500, series="s", time=times, truth=values, forecast=values, low=values, high=values
    )
    columns = tuple({"name": f"column {at} " + "x" * 300, "role": "feature", "kind": "number"} for at in range(10_000))
    crowded = changed(run, pictures=(long,) * 30)
    crowded = crowded.model_copy(update={"data": run.data.model_copy(update={"columns": columns})})
    source = html.render(crowded)
    assert len(source.encode()) < 5_000_000
    text = Page(source).text
    assert "Showing 12 of 30." in text and "The last 3,000 of 50,000 time steps." in text
    assert "9,800 more rows are not shown." in text


def test_settings_read_back_as_yaml() -> None:
    import yaml

    run = forecast_run()
    page = Page(html.render(run))
    (settings,) = [text for tag, text in page.texts if tag == "code" and text.startswith("task:")]
    assert yaml.safe_load(settings) == run.model_dump(mode="json")["config"]


def test_measures_of_classes_are_folded_away() -> None:
    run = classify_run()
    more = tuple(
        run.evaluation.model.metrics[0].model_copy(update={"name": f"{name}:{label}", "value": 0.321})
        for label in "NSVFQ"
        for name in ("precision", "recall", "f1")
    )
    model = run.evaluation.model.model_copy(update={"metrics": run.evaluation.model.metrics + more})
    page = Page(html.render(changed(run, model=model)))
    assert "Figures by class or target" in page.text and page.text.count("0.3210") == 15
