"""HTML out of nested calls, everything escaped unless it is markup already."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from unrolled.report.format import plain


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


Child = str | Markup | None


def element(name: str, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """One element with its children; text and attribute values are escaped.

    An underscore in an attribute's name stands for a hyphen, one at its end is dropped (``class_``). True gives
    an attribute without a value; None and False leave it out.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        parts.append(f" {key}" if value is True else f' {key}="{escape(plain(str(value)))}"')
    parts.append(">")
    return Markup(f"{''.join(parts)}{together(children)}</{name}>")


def together(children: Iterable[Child]) -> Markup:
    """Children one after another; None is nothing."""
    return Markup("".join(_text(child) for child in children if child is not None))


def embedded_json(value: Any) -> Markup:
    """JSON that no content can use to leave its ``<script>`` element.

    Raises:
        ValueError: a number is not finite; JSON has no word for it.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text.encode(errors="replace").decode())


def _text(child: str) -> str:
    return child if isinstance(child, Markup) else escape(plain(child))
