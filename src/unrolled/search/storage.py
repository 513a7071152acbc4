"""The database of a search: opened by its address, waited for when it does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from unrolled.core.errors import ConfigError, UnrolledError
from unrolled.core.optional import require

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

_T = TypeVar("_T")
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0  # seconds between two attempts
_BUSY = 60  # seconds that a worker waits for another's write to an SQLite file
_RACES = 5  # attempts to make tables while others do
_CONNECT = 10  # seconds until a server that does not answer counts as gone


class StorageError(UnrolledError):
    """The database of a search does not answer."""


def open_storage(url: str) -> RDBStorage:
    """Connect, and make the tables where there are none.

    Raises:
        ConfigError: the address is not one.
        MissingExtraError: the driver is not installed.
        StorageError: the database does not answer.
    """
    optuna = require("optuna", extra="search", purpose="a search")
    from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = _with_driver(url)
    try:
        for _ in range(_RACES):
            with suppress(IntegrityError, ProgrammingError):  # another worker makes the same tables at this moment
                return _connected(url)
            time.sleep(_FIRST_WAIT)
        return _connected(url)
    except ModuleNotFoundError as error:
        raise require_driver(url, error) from error
    except (SQLAlchemyError, RuntimeError, optuna.exceptions.StorageInternalError, ImportError, ValueError) as error:
        raise StorageError(_first_line(error), where=shown(url), mend="check the address, and that it runs") from error


def _connected(url: str) -> RDBStorage:
    storages = require("optuna", extra="search", purpose="a search").storages
    storage: RDBStorage = storages.RDBStorage(url, engine_kwargs=_options(url))
    return storage


def patiently(call: Callable[[], _T], url: str, patience: float) -> _T:
    """What ``call`` returns, tried again for ``patience`` seconds while the database does not answer.

    Raises:
        StorageError: it did not until then.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    end, wait = time.monotonic() + patience, _FIRST_WAIT
    while True:
        try:
            return call()
        except (SQLAlchemyError, StorageInternalError) as error:
            if time.monotonic() + wait > end:
                raise StorageError(f"the storage does not answer ({_first_line(error)})", where=shown(url)) from error
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def shown(url: str) -> str:
    """An address without its password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "storage"


def _with_driver(url: str) -> str:
    """``postgresql://`` by the driver that is installed."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme) and find_spec("psycopg") is not None:
            return f"postgresql+psycopg://{url.removeprefix(scheme)}"
    if "://" not in url:
        raise ConfigError(
            f"{url!r} is not the address of a database",
            where="storage",
            mend="write it as postgresql://user@host/name, or leave it out for a file in the folder",
        )
    return url


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": _BUSY}}
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.startswith("postgresql"):
        options["connect_args"] = {"connect_timeout": _CONNECT}
    return options


def require_driver(url: str, error: ModuleNotFoundError) -> UnrolledError:
    """The error of a database whose driver is missing."""
    driver = error.name or "a driver"
    return ConfigError(f"{shown(url)} needs {driver}, which is not installed", where="storage",
                       mend=f"install it with: pip install {driver}, or use postgresql+psycopg://")  # fmt: skip


def _first_line(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0][:200]
