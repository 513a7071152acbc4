"""Imports of optional dependencies, with the command that installs them."""

from __future__ import annotations

import importlib
from types import ModuleType

from unrolled.core.errors import MissingExtraError


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import ``module`` or say which extra brings it.

    Args:
        module: dotted name to import.
        extra: the extra of this package that installs it.
        purpose: what needs it, as the subject of the sentence ("training", "reading Parquet").

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{purpose} needs {module.split('.')[0]}, which is not installed",
            mend=f'install it with: pip install "unrolled[{extra}]"',
        ) from error
