"""A first reading of a Parquet file, in a process of its own.

A damaged page can ask polars for an absurd amount of memory, or break a promise that its code relies on: that ends the
whole process, and prints what only polars' authors can use. Here it does so in a process that nobody misses.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def fault(path: Path, columns: Sequence[str] | None) -> str | None:
    """What is wrong with a Parquet file, None where all pages of these columns (None: of all) can be decoded."""
    if not sys.executable or getattr(sys, "frozen", False):  # another program that holds Python
        return None
    command = [sys.executable, "-P", __file__, str(path.absolute()), json.dumps(columns)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if not done.returncode:
        return None
    return done.stdout.decode(errors="replace").strip() or "a page of it is damaged"


def _attempt(path: str, columns: Sequence[str] | None) -> str | None:
    """Decode every page, some row groups at a time."""
    polars = importlib.import_module("polars")
    _bound_memory()
    try:
        lazy = polars.scan_parquet(path, glob=False, hive_partitioning=False)
        unread = (polars.List, polars.Array, polars.Struct, polars.Binary, polars.Object)
        flat = [name for name, kind in lazy.collect_schema().items() if kind not in unread]
        read = [polars.col(name).is_null().sum() for name in flat if columns is None or name in columns]
        lazy.select(read).collect(engine="streaming")
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        return str(error).partition("\n")[0][:200]
    return None


def _bound_memory() -> None:
    """Refuse to allocate more than half of the machine's memory, where the system knows such limits."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory if most < 0 else min(memory, most), most))


if __name__ == "__main__":
    reason = _attempt(sys.argv[1], json.loads(sys.argv[2]))
    if reason is not None:
        sys.stdout.write(reason)
        sys.exit(1)
