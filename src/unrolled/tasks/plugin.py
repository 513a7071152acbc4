"""A user's own loss or metric: a function, or its name as "module:function"."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from unrolled.core.errors import ConfigError


def _as_name(given: Any) -> Any:
    """A function becomes the name under which it can be imported again, so that settings stay JSON."""
    if not callable(given):
        return given
    name = f"{given.__module__}:{given.__qualname__}"
    _functions[name] = given
    return name


_functions: dict[str, Callable[..., Any]] = {}  # given or imported in this process

Plugin = Annotated[str, Field(pattern=r"^[\w.]+:[\w.<>]+$"), BeforeValidator(_as_name)]
"""The name of a function; a function itself is accepted and remembered. Reading a name imports nothing."""


def resolve(name: str) -> Callable[..., Any]:
    """The function called "module:function"; importing it makes it known.

    Raises:
        ConfigError: there is no such module or function.
    """
    if name in _functions:
        return _functions[name]
    module, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{name!r} cannot be imported ({error})",
            where="option loss or metrics",
            mend='write it as "module:function", and start in a folder from which Python finds the module',
        ) from error
    if not callable(found):
        raise ConfigError(f"{name!r} is not a function", where="option loss or metrics")
    function: Callable[..., Any] = found
    _functions[name] = function
    return function


def known(name: str) -> bool:
    """Whether the function was given, or imported by its name, in this process."""
    return name in _functions
