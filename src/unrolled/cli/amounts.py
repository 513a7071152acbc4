"""Amounts with units, as a user types them: ``1MB``, ``5ms``, ``5m``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from unrolled.core.errors import ConfigError

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-zµ]*)")
_BYTES = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3}
_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def size(given: str | None, option: str) -> float | None:
    """Bytes of ``250kB``, ``1MB``, ``2MiB``; a bare number is bytes.

    Raises:
        ConfigError: it is no such amount.
    """
    return None if given is None else _amount(given, {**_BYTES, "": 1.0}, option, "250kB or 1MB")


def seconds(given: str | None, option: str) -> float | None:
    """Seconds of ``5ms``, ``30s``, ``5m``, ``1h``; a bare number is seconds.

    Raises:
        ConfigError: it is no such amount.
    """
    return None if given is None else _amount(given, {**_SECONDS, "": 1.0}, option, "5ms, 30s or 5m")


def _amount(given: str, units: Mapping[str, float], option: str, examples: str) -> float:
    found = _AMOUNT.fullmatch(given.strip())
    unit = None if found is None else next((unit for unit in units if unit.lower() == found[2].lower()), None)
    if found is None or unit is None:
        raise ConfigError(f"{given!r} is not an amount", where=option, mend=f"write it as {examples}")
    return float(found[1]) * units[unit]
