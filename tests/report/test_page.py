"""The vendored charts library is the one its note describes, and its licences go where it goes."""

import hashlib
from importlib import resources

from unrolled.core.records import Language
from unrolled.report.markup import Markup
from unrolled.report.page import ECHARTS_VERSION, document
from unrolled.report.words import Words

ECHARTS = resources.files("unrolled.report").joinpath("assets", "echarts")


def page(language: Language = "en") -> str:
    return document("a < b", "kind", Markup("<p>body</p>"), Words(language))


def test_the_library_is_unchanged_and_of_the_version_named() -> None:
    library = ECHARTS.joinpath("echarts.common.min.js").read_bytes()
    note = ECHARTS.joinpath("README.md").read_text()
    assert hashlib.sha256(library).hexdigest() in note
    assert f"ECharts {ECHARTS_VERSION}" in note and f'version="{ECHARTS_VERSION}"'.encode() in library


def test_licences_travel_with_the_library() -> None:
    made = page()
    for holder in ("The Apache Software Foundation", "2017, Baidu Inc.", "Mike Bostock", "Microsoft Corporation"):
        assert holder in made
    assert made.index("Apache License, Version 2.0") < made.rindex("<script>")


def test_no_asset_can_end_its_own_script_or_comment() -> None:
    for path in (ECHARTS.joinpath("echarts.common.min.js"), ECHARTS.joinpath("..", "report.js")):
        assert "</script" not in path.read_text().lower() and "<!--" not in path.read_text()
    assert all("--" not in path.read_text() for path in ECHARTS.iterdir() if path.name in ("NOTICE", "LICENSE-d3"))


def test_title_and_language() -> None:
    assert "<title>a &lt; b</title>" in page() and '<html lang="en">' in page()
    assert '<html lang="zh-CN">' in page("zh")
