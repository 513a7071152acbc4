"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tests share the machine with each other
_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def registered_cells() -> Iterator[None]:
    """Cells that a test registers are gone after it."""
    from unrolled.cells import cells
    from unrolled.program.equations import CELLS

    before = {*cells(), *CELLS}
    yield
    for name in CELLS.keys() - before:
        del CELLS[name]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data sets, beside the checkout; a user's clone has none."""
    if not _SHARED.is_dir():
        pytest.skip("needs the development data sets, which are not part of this repository")
    return _SHARED
