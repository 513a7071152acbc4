"""``--lang``: the language that a command speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unrolled.core.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.core.records import Language

Lang = Annotated[str, typer.Option("--lang", help="Language: en or zh.")]


def language_of(given: str) -> Language:
    """The language of that name.

    Raises:
        ConfigError: there is none.
    """
    if given == "en":
        return "en"
    if given == "zh":
        return "zh"
    raise ConfigError(f"there is no language {given!r}", where="--lang", mend="choose en or zh")
