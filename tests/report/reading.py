"""Reads a report as a browser would, for the tests: elements, text, chart options, scripts."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta"}


class Page(HTMLParser):
    """A parsed page; building it fails where elements do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []  # element, text
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        """What a person reads, white space made single."""
        return " ".join(" ".join(text for tag, text in self.texts if tag not in ("script", "style")).split())

    @property
    def scripts(self) -> list[str]:
        """Scripts that run."""
        return [text for kind, text in self._scripts() if kind == ""]

    @property
    def options(self) -> list[dict[str, Any]]:
        """The charts."""

        def refuse(word: str) -> None:
            raise ValueError(f"{word} is not JSON")

        return [json.loads(text, parse_constant=refuse) for kind, text in self._scripts() if kind == "application/json"]

    def _scripts(self) -> list[tuple[str, str]]:
        kinds = [attributes.get("type", "") for attributes in self.all("script")]
        return list(zip(kinds, [text for tag, text in self.texts if tag == "script"], strict=True))
