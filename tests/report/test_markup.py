import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.report.format import plain
from unrolled.report.markup import Markup, element, embedded_json


class Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text, self.found = "", list[tuple[str, dict[str, str | None]]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(html: str) -> Collector:
    collector = Collector()
    collector.feed(html)
    collector.close()
    return collector


@given(st.text(), st.text())
def test_text_and_attributes_come_back_as_they_were(text: str, title: str) -> None:
    read = parse(element("p", text, title=title))
    assert read.found == [("p", {"title": plain(title)})]
    assert read.text == plain(text)


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner)))
def test_json_comes_back_and_cannot_leave_its_element(value: object) -> None:
    text = embedded_json(value)
    assert not set("<>&\u2028\u2029") & set(text)
    text.encode()
    if "?" not in text:  # lone surrogates become question marks
        assert json.loads(text) == value


def test_json_refuses_what_it_cannot_say() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded_json([float("nan")])


def test_attributes() -> None:
    assert element("a", "x", class_="b", aria_label="c", open=True, id=None, hidden=False) == (
        '<a class="b" aria-label="c" open>x</a>'
    )
    assert element("p", Markup("<b>x</b>"), None, "<") == "<p><b>x</b>&lt;</p>"
