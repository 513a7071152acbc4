"""The package without extras, in an environment of its own: small, quick, and without torch."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.workflow.small import job

pytestmark = pytest.mark.exhaustive

_MOST_BYTES = 150e6
_MOST_SECONDS = 0.3


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a fresh environment."""
    home = tmp_path_factory.mktemp("base")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    install = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", Path(__file__).parents[1]]
    subprocess.run([str(part) for part in install], check=True)
    return home / "bin"


def _run(scripts: Path, *arguments: object, code: int = 0) -> str:
    command = [str(scripts / "unrolled"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_it_is_small(scripts: Path) -> None:
    files = [path for path in scripts.parent.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_blocks * 512 for path in files) < _MOST_BYTES
    assert not list(scripts.parent.glob("lib/*/site-packages/torch"))


def test_help_is_quick(scripts: Path) -> None:
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        _run(scripts, "--help")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < _MOST_SECONDS


def test_importing_loads_nothing_else(scripts: Path) -> None:
    text = "import sys; before = set(sys.modules); import unrolled; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([str(scripts / "python"), "-c", text], capture_output=True, text=True, check=True)
    other = [name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names]
    assert other == ["unrolled"]


def test_a_run_is_used_without_torch(scripts: Path, tmp_path: Path) -> None:
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs):
        job("forecast", tmp_path, out=run.name, seed=seed)
    data = tmp_path / "forecast.csv"
    assert len(_run(scripts, "predict", runs[0], data).splitlines()) == 1 + 3
    (runs[0] / "report.html").unlink()
    _run(scripts, "report", runs[0], "--lang", "zh")
    assert 'lang="zh' in (runs[0] / "report.html").read_text(encoding="utf-8")
    assert "RMSE" in _run(scripts, "compare", *runs)
    assert "forecast" in _run(scripts, "presets")


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_what_needs_more_names_the_extra(command: str, scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("Close\n1\n2\n")
    said = _run(scripts, command, *([tmp_path] if command == "evaluate" else []), tmp_path / "prices.csv", code=2)
    assert 'pip install "unrolled[train]"' in said
