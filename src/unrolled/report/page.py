"""One HTML file around the sections: style, charts library and script inside, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from unrolled.report.markup import Markup, element, together
from unrolled.report.words import Words

ECHARTS_VERSION = "6.1.0"
_NOTICES = ("NOTICE", "LICENSE-zrender", "LICENSE-d3")  # of what the charts library contains; it brings its own licence

_MARK = Markup(
    '<svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="2.2"'
    ' stroke-linecap="round" aria-hidden="true"><path d="M3 20h5.5a5.5 5.5 0 1 0-5.5-5.5V20"/>'
    '<path d="M8.5 20h14"/><circle cx="22.5" cy="20" r="1.3" fill="currentColor"/></svg>'
)
_HALF_MOON = Markup(
    '<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><circle cx="9" cy="9" r="7" fill="none"'
    ' stroke="currentColor" stroke-width="1.6"/><path d="M9 2a7 7 0 0 1 0 14z" fill="currentColor"/></svg>'
)


def document(title: str, kind: str, body: Markup, words: Words) -> str:
    """A whole page, which opens without a network.

    Its content security policy allows only the two scripts written here, by their hashes: whatever a name in
    the data may contain, nothing else runs and nothing is fetched.
    """
    scripts = (_asset("echarts/echarts.common.min.js"), _asset("report.js"))
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {hashes}"
    language = "zh-CN" if words.language == "zh" else "en"
    head = together(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            element("title", title),
            element("style", Markup(_style())),
        ]
    )
    notices = "\n".join(_asset(f"echarts/{name}") for name in _NOTICES)
    page = element(
        "body",
        _top(kind, words),
        element("main", body),
        element("footer", words("made_by", version=ECHARTS_VERSION)),
        Markup(f"<!--\n{notices}-->"),
        *(element("script", Markup(script)) for script in scripts),
    )
    return f"<!doctype html>\n{element('html', element('head', head), page, lang=language)}\n"


def _top(kind: str, words: Words) -> Markup:
    brand = element("p", _MARK, "unrolled", element("span", kind), class_="brand")
    label = words("theme")
    return element(
        "header", brand, element("button", _HALF_MOON, id="theme", type="button", title=label, aria_label=label),
        class_="top",
    )  # fmt: skip


@cache
def _style() -> str:
    dark = _asset("dark.css")
    return (
        f"{_asset('report.css')}"
        f"@media screen and (prefers-color-scheme: dark) {{:root:not([data-theme=light]) {{{dark}}}}}"
        f"@media screen {{:root[data-theme=dark] {{{dark}}}}}"
    )


@cache
def _asset(name: str) -> str:
    return resources.files("unrolled.report").joinpath("assets", name).read_text("utf-8")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
