"""Cells from files: a user's own, or found ones."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from unrolled.core.errors import ConfigError


def load_file(path: Path | str) -> None:
    """Run a Python file that registers cells; the same text is run once.

    Never call this with a path that comes out of a bundle.

    Raises:
        ConfigError: there is no such file, or it fails.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=f"cells {str(path)!r}") from error
    name = f"unrolled_cells_{hashlib.sha256(text).hexdigest()[:16]}"
    if name in sys.modules:
        return
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError("is not a Python file", where=f"cells {str(path)!r}", mend="name a file that ends in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file does
        del sys.modules[name]
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"fails with {type(error).__name__}: {error}", where=f"cells {str(path)!r}") from error
