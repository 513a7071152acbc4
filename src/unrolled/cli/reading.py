"""``--option key=value``: how a file is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from unrolled.core.errors import ConfigError

Reading = Annotated[list[str] | None, typer.Option("--option", help="Of reading, such as delimiter=';'; repeatable.")]

_LISTS = ("columns", "categorical", "labels", "pair")


def options(given: Sequence[str] | None) -> dict[str, Any]:
    """Options of ``prepare.read.read``; whether they exist is checked there.

    Raises:
        ConfigError: one is not of the form ``key=value``.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{text!r} is not an assignment", where="--option", mend="write it as delimiter=';'")
        found[key] = names([value.strip("[]")]) if key in _LISTS else value.replace("\\t", "\t")
    return found


def names(given: Sequence[str]) -> list[str]:
    """Names that are repeated, or separated by commas."""
    return [name.strip() for part in given for name in part.split(",") if name.strip()]
