"""Errors that a user can cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unrolled.core import errors
from unrolled.core.errors import BundleError, DataError, UnrolledError
from unrolled.prepare.read import read


def test_the_message_says_what_where_and_the_mend() -> None:
    error = DataError("the target is text", where="a.csv, column 'x'", mend="name another")
    assert str(error) == "a.csv, column 'x': the target is text\n  Name another"
    assert (error.what, error.where, error.mend) == ("the target is text", "a.csv, column 'x'", "name another")


def test_wrong_values_are_value_errors() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert [kind.__name__ for kind in kinds if issubclass(kind, ValueError)] == ["DataError", "ConfigError"]
    assert issubclass(BundleError, UnrolledError)


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_a_refusal_is_not_mistaken_for_the_systems(name: str, tmp_path: Path) -> None:
    """Readers turn every ValueError of a library into a sentence; their own errors pass as they are."""
    path = tmp_path / name
    np.savez(path, a=np.zeros(4096)) if name.endswith("npz") else path.write_text("a\n" + "1\n" * 4096)
    with pytest.raises(DataError, match=r"a\.(npz|csv): 0 MiB are more than the limit of 0 MiB"):
        read(path, limit=1024)
