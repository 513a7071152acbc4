"""The package as a whole: its public names, what importing it costs, where its files may be."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import unrolled

ROOT = Path(__file__).parents[1]
SOURCE = Path(unrolled.__file__).parent


def test_public_names_are_sorted_listed_and_there() -> None:
    plain = [name for name in unrolled.__all__ if name.isupper()]
    rest = [name for name in unrolled.__all__ if not name.isupper()]
    assert unrolled.__all__ == sorted(plain) + sorted(rest)
    assert dir(unrolled) == sorted([*unrolled.__all__, "__version__"])
    for name in unrolled.__all__:
        found = getattr(unrolled, name)
        assert found.__name__ == name and found.__doc__ and (isinstance(found, type) or name.islower())
    with pytest.raises(AttributeError, match="no attribute 'LTSM'"):
        _ = unrolled.LTSM


def test_the_version_is_that_of_the_distribution() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", unrolled.__version__)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{unrolled.__version__}"' in text
    assert version("typer")  # the base install has what the command needs


@pytest.mark.parametrize(
    "name, absent",
    [
        ("unrolled", {"numpy", "torch", "polars", "pydantic", "typer", "rich", "sklearn"}),
        ("unrolled.core.errors", {"numpy", "torch", "polars", "pydantic"}),
        ("unrolled.cli.main", {"numpy", "torch", "polars", "pydantic", "rich", "yaml", "sklearn"}),
        ("unrolled.workflow.predict", {"torch", "polars", "sklearn", "lightning_fabric", "pandas"}),
        ("unrolled.workflow.report", {"torch", "polars", "sklearn", "lightning_fabric", "pandas"}),
        ("unrolled.prepare.read", {"torch", "polars", "sklearn", "lightning_fabric", "pandas", "wfdb"}),
    ],
)
def test_importing_loads_nothing_that_is_not_used(name: str, absent: set[str]) -> None:
    text = f"import sys; sys.path[:0] = [{str(SOURCE.parent)!r}]; import {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert absent & set(done.stdout.split()) == set()


def test_every_room_lists_what_it_gives() -> None:
    for path in sorted(SOURCE.glob("*/__init__.py")):
        module = __import__(f"unrolled.{path.parent.name}", fromlist=["_"])
        names = getattr(module, "__all__", [])
        assert len(set(names)) == len(names), path
        for name in names:
            assert hasattr(module, name), f"{path.parent.name}.{name}"


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "examples", "docs", "scripts"])
def test_no_file_names_a_place_on_one_machine(folder: str) -> None:
    place = re.compile(r"[\"'`(=\s](?:/(?:work|home|root|tmp|mnt|Users)/|[A-Z]:\\\\)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".md", ".sh", ".toml", ".yaml", ""} and path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if place.search(line) and "re.compile" not in line
    ]
    assert found == []
