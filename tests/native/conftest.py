from __future__ import annotations

import pytest

from unrolled import native


@pytest.fixture(autouse=True, scope="session")
def library() -> None:
    if why := native.reason():
        pytest.skip(f"the native library: {why}")
