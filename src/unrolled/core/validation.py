"""Settings from outside, checked; a mistake is answered with its place and the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from unrolled.core.errors import BundleError, ConfigError

Model = TypeVar("Model", bound=BaseModel)

_NEAR = 0.6  # share of letters in common, in order


def validated(model: type[Model], given: Mapping[str, Any], *, where: str = "") -> Model:
    """Build ``model`` from plain data.

    Args:
        model: the settings class.
        given: as read from YAML, JSON or keyword arguments.
        where: what the data is called in messages ("config.yaml", "train").

    Raises:
        ConfigError: a key is unknown (with the nearest known one) or a value does not fit.
    """
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (where, *first["loc"]) if str(part))
        if first["type"] == "extra_forbidden":
            known = _fields(model, first["loc"][:-1])
            raise ConfigError(
                f"there is no option {first['loc'][-1]!r}", where=place, mend=nearest(str(first["loc"][-1]), known)
            ) from error
        raise ConfigError(_plain(first["msg"], first["input"]), where=place) from error


def restored(model: type[Model], stored: Any, *, where: str, strict: bool = False) -> Model:
    """Build ``model`` from what a bundle holds; ``strict`` converts nothing, not even "1" to 1.

    Raises:
        BundleError: a key is missing, unknown or wrong; the message names the first one, in one line.
    """
    try:
        return model.model_validate(stored, strict=strict)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])[:80]
        said = " ".join(first["msg"].split())[:80]
        raise BundleError(f"its key {key!r} is wrong ({said})", where=where) from error


def nearest(word: str, known: Iterable[str]) -> str:
    """ "did you mean 'size'?", naming all that are equally near, or the whole list where nothing is."""
    likeness = {name: difflib.SequenceMatcher(None, name, word).ratio() for name in sorted(known)}
    most = max(likeness.values(), default=0.0)
    if most < _NEAR:
        return f"known are: {', '.join(likeness)}"
    return f"did you mean {' or '.join(repr(name) for name, ratio in likeness.items() if ratio == most)}?"


def _plain(message: str, given: object) -> str:
    text = message.removeprefix("Value error, ").replace("Input should be", "it should be")
    text = text.replace("a valid tuple", "a list").replace("Field required", "it must be given")
    return f"{given!r} does not fit: {text}" if not isinstance(given, dict) else text


def _fields(model: type[BaseModel], path: tuple[int | str, ...]) -> set[str]:
    """Names of the fields of the settings class that ``path`` leads to."""
    current: Any = model
    for step in path:
        field = getattr(current, "model_fields", {}).get(step)
        candidates = [field.annotation, *get_args(field.annotation)] if field is not None else []
        inner = [kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not inner:
            break
        current = inner[0]
    return set(current.model_fields)
